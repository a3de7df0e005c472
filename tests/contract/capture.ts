/**
 * Captures of an oplog in memory.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Lane } from "../../backend/job/lane.ts";
import { OplogCapture } from "../../backend/job/oplog_capture.ts";
import { acceptsOf } from "../../backend/job/backup_scope.ts";
import { SegmentSupply } from "../../backend/job/segment_supply.ts";
import { findContradictions, type Manifest, type ManifestOplog } from "../../backend/manifest/schema.ts";
import type { Scope } from "../../backend/manifest/scope.ts";
import type { ObjectSink } from "../../backend/objects.ts";
import { MemorySink } from "./memory.ts";
import { entriesOf, MemoryOplog } from "./memory_oplog.ts";
import { entryBytes, place } from "./oplog_entries.ts";

/** Which job's slice is captured. */
export type Kind = "of a Full" | "of an increment";

/** An insert at a second. */
export function insert(t: number, ns = "app.a", size = 10, term = 1): Uint8Array {
  return entryBytes({ op: "i", ns, o: { _id: t, x: "y".repeat(size) }, at: place(t, 1, term) });
}

/** What a capture works on: everything from second 1000 on, unless it says otherwise. */
interface Setting {
  readonly entries: readonly Uint8Array[];
  readonly kind?: Kind;
  readonly from?: number;
  readonly databases?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly users?: boolean;
  readonly batchEntries?: number;
  readonly segmentBytes?: number;
  readonly sink?: ObjectSink;
  readonly outlast?: (cause: unknown, tries: number) => Promise<void>;
}

/** A scope of all databases or some, and nothing else unless it is said. */
export function testScope(
  databases: readonly string[] = ["*"],
  { include = [], exclude = [], users = false }: Pick<Setting, "include" | "exclude" | "users"> = {},
): Scope {
  return { databases: [...databases], include: [...include], exclude: [...exclude], users };
}

/** A capture on an oplog in memory. */
export function openCapture(setting: Setting) {
  const { entries, kind = "of an increment", from = 1000, batchEntries, segmentBytes = 1 << 20 } = setting;
  const oplog = new MemoryOplog(entries, batchEntries);
  const sink = new MemorySink();
  const canceled = new AbortController();
  const supply = new SegmentSupply(2, segmentBytes);
  const capture = new OplogCapture(
    {
      sink: setting.sink ?? sink,
      lane: new Lane(),
      supply,
      resource: "r0",
      signal: canceled.signal,
      timeSeconds: 1,
      oplog,
      jobName: "job",
      ...setting.outlast === undefined ? {} : { outlast: setting.outlast },
      accepts: acceptsOf(testScope(setting.databases, setting)),
    },
    place(from),
    kind,
  );
  const sent = () => [...sink.files.values()].flatMap(({ bytes }) => entriesOf(bytes));
  const close = () => {
    capture[Symbol.dispose]();
    supply[Symbol.dispose]();
  };
  return { oplog, sink, supply, capture, canceled, sent, [Symbol.dispose]: close };
}

/** Captures everything there is, in one go. */
export async function captureAll(setting: Setting) {
  using opened = openCapture(setting);
  await opened.capture.readTo(await opened.oplog.newest());
  const slice = await opened.capture.finish();
  assertSound(slice, setting.kind ?? "of an increment");
  return { slice, sent: opened.sent() };
}

/** The slice as a manifest holds it doesn't contradict itself, and names what was sent. */
export function assertSound(oplog: ManifestOplog, kind: Kind): void {
  const isFull = kind === "of a Full";
  const manifest = {
    resource: "r0",
    job: { level: isFull ? "F" : "I" },
    parent: isFull ? null : {},
    oplog,
    databases: [],
    totals: { databases: 0, collections: 0, documents: 0, bytes: 0, objects: oplog.segments.length },
  } as unknown as Manifest;
  assert.deepEqual(findContradictions(manifest), []);
}

/** Each entry as hexadecimal digits. */
export function hex(entries: readonly Uint8Array[]): string[] {
  return entries.map((entry) => entry.toHex());
}
