/**
 * Bytes that a restore puts aside: a file without a name, so that nothing is left of it whatever happens.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Spool, SpooledBytes } from "../ports.ts";

/** A spool in a directory. */
export class FileSpool implements Spool {
  readonly #directory: string;
  #file: Deno.FsFile | undefined;
  #end = 0;
  /** One thing at a time: reading and writing share the file's position. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  put(bytes: Uint8Array): Promise<SpooledBytes> {
    return this.#inTurn(async (file) => {
      const piece = { offset: this.#end, length: bytes.length };
      await file.seek(piece.offset, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      this.#end += bytes.length;
      return piece;
    });
  }

  get({ offset, length }: SpooledBytes): Promise<Uint8Array> {
    return this.#inTurn(async (file) => {
      await file.seek(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const read = await file.read(bytes.subarray(at));
        if (read === null) throw new Error("it ended early");
        at += read;
      }
      return bytes;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    this.#file?.close();
    this.#file = undefined;
  }

  async #open(): Promise<Deno.FsFile> {
    const path = `${this.#directory}/podheitor-mongodb-${crypto.randomUUID()}.spool`;
    const file = await Deno.open(path, { read: true, write: true, createNew: true, mode: 0o600 });
    await Deno.remove(path);
    return file;
  }

  #inTurn<T>(work: (file: Deno.FsFile) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      try {
        return await work(this.#file ??= await this.#open());
      } catch (cause) {
        throw new PluginError(
          "stateWrite",
          `Cannot put a piece of the oplog aside in ${this.#directory}: ${
            cause instanceof Error ? cause.message : cause
          }`,
          {
            hint:
              "The File Daemon's working directory needs room for the Full's slice of the oplog, and the backend's user must be able to write to it.",
            cause,
          },
        );
      }
    });
    this.#turn = result.catch(() => {});
    return result;
  }
}
