/**
 * Fulls into memory.
 *
 * @module
 */

import type { Source } from "../../backend/ports.ts";
import { backUp as runFull } from "./engine_jobs.ts";
import { MemorySink } from "./memory.ts";

/** Runs a Full with these options, and segments of 1 MiB where they say nothing else. */
export async function backUp(source: Source, options: string, sink: MemorySink = new MemorySink()) {
  const size = options.includes("segment_size") ? "" : "segment_size=1M ";
  return await runFull(source, sink, `podheitor-mongodb: uri=mongodb://memory resource=r0 ${size}${options}`);
}

/** Documents of a file, each as hexadecimal digits. */
export function documentsOf(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getInt32(0, true);
    found.push(bytes.subarray(at, at + length).toHex());
    at += length;
  }
  return found;
}
