/**
 * A control group that has only so much memory for its processes, after which the kernel kills one of them. Root's to make, in either version of the
 * kernel's interface.
 *
 * @module
 */

import { until } from "./condition.ts";

interface Interface {
  readonly root: string;
  readonly limit: string;
  readonly usage: string;
  readonly unlimited: string;
  /** Has a line `oom_kill N`. */
  readonly events: string;
}

const interfaces: readonly Interface[] = [
  {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    unlimited: "-1",
    events: "memory.oom_control",
  },
  {
    root: "/sys/fs/cgroup",
    limit: "memory.max",
    usage: "memory.current",
    unlimited: "max",
    events: "memory.events",
  },
];

/** A group, without a limit at first. */
export class MemoryGroup implements AsyncDisposable {
  readonly path: string;
  readonly #names: Interface;

  private constructor(path: string, names: Interface) {
    this.path = path;
    this.#names = names;
  }

  /** An empty group, or null where this machine lets nobody make one. */
  static async make(): Promise<MemoryGroup | null> {
    for (const names of interfaces) {
      const path = `${names.root}/podheitor-${crypto.randomUUID()}`;
      try {
        await Deno.mkdir(path);
        await Deno.writeTextFile(`${path}/${names.limit}`, names.unlimited);
        return new MemoryGroup(path, names);
      } catch {
        await Deno.remove(path).catch(() => {});
      }
    }
    return null;
  }

  /** Takes a process in; what that starts from then on is in the group as well. */
  async take(pid: number): Promise<void> {
    await Deno.writeTextFile(`${this.path}/cgroup.procs`, `${pid}`);
  }

  /** Allows so much more than there is now; null: as much as the machine has. */
  async allow(moreBytes: number | null): Promise<void> {
    const limit = moreBytes === null ? this.#names.unlimited : `${await this.usageBytes() + moreBytes}`;
    await Deno.writeTextFile(`${this.path}/${this.#names.limit}`, limit);
  }

  async usageBytes(): Promise<number> {
    return Number(await Deno.readTextFile(`${this.path}/${this.#names.usage}`));
  }

  /** How many of its processes the kernel has killed. */
  async kills(): Promise<number> {
    const events = await Deno.readTextFile(`${this.path}/${this.#names.events}`);
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1]);
  }

  /** Removes the group when its last process has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until(`the end of all in ${this.path}`, 20_000, async () => {
      return await Deno.remove(this.path).then(() => true, () => false);
    });
  }
}
