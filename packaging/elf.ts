/**
 * Binaries among the files of a package.
 *
 * @module
 */

import type { PackagedFile } from "./contents.ts";
import type { Target } from "./target.ts";

/** The processor's number of a binary, or null for a file that is none. */
export async function readElfNumber(path: string): Promise<number | null> {
  using file = await Deno.open(path);
  const header = new Uint8Array(20);
  const length = await file.read(header);
  if (length !== header.length || new TextDecoder().decode(header.subarray(0, 4)) !== "\x7fELF") return null;
  return new DataView(header.buffer).getUint16(18, true);
}

/** @throws Error where a binary is another processor's */
export async function checkProcessor(files: readonly PackagedFile[], target: Target): Promise<void> {
  for (const { from } of files) {
    const number = "file" in from ? await readElfNumber(from.file) : null;
    if (number === null || number === target.elfNumber) continue;
    const { file } = from as { file: string };
    throw new Error(
      `${file} is for the processor ${number} of ELF; ${target.architecture} is ${target.elfNumber}`,
    );
  }
}
