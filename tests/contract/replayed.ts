/**
 * A source and a target server, slices of the one replayed into the other, and what the two hold.
 *
 * @module
 */

import { type Document, MongoClient } from "mongodb";
import { readCollectionMetadata } from "../../backend/bson/collection_metadata.ts";
import { acceptsOf } from "../../backend/job/backup_scope.ts";
import { Lane } from "../../backend/job/lane.ts";
import { OplogCapture } from "../../backend/job/oplog_capture.ts";
import { awaitCommitted } from "../../backend/job/oplog_source.ts";
import { Replay, type ReplayReport } from "../../backend/job/replay.ts";
import { ReplayedCatalog } from "../../backend/job/replayed_catalog.ts";
import { SegmentSupply } from "../../backend/job/segment_supply.ts";
import type { Selection } from "../../backend/job/selection.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import type { Collection, Oplog, ReplayTarget } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { lastIncrement, type OplogPosition, type Timestamp } from "../../backend/timestamp.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { testScope } from "./capture.ts";
import { MemorySink } from "./memory.ts";
import { MemorySpool } from "./memory_target.ts";
import { databases } from "./workload.ts";

/** How a slice is replayed. */
export interface ReplayOptions {
  /** Operations of one applyOps; the product's own number without it. */
  readonly operationsMax?: number;
  readonly limit?: Timestamp;
  readonly fuzzyUntil?: Timestamp;
  /** What the target already has. */
  readonly given?: readonly Collection[];
  /** What is replayed, and under which names; all of it under its own without it. */
  readonly selection?: Selection;
}

const everything: Selection = { accepts: () => true, map: (namespace) => namespace, keepsNames: true };
const never = new AbortController().signal;

const options = { members: 1, extraArgs: ["--setParameter", "ttlMonitorEnabled=false"] };

/** A server that takes a replay, for as long as a test. */
export async function openReplayTarget() {
  await using resources = new AsyncDisposableStack();
  const set = resources.use(await ReplicaSet.start(options));
  const target = resources.use(new MongoClient(set.uri));
  const { oplog } = resources.use(await openTarget(new Secret(set.uri)));
  if (oplog.kind !== "server") throw new Error("a server that takes no replay");
  const kept = resources.move();
  return { set, target, replay: oplog.replay, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A server to read and one to replay into, for as long as a test. */
export async function openServers() {
  await using resources = new AsyncDisposableStack();
  const [set, taking] = await Promise.all([ReplicaSet.start(options), openReplayTarget()]);
  resources.use(set);
  resources.use(taking);
  const source = resources.use(new MongoClient(set.uri));
  const { oplog } = resources.use(await openSource(new Secret(set.uri)));
  if (oplog === null) throw new Error("a server without an oplog");
  const { target, replay } = taking;
  const kept = resources.move();
  return {
    source,
    target,
    sourceUri: set.uri,
    targetUri: taking.set.uri,
    oplog,
    replay,
    version: set.binary.version,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The end of the oplog, with everything that was written before it committed. */
export async function endOf(oplog: Oplog): Promise<OplogPosition> {
  return await awaitCommitted(oplog, never);
}

/** Everything that was written behind a position, in pieces. */
export async function captureSince(
  oplog: Oplog,
  from: OplogPosition,
  segmentBytes = 200_000,
): Promise<Uint8Array[]> {
  const sink = new MemorySink();
  using supply = new SegmentSupply(2, segmentBytes);
  using capture = new OplogCapture(
    {
      sink,
      lane: new Lane(),
      supply,
      resource: "r0",
      signal: never,
      timeSeconds: 0,
      oplog,
      jobName: "job",
      accepts: acceptsOf(testScope()),
    },
    from,
    "of an increment",
  );
  await capture.readTo(await endOf(oplog));
  await capture.finish();
  return [...sink.files.values()].map(({ bytes }) => bytes);
}

/** Replays segments into a server and builds the indexes. */
export async function replayInto(
  target: ReplayTarget,
  segments: readonly Uint8Array[],
  { operationsMax, limit, fuzzyUntil, given = [], selection = everything }: ReplayOptions = {},
): Promise<ReplayReport> {
  const catalog = new ReplayedCatalog(selection, new Set(databases));
  for (const { namespace, kind, metadata } of given) {
    if (kind === "view") catalog.addView(namespace);
    else catalog.add(namespace, kind === "timeseries", readCollectionMetadata(metadata));
  }
  const context = {
    target,
    catalog,
    spool: new MemorySpool(),
    limit: limit ?? { t: lastIncrement, i: lastIncrement },
    fuzzyUntil: fuzzyUntil ?? { t: 0, i: 0 },
    signal: never,
  };
  using replay = operationsMax === undefined ? new Replay(context) : new Replay(context, operationsMax);
  for (const segment of segments) await replay.apply(segment);
  const report = await replay.finish();
  for (const { namespace, indexes, isCollated } of catalog.indexes.entries()) {
    await target.buildIndexes(namespace, indexes, isCollated);
  }
  return report;
}

/** Where a database has its views, which are looked at by themselves: it may stay there when the last one is gone. */
const views = "system.views";

/** Hash of every database, with every collection's options and indexes. */
export async function readState(client: MongoClient, databases: readonly string[]): Promise<Document> {
  const state: Document = {};
  for (const name of databases) {
    const db = client.db(name);
    const { collections: { [views]: _, ...collections } } = await db.command({ dbHash: 1 });
    const listed = (await db.listCollections().toArray()).filter((one) => one.name !== views);
    const indexes: Document = {};
    for (const one of listed) {
      if (one.type === "view") continue;
      const found = await db.collection(one.name).indexes();
      indexes[one.name] = found.sort((a, b) => (a.name! < b.name! ? -1 : 1));
    }
    const described = listed.map(({ info: _, idIndex: __, ...one }: Document) => one);
    state[name] = {
      collections,
      listed: described.sort((a, b) => (a["name"] < b["name"] ? -1 : 1)),
      indexes,
    };
  }
  return state;
}

/** Removes databases from a server. */
export async function dropAll(client: MongoClient, databases: readonly string[]): Promise<void> {
  for (const name of databases) await client.db(name).dropDatabase();
}
