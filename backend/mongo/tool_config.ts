/**
 * The file that tells a tool of MongoDB how to connect: a connection string must not stand among a process's arguments or in its environment, which others on
 * the machine can read.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Secret } from "../secret.ts";

const namePattern = /^podheitor-mongodb-[0-9a-f-]{36}\.tool$/;

/** Such a file, readable by its owner only. It is locked as long as it is wanted: so what a dead process left is told from what is in use. */
export class ToolConfig implements AsyncDisposable {
  readonly path: string;
  readonly #handle: Deno.FsFile;
  #isThere = true;

  private constructor(path: string, handle: Deno.FsFile) {
    this.path = path;
    this.#handle = handle;
  }

  static async write(directory: string, uri: Secret): Promise<ToolConfig> {
    const path = `${directory}/podheitor-mongodb-${crypto.randomUUID()}.tool`;
    try {
      // Held until the file is locked: nobody takes one that isn't locked yet for a dead process's.
      using turn = await Deno.open(directory);
      await turn.lock(true);
      const handle = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
      const config = new ToolConfig(path, handle);
      try {
        await handle.lock(true);
        // A JSON text is YAML too.
        const text = new TextEncoder().encode(`uri: ${JSON.stringify(uri.reveal())}\n`);
        for (let at = 0; at < text.length;) at += await handle.write(text.subarray(at));
        return config;
      } catch (cause) {
        await config.remove();
        throw cause;
      }
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }

  /** Removes the files that dead processes left in a directory. */
  static async removeLeft(directory: string): Promise<void> {
    try {
      using turn = await Deno.open(directory);
      await turn.lock(true);
      for await (const { name, isFile } of Deno.readDir(directory)) {
        if (!isFile || !namePattern.test(name)) continue;
        const path = `${directory}/${name}`;
        using handle = await Deno.open(path, { read: true, write: true });
        if (await handle.tryLock(true)) await Deno.remove(path);
      }
    } catch (cause) {
      // Another job's, which was gone first.
      if (!(cause instanceof Deno.errors.NotFound)) throw unwritable(directory, cause);
    }
  }

  /** Removes it, once it was read; a second time is nothing. */
  async remove(): Promise<void> {
    if (!this.#isThere) return;
    this.#isThere = false;
    try {
      await Deno.remove(this.path);
    } catch (cause) {
      throw unwritable(this.path, cause);
    } finally {
      this.#handle.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

function unwritable(path: string, cause: unknown): PluginError {
  return new PluginError(
    "stateWrite",
    `Cannot write or remove ${path}: ${cause instanceof Error ? cause.message : cause}`,
    { hint: "The backend's user must be able to write to the File Daemon's working directory.", cause },
  );
}
