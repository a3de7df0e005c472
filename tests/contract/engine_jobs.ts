/**
 * Jobs of the engine within this process, with anything as their source and target.
 *
 * @module
 */

import { Binary, serialize } from "bson";
import { runBackup } from "../../backend/job/backup.ts";
import { runRestore } from "../../backend/job/restore.ts";
import { loadSigningKey, type SigningKey } from "../../backend/manifest/signature.ts";
import { parsePluginCommand } from "../../backend/options/command.ts";
import type { Source, Target } from "../../backend/ports.ts";
import type { RestoreEvent } from "../../backend/protocol/backend_session.ts";
import type { JobInfo } from "../../backend/protocol/message.ts";
import { Secret } from "../../backend/secret.ts";
import { MemoryLog, MemorySink } from "./memory.ts";
import { MemorySpool } from "./memory_target.ts";

const job: JobInfo = {
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
};
/** The plugin command of both, as a FileSet has it. */
export const command = "podheitor-mongodb: uri=mongodb://memory resource=r0 parallel_dbs=3 segment_size=1M";

/** A key of which only the seed matters. */
export async function testKey(seed = 1): Promise<SigningKey> {
  return await loadSigningKey(
    new Secret(new Uint8Array(32).fill(seed).toBase64()),
    () => Promise.reject(new Error("no file")),
  );
}

/** Runs a Full. */
export async function backUp(
  source: Source,
  sink = new MemorySink(),
  options = command,
  signal = new AbortController().signal,
) {
  const log = new MemoryLog();
  const result = await runBackup({
    job,
    options: parsePluginCommand(options),
    resource: "r0",
    source,
    sink,
    signingKey: await testKey(),
    log,
    clock: { now: () => new Date(1_700_000_000_000), monotonicMs: () => 0 },
    signal,
    program: { name: "test", version: "0.0.0" },
    intervalSeconds: null,
  });
  return { ...result, sink, log };
}

/** What comes of a backup, and how. */
interface RestoreRequest {
  readonly names?: readonly string[];
  readonly sent?: readonly string[];
  readonly options?: string;
  readonly change?: (name: string, bytes: Uint8Array) => Uint8Array;
  readonly trusted?: SigningKey;
}

/** Restores what a Full left, all of it unless the request says otherwise. */
export async function restore(sink: MemorySink, target: Target, request: RestoreRequest = {}) {
  const names = request.names ?? [...sink.files.keys()];
  const taken: string[] = [];
  async function* events(): AsyncGenerator<RestoreEvent> {
    for (const { bytes, ...header } of sink.restoreObjects) {
      yield {
        type: "restoreObject",
        header: { ...header, size: bytes.length, jobId: 7, command: "" },
        bytes,
      };
    }
    for (const name of names) yield { type: "listed", name };
    yield { type: "start", where: "/", regexWhere: "" };
    yield { type: "pluginCommand", command: request.options ?? command };
    for (const name of request.sent ?? names) {
      const { header, bytes } = sink.files.get(name)!;
      const changed = request.change?.(name, bytes) ?? bytes;
      yield {
        type: "file",
        header: { ...header, size: changed.length },
        extract: () => {
          taken.push(name);
          return Promise.resolve((async function* () {
            for (let at = 0; at < changed.length; at += 65536) yield changed.subarray(at, at + 65536);
          })());
        },
        skip: () => Promise.resolve(),
      };
    }
  }
  const log = new MemoryLog();
  const trusted = request.trusted ?? await testKey();
  await runRestore({
    events: events(),
    log,
    signal: new AbortController().signal,
    trust: { keys: [trusted.publicKey], allowUnsigned: false },
    trustedCommand: false,
    noteResource: () => {},
    noteDryRun: () => {},
    takeParameters: () => Promise.resolve(null),
    openTarget: () => Promise.resolve(target),
    openSpool: () => new MemorySpool(),
    dayOf: (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10),
  });
  return { log, taken };
}

/** Documents of about as many bytes each. */
export function documents(count: number, bytes: number, seed = 0): Uint8Array[] {
  return Array.from(
    { length: count },
    (_, at) => serialize({ _id: at, data: new Binary(new Uint8Array(bytes).fill(at + seed)) }),
  );
}

/** All bytes as hexadecimal digits. */
export function concatenated(parts: readonly Uint8Array[]): string {
  return parts.map((part) => part.toHex()).join("");
}
