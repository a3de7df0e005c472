/**
 * How fast bytes are hashed and checked.
 *
 * @module
 */

import { Blake3, crc32c } from "../../wasm/hasher.ts";
import { isOnPath } from "../lab/command.ts";
import { measure } from "./process.ts";
import { median } from "./statistics.ts";

/** Speed of one way to check bytes. */
export interface ChecksumSpeed {
  readonly name: string;
  readonly bytesPerSecond: number;
}

const sizeBytes = 512 << 20;

/** Medians of `runs` passes over 512 MiB. b3sum, where it is on PATH, reads a file in `folder` on one thread. */
export async function measureChecksums(runs: number, folder: string): Promise<ChecksumSpeed[]> {
  const bytes = new Uint8Array(sizeBytes);
  using hasher = new Blake3();
  const speeds = [
    await measureSpeed("BLAKE3 in WebAssembly", runs, () => void hasher.reset().update(bytes).digest()),
    await measureSpeed("CRC32C in WebAssembly", runs, () => void crc32c(bytes)),
  ];
  if (await isOnPath("b3sum")) {
    const file = `${folder}/b3sum-input`;
    await Deno.writeFile(file, bytes);
    speeds.push(
      await measureSpeed("b3sum --num-threads 1", runs, async () => {
        await measure({ path: "b3sum", args: ["--num-threads", "1", file] });
      }),
    );
    await Deno.remove(file);
  }
  return speeds;
}

async function measureSpeed(
  name: string,
  runs: number,
  pass: () => void | Promise<void>,
): Promise<ChecksumSpeed> {
  const seconds: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    await pass();
    seconds.push((performance.now() - startedAt) / 1000);
  }
  return { name, bytesPerSecond: sizeBytes / median(seconds) };
}
