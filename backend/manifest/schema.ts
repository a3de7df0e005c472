/**
 * What a manifest holds. FORMAT.md explains it; this is the law.
 *
 * @module
 */

import * as z from "zod";
import { compareTimestamps, type Timestamp } from "../timestamp.ts";
import { scopeSchema } from "./scope.ts";

/** Format and version in one word. */
const manifestFormat = "podheitor-mongodb-manifest/1";

const count = z.int().nonnegative();
const uint32 = z.int().min(0).max(0xffff_ffff);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().min(1).max(4096);
const path = z.string().max(8192).regex(/^\/@mongodb\/[^\0]+$/).refine(
  (text) => !text.split("/").includes(".."),
  "a path with ..",
);
const namespace = z.strictObject({ database: name, collection: name });
const oplogPosition = z.strictObject({ t: uint32, i: uint32, term: z.int() });

const segment = z.strictObject({ path, size: count.min(5), documents: count.min(1), blake3: digest });

const timestamp = z.strictObject({ t: uint32, i: uint32 });

/** Oplog entries one after another; `first` and `last` are the timestamps of those at its ends. */
const oplogSegment = z.strictObject({
  path,
  size: count.min(5),
  entries: count.min(1),
  blake3: digest,
  first: timestamp,
  last: timestamp,
});

/** What a job has of the oplog: every entry of its scope after `from`, up to and including `to`. */
const oplogSlice = z.strictObject({
  /** Member whose oplog was read. */
  source: name,
  from: oplogPosition,
  to: oplogPosition,
  entries: count,
  bytes: count,
  /** Transactions of which only the part in the job's databases was kept. */
  cutTransactions: count,
  /** Entries and their bytes by what they touch; an entry that touches several counts in each. Sorted. */
  namespaces: z.array(
    z.strictObject({ database: name, collection: z.string().max(4096), entries: count, bytes: count }),
  ),
  segments: z.array(oplogSegment),
});

const collection = z.strictObject({
  name,
  kind: z.enum(["collection", "timeseries", "view"]),
  data: namespace.nullable(),
  uuid: z.string().regex(/^[0-9a-f]{32}$/).nullable(),
  metadata: z.string(),
  metadataObject: z.strictObject({ path, size: count, blake3: digest }),
  documents: count,
  bytes: count,
  segments: z.array(segment),
  /** Objects that were sent before a cursor was lost, and are no data: what they held was read anew. */
  abandoned: z.array(path).min(1).optional(),
});

const member = z.strictObject({
  host: name,
  state: z.string(),
  healthy: z.boolean(),
  hidden: z.boolean(),
  lagSeconds: count.nullable(),
  /** Of the choice among members; null for one that couldn't be read. Manifests of older versions have neither score nor reason. */
  score: count.nullable().default(null),
  reason: z.string().default(""),
});

/** The manifest itself, without its seal. */
export const manifestSchema = z.strictObject({
  format: z.literal(manifestFormat),
  createdAt: z.iso.datetime({ precision: 3 }),
  program: z.strictObject({ name, version: name }),
  job: z.strictObject({
    id: count,
    name,
    level: z.enum(["F", "I", "D"]),
    previousName: name.nullable(),
    clientName: z.string(),
  }),
  resource: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/),
  mode: z.literal("dump"),
  scope: scopeSchema,
  /** Version of the form of users' records on the source; null where none were read or it has none. */
  authSchema: z.int().nullable().default(null),
  deployment: z.strictObject({
    kind: z.enum(["replicaSet", "standalone"]),
    setName: name.nullable(),
    setId: z.string().regex(/^[0-9a-f]{24}$/).nullable(),
    serverVersion: name,
    featureCompatibilityVersion: z.string(),
    source: name,
    sourceState: name,
    chosenBy: z.string().default(""),
    members: z.array(member),
  }),
  /** Null for a Full, and for it alone. */
  parent: z.strictObject({ jobName: name, blake3: digest }).nullable(),
  /** Null where the server has no oplog. */
  oplog: oplogSlice.nullable(),
  databases: z.array(z.strictObject({ name, collections: z.array(collection) })),
  totals: z.strictObject({
    databases: count,
    collections: count,
    documents: count,
    bytes: count,
    objects: count,
  }),
});

