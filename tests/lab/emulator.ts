/**
 * Running programs for arm64 on a machine that isn't one: qemu's emulation of the processor, the machine's kernel, and the C library of Debian's cross
 * compiler.
 *
 * @module
 */

/** The program's name. What an emulated program starts has to be one of this machine's own, such as a script that starts the emulator again. */
export const emulator = "qemu-aarch64-static";

/** Makes a script that runs a program for arm64 as if it were this machine's own. */
export async function writeEmulated(script: string, program: string): Promise<void> {
  const text = `#!/bin/sh\nexec ${emulator} -L /usr/aarch64-linux-gnu '${program}' "$@"\n`;
  await Deno.writeTextFile(script, text, { mode: 0o755 });
}
