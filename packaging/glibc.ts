/**
 * How old a machine's C library may be.
 *
 * @module
 */

import { run } from "../tests/lab/command.ts";
import type { PackagedFile } from "./contents.ts";
import { readElfNumber } from "./elf.ts";

/** What every machine that packages are for has at least: that of Enterprise Linux 9. */
const newestAllowed = "2.34";

/**
 * The newest version of glibc that any of the binaries needs.
 *
 * @throws Error if that is newer than {@linkcode newestAllowed}
 */
export async function neededGlibc(files: readonly PackagedFile[]): Promise<string> {
  let needed = "2.2.5";
  for (const { from } of files) {
    if (!("file" in from) || await readElfNumber(from.file) === null) continue;
    const version = await glibcOf(from.file);
    if (compareVersions(version, newestAllowed) > 0) {
      throw new Error(`${from.file} needs glibc ${version}; packages are for ${newestAllowed} and newer`);
    }
    if (compareVersions(version, needed) > 0) needed = version;
  }
  return needed;
}

async function glibcOf(path: string): Promise<string> {
  const symbols = await run("objdump", ["-T", path]);
  const versions = [...symbols.matchAll(/GLIBC_(\d+(?:\.\d+)+)/g)].map(([, version]) => version!);
  return versions.sort(compareVersions).at(-1) ?? "2.2.5";
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number)) as [number[], number[]];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
