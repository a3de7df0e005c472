/**
 * A folder that mongodump wrote, read as a Full reads a server: it has neither counts nor hashes of its own, so that it is read once for a manifest,
 * and again for what a restore takes.
 *
 * @module
 */

import { blake3 } from "../../wasm/hasher.ts";
import { packBatch, type Segment } from "../../wasm/segment.ts";
import type { Manifest, ManifestCollection, ManifestSegment } from "../manifest/schema.ts";
import type { ObjectSink, RestoreObject } from "../objects.ts";
import { isUsersOrRoles } from "../oplog/scope.ts";
import type { Clock, Dump, DumpedCollection, JobLog } from "../ports.ts";
import type { Options } from "../options/table.ts";
import type { JobInfo } from "../protocol/message.ts";
import { acceptsOf, scopeOf } from "./backup_scope.ts";
import { sendManifest, toSeconds } from "./job_manifest.ts";
import { Lane } from "./lane.ts";
import { metadataPath, segmentPath } from "./object_path.ts";
import { OplogCapture, oplogSupply } from "./oplog_capture.ts";
import { SegmentSupply } from "./segment_supply.ts";
import { chunksOf, sendObject } from "./sending.ts";

/** What a dump's segments are cut at. */
const segmentBytes = 16 << 20;

/** It is taken as a whole, with users and roles where it has any: what of it is restored is for the plan to say. */
function wholeOf({ collections }: Dump) {
  const users = collections.some(({ namespace }) => isUsersOrRoles(namespace)) ? "yes" : "no";
  return { database: ["*"], include: [], exclude: [], users } as const;
}

/** A dump and under which names its objects go. */
export interface DumpReading {
  readonly dump: Dump;
  readonly resource: string;
  readonly job: JobInfo;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** What the first reading found. */
export interface DescribedDump {
  readonly manifest: Manifest;
  /** Its unsigned seal, as a job's catalog would hand it back. */
  readonly restoreObjects: readonly RestoreObject[];
}

/**
 * Reads all of a dump and describes it. Nothing of it goes anywhere.
 *
 * @throws PluginError `objectDamaged` for the first thing that is wrong
 */
export async function describeDump(reading: DumpReading, options: Options): Promise<DescribedDump> {
  const { dump, job, resource, clock, signal } = reading;
  const restoreObjects: RestoreObject[] = [];
  const sink: ObjectSink = {
    sendFile: () => Promise.resolve(),
    sendRestoreObject: (object) => {
      restoreObjects.push({ ...object, bytes: object.bytes.slice() });
      return Promise.resolve();
    },
  };
  const content = await readDump(reading, dump.collections, sink);
  const { manifest } = await sendManifest(
    {
      job,
      options: { ...options, ...wholeOf(dump) },
      resource,
      source: { deployment: describeServer(dump) },
      sink,
      signingKey: null,
      log: silence,
      clock,
      signal,
      program: { name: "mongodump", version: dump.toolVersion },
    },
    { level: "F", parent: null, authSchema: dump.authSchema, ...content },
    clock.now(),
  );
  return { manifest, restoreObjects };
}

/** Reads collections of a dump, then its oplog, and sends every object of them: the same ones each time, in the same order. */
export async function readDump(
  reading: DumpReading,
  collections: readonly DumpedCollection[],
  sink: ObjectSink,
): Promise<Pick<Manifest, "databases" | "oplog">> {
  const context = { ...reading, sink, timeSeconds: toSeconds(reading.clock.now()) };
  const databases = new Map<string, ManifestCollection[]>();
  {
    using supply = new SegmentSupply(1, segmentBytes);
    for (const one of collections) {
      const { database } = one.namespace;
      databases.set(database, [...databases.get(database) ?? [], await readCollection(context, one, supply)]);
    }
  }
  return {
    databases: [...databases].map(([name, collections]) => ({ name, collections })),
    oplog: await readOplog(context),
  };
}

type ReadingContext = DumpReading & { readonly sink: ObjectSink; readonly timeSeconds: number };

async function readCollection(
  context: ReadingContext,
  collection: DumpedCollection,
  supply: SegmentSupply,
): Promise<ManifestCollection> {
  const { namespace, kind, data, uuid, metadata } = collection;
  const text = new TextEncoder().encode(metadata);
  const path = metadataPath(context.resource, namespace);
  await sendObject(context, path, text.length, chunksOf(text));
  const segments = data === null ? [] : await readSegments(context, collection, supply);
  return {
    name: namespace.collection,
    kind,
    data,
    uuid,
    metadata,
    metadataObject: { path, size: text.length, blake3: blake3(text).toHex() },
    documents: segments.reduce((sum, { documents }) => sum + documents, 0),
    bytes: segments.reduce((sum, { size }) => sum + size, 0),
    segments,
  };
}

async function readSegments(
  context: ReadingContext,
  collection: DumpedCollection,
  supply: SegmentSupply,
): Promise<ManifestSegment[]> {
  const { dump, signal, resource } = context;
  const sent: ManifestSegment[] = [];
  const segment = await supply.acquire(signal);
  try {
    const send = async () => {
      const path = segmentPath(resource, collection.namespace, sent.length);
      sent.push(await sendSegment(context, path, segment));
      segment.clear();
    };
    for await (const batch of dump.readBatches(collection, signal)) {
      const cursor = { offsetBytes: 4, index: 0 };
      while (!packBatch(segment, batch, cursor)) await send();
    }
    if (segment.documents > 0) await send();
  } finally {
    supply.release(segment);
  }
  return sent;
}

async function sendSegment(
  context: ReadingContext,
  path: string,
  segment: Segment,
): Promise<ManifestSegment> {
  const { sizeBytes: size, documents } = segment;
  await sendObject(context, path, size, segment.chunks());
  return { path, size, documents, blake3: segment.digest().toHex() };
}

async function readOplog(context: ReadingContext): Promise<Manifest["oplog"]> {
  const { dump, job: { jobName }, resource, signal, timeSeconds, sink } = context;
  const { oplog } = dump;
  if (oplog === null) return null;
  using supply = oplogSupply(segmentBytes);
  using capture = new OplogCapture(
    {
      oplog,
      jobName,
      resource,
      signal,
      timeSeconds,
      supply,
      sink,
      lane: new Lane(),
      accepts: acceptsOf(scopeOf(wholeOf(dump))),
    },
    oplog.from,
    "of a Full",
  );
  await capture.readTo(await oplog.committed());
  return await capture.finish();
}

/** What the first reading would say of a job is nothing to the operator. */
const silence: JobLog = { info: () => {}, warning: () => {}, error: () => {} };

function describeServer({ path, serverVersion, oplog }: Dump): Manifest["deployment"] {
  return {
    kind: oplog === null ? "standalone" : "replicaSet",
    setName: null,
    setId: null,
    serverVersion,
    featureCompatibilityVersion: "",
    source: path,
    sourceState: "mongodump",
    chosenBy: "",
    members: [],
  };
}
