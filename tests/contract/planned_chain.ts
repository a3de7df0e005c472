/**
 * A chain of three jobs as a plan sees it, and the files that a restore of it may select.
 *
 * @module
 */

import type { OpenedManifest } from "../../backend/manifest/reader.ts";
import type { Manifest } from "../../backend/manifest/schema.ts";
import { parseNamespace } from "../../backend/namespace.ts";
import { type PlanOptions, planRestore, type RestorePlan } from "../../backend/job/restore_plan.ts";

/** What every file's virtual name begins with. */
export const root = "/@mongodb/rs0";
const at = (t: number, i = 1) => ({ t, i, term: 1 });

/** A slice of the oplog, with times in seconds and namespaces as text. */
interface Slice {
  readonly from: number;
  readonly to: number;
  /** First and last seconds of its pieces. */
  readonly pieces: readonly (readonly [number, number])[];
  readonly touches: readonly string[];
}

/** The oplog of a job's manifest. */
export function sliceOf(job: string, { from, to, pieces, touches }: Slice): Manifest["oplog"] {
  const segments = pieces.map(([first, last]) => ({
    path: `${root}/oplog.${job}/${first}_${last}.bson`,
    size: 100,
    entries: 2,
    blake3: "0".repeat(64),
    first: { t: first, i: 1 },
    last: { t: last, i: 1 },
  }));
  const namespaces = touches.map((name) => ({ ...parseNamespace(name), entries: 1, bytes: 50 }));
  return {
    source: "h:1",
    from: at(from),
    to: at(to),
    entries: segments.length * 2,
    bytes: segments.length * 100,
    cutTransactions: 0,
    namespaces,
    segments,
  };
}

function collectionOf(name: string, kind: "collection" | "view", segments: number) {
  const object = { size: 10, blake3: "0".repeat(64) };
  const { database, collection } = parseNamespace(name);
  const path = `${root}/${database}/${collection}`;
  return {
    name: collection,
    kind,
    data: kind === "view" ? null : { database, collection },
    uuid: null,
    metadata: kind === "view" ? '{"options":{"viewOn":"a"},"indexes":[]}' : '{"options":{},"indexes":[]}',
    metadataObject: { ...object, path: `${path}.metadata.json` },
    documents: segments,
    bytes: segments * 10,
    segments: Array.from({ length: segments }, (_, index) => ({
      ...object,
      path: `${path}.bson${index === 0 ? "" : `.0000${index}`}`,
      documents: 1,
    })),
  };
}

/** A job as a plan looks at it; seals have tests of their own. Its level is the first letter of its name, a Full has collections. */
export function job(name: string, oplog: Manifest["oplog"], parent: OpenedManifest | null): OpenedManifest {
  const databases = [
    {
      name: "app",
      collections: [
        collectionOf("app.a", "collection", 2),
        collectionOf("app.b", "collection", 1),
        collectionOf("app.empty", "collection", 0),
        collectionOf("app.v", "view", 0),
      ],
    },
    { name: "other", collections: [collectionOf("other.c", "collection", 1)] },
  ];
  const manifest = {
    job: { name, level: name[0] },
    resource: "rs0",
    scope: { databases: ["*"], include: [], exclude: [], users: false },
    deployment: { setName: "rs0", setId: null },
    parent: parent && { jobName: parent.manifest.job.name, blake3: parent.digest },
    oplog,
    databases: parent === null ? databases : [],
    totals: { documents: parent === null ? 4 : 0 },
  } as unknown as Manifest;
  const digest = name.charCodeAt(0).toString(16).padEnd(64, name.slice(-1));
  return { manifest, digest, id: digest.slice(0, 16), keyId: null };
}

/** A Full and two Incrementals. */
export const full = job(
  "Full",
  sliceOf("Full", { from: 100, to: 110, pieces: [[101, 105], [106, 109]], touches: ["app.a"] }),
  null,
);
const one = job(
  "Inc1",
  sliceOf("Inc1", { from: 110, to: 120, pieces: [[112, 119]], touches: ["app.b", "other.new"] }),
  full,
);
export const two = job(
  "Inc2",
  sliceOf("Inc2", { from: 120, to: 130, pieces: [[121, 124], [125, 130]], touches: ["app.a"] }),
  one,
);
const chain = [full, one, two];
/** A Full without an oplog. */
export const standalone = job("Full", null, null);

/** Names of files, below the root. */
export const dataFiles = [
  "app/a.metadata.json",
  "app/a.bson",
  "app/a.bson.00001",
  "app/b.metadata.json",
  "app/b.bson",
  "app/empty.metadata.json",
  "app/v.metadata.json",
  "other/c.metadata.json",
  "other/c.bson",
];
export const oplogFiles = [
  "oplog.Full/101_105.bson",
  "oplog.Full/106_109.bson",
  "oplog.Inc1/112_119.bson",
  "oplog.Inc2/121_124.bson",
  "oplog.Inc2/125_130.bson",
];
const manifestFiles = ["manifest.Full.json", "manifest.Inc1.json", "manifest.Inc2.json"];
export const everything = [...dataFiles, ...oplogFiles, ...manifestFiles];

/** Options of a restore, and what is selected, names below the root. */
export interface Request extends Partial<PlanOptions> {
  readonly jobs?: readonly OpenedManifest[];
  readonly selected?: readonly string[];
  readonly into?: "server" | "directory";
}

/** The plan of a restore, of all there is unless the request says otherwise. */
export function plan(
  { jobs = chain, selected = everything, into = "server", ...options }: Request,
): RestorePlan {
  const names = new Set(selected.map((name) => `${root}/${name}`));
  const all = {
    pit: null,
    include: [],
    exclude: [],
    ns_from: [],
    ns_to: [],
    users: "auto" as const,
    ...options,
  };
  const dayOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
  return planRestore(jobs, names, all, dayOf, into);
}
