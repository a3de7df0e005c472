/**
 * Bacula's own programs, unpacked from Debian's packages and run without installing them.
 *
 * @module
 */

import { cached } from "./cache.ts";
import { run } from "./command.ts";
import { unpackPackages } from "./debian.ts";

// deno-fmt-ignore
const packages = [
  "bacula-fd", "bacula-sd", "bacula-director", "bacula-common", "bacula-common-sqlite3", "bacula-director-sqlite3", "bacula-console",
  // What those programs load, and the shell that makes and reads the catalog.
  "libc6", "libstdc++6", "libgcc-s1", "libssl3t64", "zlib1g", "libzstd1", "liblzo2-2", "libacl1", "libcap2", "libwrap0", "libsqlite3-0",
  "libreadline8t64", "libtinfo6", "libnsl2", "libtirpc3t64", "libgssapi-krb5-2", "libkrb5-3", "libk5crypto3", "libkrb5support0",
  "libcom-err2", "libkeyutils1", "sqlite3",
];

const daemons = ["bacula-dir", "bacula-sd", "bacula-fd"] as const;

/** A program of the lab. */
export type BaculaProgram = typeof daemons[number] | "bconsole" | "sqlite3";

/** The unpacked programs of Bacula 15.0.3. */
export class BaculaPrograms {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** The programs from the cache, fetched if they aren't there. */
  static async find(): Promise<BaculaPrograms> {
    const root = await cached(
      "bacula-15.0.3",
      "fetching Bacula 15.0.3 of Debian trixie, to test the plugin with",
      async (folder) => {
        await unpackPackages("trixie", packages, folder);
        await new BaculaPrograms(folder).#verify();
      },
    );
    return new BaculaPrograms(root);
  }

  /** SQL that makes an empty catalog. */
  get catalogScriptPath(): string {
    return `${this.#root}/usr/share/dbconfig-common/data/bacula-director-sqlite3/install/sqlite3`;
  }

  /**
   * The command line that runs a program with trixie's loader and libraries, which are newer than those of the machine. Not by
   * LD_LIBRARY_PATH: every child would inherit that, and the machine's own programs break with those libraries.
   */
  commandLine(program: BaculaProgram, ...args: string[]): { program: string; args: string[] } {
    const libraries = `${this.#root}/usr/lib/x86_64-linux-gnu`;
    const path = `${this.#root}/usr/${program === "sqlite3" ? "bin" : "sbin"}/${program}`;
    return {
      program: `${libraries}/ld-linux-x86-64.so.2`,
      args: ["--library-path", `${this.#root}/usr/lib/bacula:${libraries}`, path, ...args],
    };
  }

  /** Runs a program to its end and returns its standard output. */
  async run(program: BaculaProgram, args: readonly string[], input: string): Promise<string> {
    const command = this.commandLine(program, ...args);
    return await run(command.program, command.args, { input });
  }

  /** Every library must be one of ours: another one, or a missing one, means that the list of packages is out of date. */
  async #verify(): Promise<void> {
    for (const program of [...daemons, "bconsole", "sqlite3"] as const) {
      const command = this.commandLine(program);
      const listed = await run(command.program, ["--list", ...command.args]);
      const strangers = listed.split("\n").filter((line) =>
        line.trim() !== "" && !/linux-vdso/.test(line) && !line.includes(this.#root)
      );
      if (strangers.length > 0) {
        throw new Error(`${program} loads what isn't in the lab:\n${strangers.join("\n")}`);
      }
    }
  }
}
