/**
 * Folders of signed jobs without a server: a Full and an Incremental of made-up bytes, as the command `backup` leaves them.
 *
 * @module
 */

import * as bson from "bson";
import { manifestPath, metadataPath, oplogPath, segmentPath } from "../../backend/job/object_path.ts";
import type { Manifest } from "../../backend/manifest/schema.ts";
import { seal, type SealedManifest, splitParts } from "../../backend/manifest/seal.ts";
import type { SigningKey } from "../../backend/manifest/signature.ts";
import { JobFolderWriter } from "../../backend/folder/job_folder.ts";
import { blake3 } from "../../wasm/hasher.ts";

const resource = "rs0";
/** Its escaped name is longer than a file's name may be. */
const longName = "ü".repeat(100);

interface Piece {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Writes the jobs `full` and `inc`, made at the instants given, into a folder. They join where `incrementFrom` is 100, the Full's end. */
export async function writeSignedJobs(
  folder: string,
  signer: SigningKey | null | { readonly full: SigningKey; readonly inc: SigningKey },
  createdAt: { readonly full: string; readonly inc: string },
  incrementFrom = 100,
): Promise<void> {
  const keys = signer !== null && "full" in signer ? signer : { full: signer, inc: signer };
  const end = { t: 100, i: 1, term: 1 };
  const empty = { source: "h:1", entries: 0, bytes: 0, cutTransactions: 0, namespaces: [], segments: [] };
  const collections = [collectionOf("orders", 2), collectionOf(longName, 1), collectionOf("empty", 0)];
  const full = await writeJob(folder, keys.full, {
    ...manifestOf("full", "F", createdAt.full),
    oplog: { ...empty, from: { t: 90, i: 1, term: 1 }, to: end },
    databases: [{ name: "app", collections: collections.map(({ listed }) => listed) }],
  }, collections.flatMap(({ pieces }) => pieces));
  const entries = bson.serialize({ op: "n" });
  const [first, last] = [{ t: 101, i: 1 }, { t: 101, i: 1 }];
  const path = oplogPath(resource, "inc", first, last);
  await writeJob(folder, keys.inc, {
    ...manifestOf("inc", "I", createdAt.inc),
    parent: { jobName: "full", blake3: full.digest },
    oplog: {
      ...empty,
      from: { ...end, t: incrementFrom },
      to: { t: 101, i: 1, term: 1 },
      entries: 1,
      bytes: entries.length,
      segments: [{ path, size: entries.length, entries: 1, blake3: digestOf(entries), first, last }],
    },
  }, [{ path, bytes: entries }]);
}

function collectionOf(name: string, segments: number) {
  const namespace = { database: "app", collection: name };
  const metadata = `{"options":{},"indexes":[{"name":"{\\"blake3\\":"}]}`;
  const metadataPiece = {
    path: metadataPath(resource, namespace),
    bytes: new TextEncoder().encode(metadata),
  };
  const pieces = Array.from({ length: segments }, (_, index): Piece => ({
    path: segmentPath(resource, namespace, index),
    bytes: bson.serialize({ name, index }),
  }));
  const listed: Manifest["databases"][number]["collections"][number] = {
    name,
    kind: "collection",
    data: namespace,
    uuid: null,
    metadata,
    metadataObject: listedOf(metadataPiece),
    documents: segments,
    bytes: pieces.reduce((sum, { bytes }) => sum + bytes.length, 0),
    segments: pieces.map((piece) => ({ ...listedOf(piece), documents: 1 })),
  };
  return { listed, pieces: [metadataPiece, ...pieces] };
}

function listedOf({ path, bytes }: Piece) {
  return { path, size: bytes.length, blake3: digestOf(bytes) };
}

function digestOf(bytes: Uint8Array): string {
  return blake3(bytes).toHex();
}

function manifestOf(name: string, level: "F" | "I", createdAt: string): Omit<Manifest, "oplog" | "totals"> {
  return {
    format: "podheitor-mongodb-manifest/1",
    createdAt,
    program: { name: "test", version: "1" },
    job: { id: 5, name, level, previousName: null, clientName: 'fd "1"' },
    resource,
    mode: "dump",
    scope: { databases: ["*"], include: [], exclude: [], users: false },
    authSchema: null,
    deployment: {
      kind: "replicaSet",
      setName: "rs0",
      setId: "0123456789abcdef01234567",
      serverVersion: "6.0.5",
      featureCompatibilityVersion: "6.0",
      source: "h:1",
      sourceState: "SECONDARY",
      chosenBy: "",
      members: [],
    },
    parent: null,
    databases: [],
  };
}

async function writeJob(
  folder: string,
  key: SigningKey | null,
  manifest: Omit<Manifest, "totals">,
  pieces: readonly Piece[],
): Promise<SealedManifest> {
  const collections = manifest.databases.flatMap((database) => database.collections);
  const totals = {
    databases: manifest.databases.length,
    collections: collections.length,
    documents: collections.reduce((sum, { documents }) => sum + documents, 0),
    bytes: collections.reduce((sum, { bytes }) => sum + bytes, 0),
    objects: pieces.length,
  };
  const { name } = manifest.job;
  const sealed = await seal({ ...manifest, totals }, key);
  const writer = await JobFolderWriter.create(folder, name);
  for (const { path, bytes } of [...pieces, { path: manifestPath(resource, name), bytes: sealed.bytes }]) {
    const times = { atime: 0, mtime: 0, ctime: 0 };
    const file = await writer.file({ name: path, size: bytes.length, mode: 0o600, ...times });
    await file.write(bytes);
    await file.end();
  }
  for (const { name: partName, index, bytes } of splitParts(sealed, name, resource)) {
    const header = {
      objectType: 25,
      index,
      name: partName,
      size: bytes.length,
      jobId: 0,
      command: "",
    } as const;
    const object = await writer.restoreObject(header);
    await object.write(bytes);
    await object.end();
  }
  await writer.commit();
  return sealed;
}
