/**
 * The backends that a lab's File Daemon runs.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { BaculaLab } from "../lab/bacula.ts";
import { until } from "../lab/condition.ts";

/** Backends of one lab; others on the machine are somebody else's. */
export class Backends {
  readonly #lab: BaculaLab;
  readonly #seen = new Set<number>();

  constructor(lab: BaculaLab) {
    this.#lab = lab;
  }

  /** Process id of the backend that runs, as soon as there is one. */
  async one(): Promise<number> {
    const pid = await until("a backend", 15_000, () => this.#children()[0]);
    this.#seen.add(pid);
    return pid;
  }

  /** No backend runs, and no unfinished file of ours is left. */
  async assertNothingStays(): Promise<void> {
    await until(
      "the end of all backends",
      10_000,
      () => [...this.#seen].every((pid) => !isBackend(pid)) && this.#children().length === 0,
    );
    const ours = (folder: string) =>
      [...Deno.readDirSync(`${this.#lab.folder}/${folder}`)].map(({ name }) => name)
        .filter((name) => name.includes("podheitor") && !/-(stats|tip)\.json(\.lock)?$/.test(name));
    assert.deepEqual([...ours("work"), ...ours("vol")], []);
  }

  #children(): number[] {
    return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
      .filter((pid) => pid > 0 && isBackend(pid) && parentOf(pid) === this.#lab.fdPid);
  }
}

/** Whether a process runs the backend; one that has ended and waits for its parent doesn't. */
function isBackend(pid: number): boolean {
  const command = readProc(`${pid}/cmdline`);
  return command.includes("podheitor-mongodb-backend") && command.includes("\0job\0");
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readProc(`${pid}/status`))?.[1]);
}

function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${path}`);
  } catch {
    return ""; // It has just ended.
  }
}
