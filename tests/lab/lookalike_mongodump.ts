/**
 * A stand-in for mongodump, for machines without it: it writes a folder by that tool's rules, with the driver and Node's own libraries, and shares no
 * code with the product.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { EJSON } from "bson";
import type { Db, Document, MongoClient, Timestamp } from "mongodb";

/** What a dump has of a server. */
export interface LookalikeOptions {
  readonly databases: readonly string[];
  readonly gzip?: boolean;
  /** The entries of the oplog from this timestamp on go along. */
  readonly oplogFrom?: Timestamp;
}

/** Version that it gives itself in `prelude.json`. */
export const lookalikeVersion = "lookalike-100.12.0";

/** Writes the folder. */
export async function dumpLikeMongodump(
  client: MongoClient,
  out: string,
  options: LookalikeOptions,
): Promise<void> {
  const put = async (path: string, bytes: Uint8Array) => {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (options.gzip === true) await Deno.writeFile(`${path}.gz`, gzipSync(bytes));
    else await Deno.writeFile(path, bytes);
  };
  for (const name of options.databases) {
    const db = client.db(name);
    for (const entry of await raw(db, { listCollections: 1 })) {
      if (!entry["name"].startsWith("system.")) await dumpCollection(db, entry, `${out}/${name}`, put);
    }
  }
  if (options.oplogFrom !== undefined) {
    const entries = client.db("local").collection("oplog.rs").find({ ts: { $gte: options.oplogFrom } }, {
      raw: true,
    });
    await put(`${out}/oplog.bson`, Buffer.concat(await entries.toArray() as unknown as Uint8Array[]));
  }
  const { version } = await client.db("admin").command({ buildInfo: 1 });
  const prelude = JSON.stringify({ ServerVersion: version, ToolVersion: lookalikeVersion });
  await put(`${out}/prelude.json`, new TextEncoder().encode(prelude));
}

async function dumpCollection(
  db: Db,
  entry: Document,
  folder: string,
  put: (path: string, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const { name, type, options, info } = entry;
  const metadata = {
    ...(Object.keys(options).length > 0 ? { options } : {}),
    indexes: type === "view" ? [] : await raw(db, { listIndexes: name }),
    ...(info.uuid === undefined ? {} : { uuid: info.uuid.toString("hex").replaceAll("-", "") }),
    collectionName: name,
    type,
  };
  await put(
    `${folder}/${fileName(name)}.metadata.json`,
    new TextEncoder().encode(EJSON.stringify(metadata, { relaxed: false })),
  );
  if (type === "view") return;
  const data = type === "timeseries" ? `system.buckets.${name}` : name;
  const documents = await db.collection(data).find({}, { raw: true, hint: { $natural: 1 } }).toArray();
  await put(`${folder}/${fileName(data)}.bson`, Buffer.concat(documents as unknown as Uint8Array[]));
}

/** The documents of a command's cursor with their BSON types. */
async function raw(db: Db, command: Document): Promise<Document[]> {
  const { cursor } = await db.command({ ...command, cursor: { batchSize: 10_000 } }, {
    promoteValues: false,
    promoteLongs: false,
  });
  return cursor.firstBatch.map((one: Document) => ({
    ...one,
    ...(one["name"] === undefined ? {} : { name: String(one["name"]) }),
  }));
}

function fileName(collection: string): string {
  const escaped = encodeURIComponent(collection)
    .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
  if (escaped.length <= 238) return escaped;
  return `${escaped.slice(0, 208)}%24${createHash("sha1").update(collection).digest("base64url")}`;
}
