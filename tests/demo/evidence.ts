/**
 * What is there, told without the product: the servers' own hashes, and copies of the documents themselves.
 *
 * @module
 */

import { deserialize } from "bson";
import type { MongoClient, Timestamp } from "mongodb";
import { databases } from "./dataset.ts";

/** The server's own hashes of every collection, and the catalog's options and indexes. */
export async function fingerprint(client: MongoClient): Promise<string> {
  const hashes: unknown[] = [];
  for (const name of databases) hashes.push((await client.db(name).command({ dbHash: 1 })).collections);
  return JSON.stringify([hashes, await describeCatalog(client)]);
}

/** Every collection's options and indexes, and every view. */
export async function describeCatalog(client: MongoClient): Promise<string> {
  const all: unknown[] = [];
  for (const name of databases) {
    const db = client.db(name);
    const collections = await db.listCollections().toArray();
    for (const collection of collections.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      all.push(name, collection.name, "options" in collection ? collection.options : null);
      if (collection.type !== "view") all.push(await db.collection(collection.name).indexes());
    }
  }
  return JSON.stringify(all);
}

/** Every document as the base64 of its BSON, by collection. */
export type Copy = ReadonlyMap<string, ReadonlySet<string>>;

/** Copies all documents as they are now, or as they were at an instant of the last few minutes. */
export async function copyAll(client: MongoClient, at?: Timestamp): Promise<Copy> {
  const copy = new Map<string, Set<string>>();
  for (const name of databases) {
    const db = client.db(name);
    for (const collection of await db.listCollections().toArray()) {
      // Views hold no documents; their records in system.views are part of the catalog.
      if (collection.type === "view" || collection.name === "system.views") continue;
      const isCapped = "options" in collection && collection.options?.["capped"] === true;
      // Servers keep no past of capped collections; nobody writes to the demo's one.
      const past = at === undefined || isCapped
        ? {}
        : { readConcern: { level: "snapshot", atClusterTime: at } };
      const documents = db.runCursorCommand({ find: collection.name, ...past }, { raw: true }).setBatchSize(
        10_000,
      );
      const texts = new Set<string>();
      for await (const bytes of documents) texts.add((bytes as unknown as Uint8Array).toBase64());
      copy.set(`${name}.${collection.name}`, texts);
    }
  }
  return copy;
}

/** How many documents were compared, and a line for each that isn't the same, the first few of a collection at most. */
export function compare(found: Copy, wanted: Copy): { documents: number; differences: string[] } {
  const differences: string[] = [];
  let documents = 0;
  for (const name of new Set([...wanted.keys(), ...found.keys()])) {
    const [is, should] = [found.get(name) ?? new Set<string>(), wanted.get(name) ?? new Set<string>()];
    documents += should.size;
    for (const text of [...should.difference(is)].slice(0, 3)) {
      differences.push(`${name} lacks ${show(text)}`);
    }
    for (const text of [...is.difference(should)].slice(0, 3)) differences.push(`${name} has ${show(text)}`);
  }
  return { documents, differences };
}

function show(text: string): string {
  return JSON.stringify(deserialize(Uint8Array.fromBase64(text))).slice(0, 200);
}
