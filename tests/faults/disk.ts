/**
 * A disk that is quickly full.
 *
 * @module
 */

import { run } from "../lab/command.ts";

/** A file system in memory, which root alone can mount. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Mounts an empty one on a folder, which is made if need be. */
  static async mount(path: string, sizeBytes: number): Promise<SmallDisk> {
    await Deno.mkdir(path, { recursive: true });
    await run("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path]);
    return new SmallDisk(path);
  }

  async freeBytes(): Promise<number> {
    return Number(await run("stat", ["-f", "-c", "%a", this.path])) * 4096;
  }

  /** Takes room away by a file of that size. */
  async fill(path: string, sizeBytes: number): Promise<void> {
    await run("fallocate", ["-l", String(sizeBytes), path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", ["-l", this.path]);
  }
}
