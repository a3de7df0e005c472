/**
 * One collection, from its batches to objects on their way to Bacula.
 *
 * @module
 */

import { blake3 } from "../../wasm/hasher.ts";
import { packBatch, type Segment } from "../../wasm/segment.ts";
import { PluginError } from "../errors.ts";
import { framePayloadMaxBytes } from "../limits.ts";
import type { ManifestCollection, ManifestSegment } from "../manifest/schema.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { Collection, DataChunk, JobLog, ObjectSink, Source } from "../ports.ts";
import type { Lane } from "./lane.ts";
import { metadataPath, segmentPath } from "./object_path.ts";
import type { SegmentSupply } from "./segment_supply.ts";
import { formatCount } from "./wording.ts";

/** What all collections of a backup share. */
export interface DumpContext {
  readonly source: Source;
  readonly sink: ObjectSink;
  /** The sink takes one object at a time. */
  readonly lane: Lane;
  readonly supply: SegmentSupply;
  readonly resource: string;
  /** Takes counts that don't come out, to be settled when the oplog tells; null where there is no oplog. */
  readonly doubts: DoubtfulCount[] | null;
  /** Whether documents read are held against the server's own count. */
  readonly verify: boolean;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  /** Unix seconds that every object carries as its times. */
  readonly timeSeconds: number;
}

/**
 * Reads a collection and sends its metadata and segments. Resolves when the sink has taken all of them.
 *
 * @throws PluginError `incompleteRead` when the documents read can't be all that there are
 */
export async function dumpCollection(
  context: DumpContext,
  collection: Collection,
): Promise<ManifestCollection> {
  const { namespace, kind, data, uuid, metadata } = collection;
  const metadataObject = await sendMetadata(context, namespace, metadata);
  const segments = data === null ? [] : await dumpDocuments(context, namespace, data);
  return {
    name: namespace.collection,
    kind,
    data,
    uuid,
    metadata,
    metadataObject,
    documents: segments.reduce((sum, segment) => sum + segment.documents, 0),
    bytes: segments.reduce((sum, segment) => sum + segment.size, 0),
    segments,
  };
}

async function sendMetadata(context: DumpContext, namespace: Namespace, metadata: string) {
  const bytes = new TextEncoder().encode(metadata);
  const path = metadataPath(context.resource, namespace);
  await context.lane.run(() => sendObject(context, path, bytes.length, chunksOf(bytes)));
  return { path, size: bytes.length, blake3: blake3(bytes).toHex() };
}

async function dumpDocuments(
  context: DumpContext,
  namespace: Namespace,
  data: Namespace,
): Promise<ManifestSegment[]> {
  const { source, supply, signal, verify } = context;
  const expected = verify ? await source.countDocuments(data, false) : 0;
  const sent: Promise<ManifestSegment>[] = [];
  const send = (segment: Segment) => {
    const result = sendSegment(context, segmentPath(context.resource, namespace, sent.length), segment);
    // Whoever awaits `sent` sees the failure; until then it must not count as unhandled.
    result.catch(() => {});
    sent.push(result);
  };

  let segment: Segment | undefined;
  let documents = 0;
  try {
    for await (const batch of source.readBatches(data, signal)) {
      const cursor = { offsetBytes: 4, index: 0 };
      segment ??= await supply.acquire(signal);
      while (!pack(segment, batch, cursor, data)) {
        const full = segment;
        segment = undefined;
        send(full);
        segment = await supply.acquire(signal);
      }
      documents += cursor.index;
    }
    if (segment !== undefined && segment.documents > 0) {
      const last = segment;
      segment = undefined;
      send(last);
    }
  } finally {
    if (segment !== undefined) supply.release(segment);
    await Promise.allSettled(sent);
  }
  if (verify) await verifyCount(context, data, documents, expected);
  return await Promise.all(sent);
}

function pack(
  segment: Segment,
  batch: Uint8Array,
  cursor: { offsetBytes: number; index: number },
  data: Namespace,
) {
  try {
    return packBatch(segment, batch, cursor);
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : String(cause);
    throw new PluginError("serverReply", `Cannot split a batch of ${formatNamespace(data)}: ${fault}`, {
      hint: "The server or the network damaged a reply; check the source member's log and disks.",
      cause,
    });
  }
}

/** Sends a full segment and gives it back to the supply, whatever comes of it. */
async function sendSegment(context: DumpContext, path: string, segment: Segment): Promise<ManifestSegment> {
  try {
    const { sizeBytes, documents } = segment;
    const digest = segment.digest().toHex();
    await context.lane.run(() => sendObject(context, path, sizeBytes, segment.chunks()));
    return { path, size: sizeBytes, documents, blake3: digest };
  } finally {
    context.supply.release(segment);
  }
}

/** Sends bytes under a virtual name, with the backup's own times and owner-only mode. */
export async function sendObject(
  context: Pick<DumpContext, "sink" | "timeSeconds" | "signal">,
  name: string,
  size: number,
  body: Iterable<DataChunk>,
): Promise<void> {
  context.signal.throwIfAborted();
  const time = context.timeSeconds;
  await context.sink.sendFile({ name, size, mode: 0o600, atime: time, mtime: time, ctime: time }, body);
}

/** Bytes in pieces that fit a frame. */
export function* chunksOf(bytes: Uint8Array): Generator<DataChunk> {
  for (let at = 0; at < bytes.length; at += framePayloadMaxBytes) {
    yield { bytes: bytes.subarray(at, at + framePayloadMaxBytes) };
  }
}

/** A count that didn't come out, of a collection that may just have changed while it was read. */
export interface DoubtfulCount {
  readonly data: Namespace;
  readonly read: number;
}

/**
 * Holds the documents read against the server's count. Where an oplog tells whether the collection changed meanwhile, that decides, once it is known:
 * the two may differ for good reasons. Without one, only a count that stood still says something.
 */
async function verifyCount(
  context: DumpContext,
  data: Namespace,
  read: number,
  before: number,
): Promise<void> {
  const after = await context.source.countDocuments(data, false);
  if (read === after) return;
  if (context.doubts !== null) context.doubts.push({ data, read });
  else if (before === after) await settleCount(context, { data, read });
}

/**
 * Counts the index of a collection that did not change. The server's metadata may be wrong, after a crash.
 *
 * @throws PluginError `incompleteRead` when the documents read aren't all that there are
 */
export async function settleCount(
  { source, log }: Pick<DumpContext, "source" | "log">,
  { data, read }: DoubtfulCount,
): Promise<void> {
  const exact = await source.countDocuments(data, true);
  const name = formatNamespace(data);
  if (read !== exact) {
    throw new PluginError(
      "incompleteRead",
      `Cannot vouch for ${name}: read ${formatCount(read)} documents, but the server counts ${
        formatCount(exact)
      }`,
      { hint: `Run the job again; if it stays so, check the source member with db.collection.validate().` },
    );
  }
  log.warning(
    `${name}: the server's metadata counts otherwise, its index and this backup ${
      formatCount(exact)
    } documents; ` +
      "run validate() on the source member to mend its metadata",
  );
}
