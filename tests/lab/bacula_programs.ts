/**
 * Bacula's own programs, unpacked from Debian's packages and run without installing them.
 *
 * @module
 */

import { cached } from "./cache.ts";
import { run } from "./command.ts";
import { unpackPackages } from "./debian.ts";
import { emulator } from "./emulator.ts";

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

/** Where things are, and what runs them, by Debian's name of the processor. */
const processors = {
  amd64: { entry: "bacula-15.0.3", machine: "x86_64", loader: "ld-linux-x86-64.so.2", emulator: [] },
  arm64: {
    entry: "bacula-15.0.3-arm64",
    machine: "aarch64",
    loader: "ld-linux-aarch64.so.1",
    emulator: [emulator],
  },
} as const;

/** The unpacked programs of Bacula 15.0.3. */
export class BaculaPrograms {
  readonly #root: string;
  readonly #processor: typeof processors[keyof typeof processors];

  private constructor(root: string, processor: typeof processors[keyof typeof processors]) {
    this.#root = root;
    this.#processor = processor;
  }

  /** The programs from the cache, fetched if they aren't there. Those for arm64 are emulated, which is a tool of its own. */
  static async find(architecture: keyof typeof processors = "amd64"): Promise<BaculaPrograms> {
    const processor = processors[architecture];
    const root = await cached(
      processor.entry,
      `fetching Bacula 15.0.3 of Debian trixie for ${architecture}, to test the plugin with`,
      async (folder) => {
        await unpackPackages("trixie", packages, folder, architecture);
        await new BaculaPrograms(folder, processor).#verify();
      },
    );
    return new BaculaPrograms(root, processor);
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
    const { machine, loader, emulator } = this.#processor;
    const libraries = `${this.#root}/usr/lib/${machine}-linux-gnu`;
    const path = `${this.#root}/usr/${program === "sqlite3" ? "bin" : "sbin"}/${program}`;
    const [first, ...rest] = [...emulator, `${libraries}/${loader}`] as const;
    return {
      program: first,
      args: [...rest, "--library-path", `${this.#root}/usr/lib/bacula:${libraries}`, path, ...args],
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
      const args = command.args.with(-1, "--list");
      const listed = await run(command.program, [...args, command.args.at(-1)!]);
      const strangers = listed.split("\n").filter((line) =>
        line.trim() !== "" && !/linux-vdso/.test(line) && !line.includes(this.#root)
      );
      if (strangers.length > 0) {
        throw new Error(`${program} loads what isn't in the lab:\n${strangers.join("\n")}`);
      }
    }
  }
}
