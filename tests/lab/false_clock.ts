/**
 * A wall clock that jumps, for one program and what it starts: Debian's libfaketime, which is told by a file. The monotonic clock stays the kernel's.
 *
 * @module
 */

import { cached } from "./cache.ts";
import { unpackPackages } from "./debian.ts";

const version = "0.9.10";

/** A wall clock that can be set at any time. */
export class FalseClock {
  readonly #library: string;
  readonly #path: string;

  private constructor(library: string, path: string) {
    this.#library = library;
    this.#path = path;
  }

  /** Path of the library, from the cache or fetched. */
  static async fetch(): Promise<string> {
    const root = await cached(
      `libfaketime-${version}`,
      `fetching libfaketime ${version} of Debian bookworm, to set a clock of our own`,
      (root) => unpackPackages("bookworm", ["libfaketime"], root),
    );
    return `${root}/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1`;
  }

  /** A clock that is right so far; what tells it is in the folder. */
  static async make(folder: string): Promise<FalseClock> {
    const clock = new FalseClock(await FalseClock.fetch(), `${folder}/clock`);
    await clock.set(0);
    return clock;
  }

  /** Sets it so many hours before or behind the right time, for whoever looks at it from now on. */
  async set(hours: number): Promise<void> {
    await Deno.writeTextFile(`${this.#path}.new`, `${hours < 0 ? "" : "+"}${hours}h\n`);
    await Deno.rename(`${this.#path}.new`, this.#path);
  }

  /** Lines of a shell's script: what it starts behind them has this clock. */
  get prelude(): string {
    return `export FAKETIME_TIMESTAMP_FILE='${this.#path}' FAKETIME_NO_CACHE=1 FAKETIME_DISABLE_SHM=1
export FAKETIME_DONT_FAKE_MONOTONIC=1 LD_PRELOAD='${this.#library}'`;
  }
}
