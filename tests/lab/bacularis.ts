/**
 * The class for Bacularis, asked in PHP with a stand-in for Bacularis.
 *
 * @module
 */

import { run } from "./command.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Path of the class. */
export const bacularisClass = `${root}packaging/bacularis/PodHeitorMongoDBBackup.php`;

/** What the class says. */
export interface BacularisAnswer {
  /** Name, version and type. */
  readonly about: readonly [string, string, string];
  readonly parameters: readonly {
    readonly name: string;
    readonly type: string;
    readonly default: string | number | boolean;
    readonly data?: readonly string[];
    readonly label: string;
    readonly category: readonly string[];
  }[];
  /** Categories of restores. */
  readonly restore: readonly string[];
  /** Of each set of parameters. */
  readonly answers: readonly {
    /** What Bacularis puts behind `\|` into a FileSet. */
    readonly line?: string;
    readonly commands?: readonly string[];
    readonly refused?: string;
  }[];
  readonly done: readonly boolean[];
  readonly said: readonly string[];
}

/** Gives the class sets of parameters. */
export async function askBacularis(
  sets: readonly Readonly<Record<string, unknown>>[],
): Promise<BacularisAnswer> {
  const fake = `${root}tests/contract/fake_bacularis.php`;
  return JSON.parse(
    await run("php", ["-d", "display_errors=stderr", fake, bacularisClass], { input: JSON.stringify(sets) }),
  );
}