/** A manifest with its seal, as it is stored. */
export const sealedSchema = z.strictObject({
  blake3: digest,
  keyId: z.string().regex(/^[0-9a-f]{16}$/).nullable(),
  manifest: z.unknown(),
  // 64 bytes leave four bits of the last digit unused: they are 0, so that there is one text for a signature.
  signature: z.string().regex(/^[A-Za-z0-9+/]{85}[AQgw]==$/).nullable(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestCollection = z.infer<typeof collection>;
export type ManifestSegment = z.infer<typeof segment>;
export type ManifestOplog = z.infer<typeof oplogSlice>;
export type ManifestOplogSegment = z.infer<typeof oplogSegment>;

/** A virtual file as the manifest lists it. `documents` is null for metadata, the number of entries for a piece of the oplog. */
export interface ManifestObject {
  readonly path: string;
  readonly kind: "segment" | "metadata" | "oplog";
  readonly size: number;
  readonly documents: number | null;
  readonly blake3: string;
}

/** Every object of a manifest, in the order in which it was sent. */
export function* manifestObjects(manifest: Manifest): Generator<ManifestObject> {
  for (const { collections } of manifest.databases) {
    for (const { metadataObject, segments } of collections) {
      yield { ...metadataObject, kind: "metadata", documents: null };
      for (const one of segments) yield { ...one, kind: "segment" };
    }
  }
  for (const { entries, ...one } of manifest.oplog?.segments ?? []) {
    yield { ...one, kind: "oplog", documents: entries };
  }
}

/** Objects that were sent and are no data. */
export function* abandonedObjects({ databases }: Manifest): Generator<string> {
  for (const { collections } of databases) {
    for (const { abandoned } of collections) yield* abandoned ?? [];
  }
}

/** What contradicts itself within a manifest, one sentence each; empty for a sound one. */
export function findContradictions(manifest: Manifest): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  const abandoned: string[] = [];
  const root = `/@mongodb/${manifest.resource}/`;
  const sums = { databases: manifest.databases.length, collections: 0, documents: 0, bytes: 0, objects: 0 };
  for (const { path } of manifestObjects(manifest)) {
    if (!path.startsWith(root)) faults.push(`${path} is not below ${root}`);
    if (seen.has(path)) faults.push(`${path} is listed twice`);
    seen.add(path);
    sums.objects++;
  }
  for (const database of manifest.databases) {
    for (const one of database.collections) {
      sums.collections++;
      sums.documents += one.documents;
      sums.bytes += one.bytes;
      const documents = one.segments.reduce((sum, segment) => sum + segment.documents, 0);
      const bytes = one.segments.reduce((sum, segment) => sum + segment.size, 0);
      if (documents !== one.documents || bytes !== one.bytes) {
        faults.push(`${database.name}.${one.name} is not the sum of its segments`);
      }
      for (const path of one.abandoned ?? []) {
        if (!path.startsWith(root)) faults.push(`${path} is not below ${root}`);
        abandoned.push(path);
      }
      if ((one.kind === "view") !== (one.data === null)) {
        faults.push(`${database.name}.${one.name} is a ${one.kind} and its data disagrees`);
      }
    }
  }
  for (const path of abandoned) {
    if (seen.has(path)) faults.push(`${path} is both listed and abandoned, or abandoned twice`);
    seen.add(path);
  }
  if ((manifest.job.level === "F") !== (manifest.parent === null)) {
    faults.push(
      `a job of level ${manifest.job.level} ${manifest.parent === null ? "has no parent" : "has a parent"}`,
    );
  }
  if (manifest.oplog !== null) faults.push(...findSliceFaults(manifest.oplog));
  else if (manifest.job.level !== "F") faults.push(`a job of level ${manifest.job.level} has no oplog`);
  for (const [name, sum] of Object.entries(sums)) {
    const total = manifest.totals[name as keyof typeof sums];
    if (total !== sum) faults.push(`the total of ${name} is ${total}, its parts make ${sum}`);
  }
  return faults;
}

function findSliceFaults({ from, to, entries, bytes, segments }: ManifestOplog): string[] {
  const faults: string[] = [];
  if (compareTimestamps(from, to) > 0) faults.push("the oplog's end is before its start");
  if (segments.reduce((sum, one) => sum + one.entries, 0) !== entries) {
    faults.push("the oplog's entries are not the sum of its segments");
  }
  if (segments.reduce((sum, one) => sum + one.size, 0) !== bytes) {
    faults.push("the oplog's bytes are not the sum of its segments");
  }
  let last: Timestamp = from;
  for (const segment of segments) {
    if (
      compareTimestamps(segment.first, last) <= 0 || compareTimestamps(segment.last, segment.first) < 0 ||
      compareTimestamps(segment.last, to) > 0
    ) {
      faults.push(`${segment.path} is out of its place in the oplog`);
    }
    last = segment.last;
  }
  return faults;
}
