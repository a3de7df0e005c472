/**
 * Puts a package's files into a folder as they are to be installed.
 *
 * @module
 */

import type { PackagedFile } from "./contents.ts";

/** Lays the files below `root`, which is new, with their modes and one time for all. */
export async function layOut(
  files: readonly PackagedFile[],
  root: string,
  epochSeconds: number,
): Promise<void> {
  const folders = new Set<string>([root]);
  for (const { path, mode, from } of files) {
    const target = `${root}${path}`;
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      folders.add(`${root}${path.slice(0, at)}`);
    }
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    if ("file" in from) await Deno.copyFile(from.file, target);
    else await Deno.writeTextFile(target, from.text);
    // Not as whoever builds would have new files, but as they are to be.
    await Deno.chmod(target, mode);
    await Deno.utime(target, epochSeconds, epochSeconds);
  }
  for (const folder of folders) {
    await Deno.chmod(folder, 0o755);
    await Deno.utime(folder, epochSeconds, epochSeconds);
  }
}
