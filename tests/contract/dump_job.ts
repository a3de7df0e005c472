/**
 * Fulls into memory.
 *
 * @module
 */

import { runBackup } from "../../backend/job/backup.ts";
import { parsePluginCommand } from "../../backend/options/command.ts";
import type { Source } from "../../backend/ports.ts";
import { MemoryLog, MemorySink } from "./memory.ts";

/** Runs an unsigned Full with these options, and segments of 1 MiB where they say nothing else. */
export async function backUp(
  source: Source,
  options: string,
  sink: MemorySink = new MemorySink(),
) {
  const log = new MemoryLog();
  const { manifest } = await runBackup({
    job: {
      kind: "B",
      level: "F",
      accurate: false,
      jobId: 7,
      sinceTime: 0,
      jobName: "Mongo.2026-01-01_00.00.00_01",
      previousJobName: "",
      clientName: "fd",
      workingDirectory: "/tmp",
      baculaVersion: "15.0.3",
    },
    options: parsePluginCommand(
      `podheitor-mongodb: uri=mongodb://memory resource=r0 sign=no ${
        options.includes("segment_size") ? "" : "segment_size=1M "
      }${options}`,
    ),
    resource: "r0",
    source,
    sink,
    signingKey: null,
    log,
    clock: { now: () => new Date(1_700_000_000_000) },
    signal: new AbortController().signal,
    program: { name: "test", version: "0.0.0" },
    intervalSeconds: null,
  });
  return { manifest, sink, log };
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
