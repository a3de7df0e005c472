/**
 * What the tests of sources and targets share: a server with both, reading whole collections, and a restore of a database over itself.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { readCollectionMetadata } from "../../backend/bson/collection_metadata.ts";
import { elements } from "../../backend/bson/document.ts";
import { type ErrorCode, PluginError } from "../../backend/errors.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import type { Namespace } from "../../backend/namespace.ts";
import type { Collection, Source, Target } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";

/** All documents of a namespace in their order, each as the hexadecimal digits of its bytes. */
export async function readDocuments(source: Source, namespace: Namespace): Promise<string[]> {
  const documents: string[] = [];
  for await (const batch of source.readBatches(namespace, new AbortController().signal)) {
    for (const { value } of elements(batch)) documents.push(value.toHex());
  }
  return documents;
}

/** A server with a source and a target on it, for as long as a test. */
export async function openServer() {
  await using resources = new AsyncDisposableStack();
  const set = resources.use(await ReplicaSet.start({ members: 1 }));
  const client = resources.use(new MongoClient(set.uri));
  const source: Source = resources.use(await openSource(new Secret(set.uri)));
  const target: Target = resources.use(await openTarget(new Secret(set.uri)));
  const app = client.db("app");
  const kept = resources.move();
  return { set, app, source, target, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Documents one after another. */
export function bytesOf(documents: readonly string[]): Uint8Array {
  return Uint8Array.fromHex(documents.join(""));
}

/** Metadata without what a restore makes anew. */
export function withoutUuid({ metadata }: Collection): string {
  return metadata.replace(/"uuid":"[0-9a-f]*"/, "");
}

async function readDatabase(source: Source): Promise<{ collection: Collection; documents: string[] }[]> {
  const read = [];
  for (const collection of await source.listCollections("app")) {
    read.push({
      collection,
      documents: collection.data === null ? [] : await readDocuments(source, collection.data),
    });
  }
  return read;
}

async function restore(target: Target, collection: Collection, documents: readonly string[]): Promise<void> {
  await target.create(collection);
  if (documents.length > 0) await target.write(collection, bytesOf(documents));
  await target.finish(collection);
  await buildIndexes(target, collection);
}

/** Builds what a collection's metadata lists, on a server. */
export async function buildIndexes(target: Target, { namespace, metadata }: Collection): Promise<void> {
  const { indexes, isCollated } = readCollectionMetadata(metadata);
  if (indexes.length === 0 || target.oplog.kind === "directory") return;
  await target.oplog.replay.buildIndexes(namespace, indexes, isCollated);
}

/** Restores what the database holds over itself and holds the result against it. */
export async function assertRoundTrip(source: Source, target: Target): Promise<void> {
  const before = await readDatabase(source);
  await target.check(before.map(({ collection }) => collection));
  for (const { collection } of before) await target.drop(collection);
  assert.deepEqual(await target.findOccupied(before.map(({ collection }) => collection)), []);
  for (const { collection, documents } of before) await restore(target, collection, documents);
  const after = await readDatabase(source);
  assert.deepEqual(
    after.map(({ collection }) => withoutUuid(collection)),
    before.map(({ collection }) => withoutUuid(collection)),
  );
  for (const [at, { collection, documents }] of before.entries()) {
    const found = after[at]!.documents;
    assert.deepEqual(
      target.inOrder(collection) ? found : found.toSorted(),
      target.inOrder(collection) ? documents : documents.toSorted(),
    );
  }
}

/** Whether a failure is the plugin's own, with a code, a message and a hint. */
export function failsWith(code: ErrorCode, message: RegExp): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof PluginError, String(thrown));
    assert.equal(thrown.code, code, thrown.report);
    assert.match(thrown.message, message);
    assert.notEqual(thrown.hint, "");
    return true;
  };
}
