/**
 * The floor under every restore: sends the documents of a backup's folder as they are, in the same large document sequences, without looking at
 * them, several commands at a time. Its arguments are a connection string, the folder, how many commands are under way at once, and the write
 * concern; it prints how many bytes went.
 *
 * @module
 */

import { DocumentSequence } from "mongodb/lib/cmap/commands.js";
import { groupDocuments } from "../../backend/bson/document.ts";
import { insertMaxBytes, insertMaxDocuments } from "../../backend/limits.ts";
import { openForWriting } from "../../backend/mongo/topology.ts";
import { Secret } from "../../backend/secret.ts";

/** A file of a backup: one segment of a collection. */
interface Segment {
  readonly database: string;
  readonly collection: string;
  readonly path: string;
}

async function* findSegments(folder: string): AsyncGenerator<Segment> {
  for (const { name: database, isDirectory } of await Array.fromAsync(Deno.readDir(folder))) {
    if (!isDirectory || database.startsWith("oplog.")) continue;
    const names = (await Array.fromAsync(Deno.readDir(`${folder}/${database}`))).map(({ name }) => name);
    for (const name of names.sort()) {
      const collection = /^(.*)\.bson(\.\d+)?$/.exec(name)?.[1];
      if (collection !== undefined) yield { database, collection, path: `${folder}/${database}/${name}` };
    }
  }
}

const [uri = "", folder = "", atOnce = "4", w = "majority"] = Deno.args;
const writeConcern = { w: /^\d+$/.test(w) ? Number(w) : w };
const { client } = await openForWriting(new Secret(uri));
const queue = await Array.fromAsync(findSegments(folder));
for (const database of new Set(queue.map(({ database }) => database))) {
  await client.db(database).dropDatabase();
}
let bytes = 0;
await Promise.all(Array.from({ length: Number(atOnce) }, async () => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { database, collection, path } = next;
    for (const group of groupDocuments(await Deno.readFile(path), insertMaxBytes, insertMaxDocuments)) {
      const documents = new DocumentSequence("documents");
      documents.push({}, Buffer.from(group.bytes.buffer, group.bytes.byteOffset, group.bytes.length));
      const insert = { insert: collection, documents, ordered: false, writeConcern };
      const { n } = await client.db(database).command(insert);
      if (n !== group.documents) throw new Error(`${collection}: ${n} of ${group.documents} documents`);
      bytes += group.bytes.length;
    }
  }
}));
console.log(bytes);
await client.close();
