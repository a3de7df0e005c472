/**
 * What there is on a server, as raw as the server says it.
 *
 * @module
 */

import type { Db, MongoClient } from "mongodb";
import { indexName } from "../bson/collection_metadata.ts";
import { bsonType, findElement, joinElements, stringElement, stringValue } from "../bson/document.ts";
import { formatExtendedJson } from "../bson/extended_json.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, gatheringNamespaces, type Namespace } from "../namespace.ts";
import { forEachAtOnce } from "../parallel.ts";
import type { Collection, CollectionKind } from "../ports.ts";
import { driverError, isNamespaceNotFound, unknownReply } from "./driver_error.ts";
import { rawDocuments } from "./raw_cursor.ts";

/** Collections of one database that are asked about at the same time: more would only wait for each other on the server. */
const questionsAtOnce = 8;

/** Databases that belong to a server and not to its users. */
const serverDatabases: ReadonlySet<string> = new Set(["config", "local"]);

/** Names of the databases that hold users' data, sorted. */
export async function listDatabases(client: MongoClient): Promise<string[]> {
  try {
    const reply = await client.db("admin").command({
      listDatabases: 1,
      nameOnly: true,
      authorizedDatabases: false,
    });
    const listed: unknown[] = reply["databases"].map(({ name }: { name: unknown }) => name);
    const names = listed.filter((name) => typeof name === "string");
    if (names.length !== listed.length) throw unknownReply("list the databases");
    const held: string[] = [];
    for (const name of names.filter((name) => !serverDatabases.has(name)).sort()) {
      if (
        name !== "admin" || (await listEntries(client.db(name))).some((entry) => kindOf(name, entry) !== null)
      ) held.push(name);
    }
    return held;
  } catch (cause) {
    throw driverError("list the databases", cause);
  }
}

/**
 * Every collection of a database that holds users' data, sorted by name. Left out are what the server makes by itself (`system.profile`, `system.views`, buckets
 * as such) and `admin.system.*`; `system.js` is users' data.
 */
export async function listCollections(db: Db): Promise<Collection[]> {
  try {
    const entries = await listEntries(db);
    refuseLoneBuckets(db.databaseName, entries);
    const byName = nameEntries(entries);
    const collections: Collection[] = [];
    await forEachAtOnce(entries, questionsAtOnce, async (entry) => {
      const kind = kindOf(db.databaseName, entry);
      if (kind !== null) collections.push(await describeCollection(db, entry, kind, byName));
    });
    return collections.sort((a, b) => (a.namespace.collection < b.namespace.collection ? -1 : 1));
  } catch (cause) {
    throw driverError(`list the collections of ${db.databaseName}`, cause);
  }
}

/** Those of some collections that a database has, whatever they hold, sorted by name. */
export async function describeNamed(db: Db, wanted: readonly Namespace[]): Promise<Collection[]> {
  const entries = await listEntries(db);
  const names = new Set(wanted.map(({ collection }) => collection));
  const present = entries.filter(({ name }) => names.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const byName = nameEntries(entries);
  return await Promise.all(present.map((entry) => describeCollection(db, entry, "collection", byName)));
}

/** An entry of listCollections. */
interface Entry {
  readonly name: string;
  readonly type: string;
  readonly options: Uint8Array;
  readonly uuid: string | null;
}

/** What a restore that was killed may have left. */
const gathering: ReadonlySet<string> = new Set(
  Object.values(gatheringNamespaces).map(({ collection }) => collection),
);

const emptyDocument = joinElements([]);

async function listEntries(db: Db): Promise<Entry[]> {
  const documents = await rawDocuments(db, { listCollections: 1, cursor: {} });
  return documents.map((document) => {
    const info = findElement(document, "info")?.value ?? emptyDocument;
    const [name, type] = ["name", "type"].map((key) => findElement(document, key));
    const options = findElement(document, "options");
    // What a collection is must not be guessed of a value that is something else.
    if (
      name?.type !== bsonType.string || (type !== undefined && type.type !== bsonType.string) ||
      (options !== undefined && options.type !== bsonType.document)
    ) throw unknownReply(`list the collections of ${db.databaseName}`);
    return {
      name: stringValue(name.value),
      type: type === undefined ? "collection" : stringValue(type.value),
      options: options?.value ?? emptyDocument,
      // A binary's length and subtype come first.
      uuid: findElement(info, "uuid")?.value.subarray(5).toHex() ?? null,
    };
  });
}

function nameEntries(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [entry.name, entry]));
}

const bucketPrefix = "system.buckets.";

/** Buckets whose time series is gone hold documents that no collection of the catalog leads to. */
function refuseLoneBuckets(database: string, entries: readonly Entry[]): void {
  const series = new Set(
    entries.filter(({ type }) => type === "timeseries").map(({ name }) => `${bucketPrefix}${name}`),
  );
  const lone = entries.find(({ name }) => name.startsWith(bucketPrefix) && !series.has(name));
  if (lone === undefined) return;
  throw new PluginError(
    "unsupportedServer",
    `Cannot back up ${database}.${lone.name}: the time series that these buckets belong to is gone`,
    {
      hint: "Make the time series again with its old options, or drop the buckets.",
    },
  );
}

/** What an entry is to a backup; null for what isn't backed up. */
function kindOf(database: string, { name, type }: Entry): CollectionKind | null {
  if (name.startsWith("system.") && (name !== "system.js" || database === "admin")) return null;
  if (database === "admin" && gathering.has(name)) return null;
  if (type === "collection" || type === "timeseries" || type === "view") return type;
  throw new PluginError(
    "unsupportedServer",
    `Cannot back up ${database}.${name}: it is of the unknown type "${type}"`,
    {
      hint:
        "This version of the plugin doesn't know that kind of collection: leave the database out with database=, or update the plugin.",
    },
  );
}

async function describeCollection(
  db: Db,
  entry: Entry,
  kind: CollectionKind,
  entries: ReadonlyMap<string, Entry>,
): Promise<Collection> {
  const namespace = { database: db.databaseName, collection: entry.name };
  const data = dataOf(namespace, kind, entries);
  // The server gives the UUID of a time series with its buckets only.
  const uuid = (data === null ? undefined : entries.get(data.collection))?.uuid ?? null;
  const listed = kind === "view" ? [] : await listIndexes(db, entry.name);
  // One that is still being built may never be: the oplog says so if it is.
  const indexes = listed.filter((index) => !isUnfinished(index));
  const metadata = joinElements([
    { key: "options", type: bsonType.document, value: entry.options },
    {
      key: "indexes",
      type: bsonType.array,
      value: joinElements(indexes.map((value, at) => ({ key: String(at), type: bsonType.document, value }))),
    },
    stringElement("uuid", uuid ?? ""),
    stringElement("collectionName", entry.name),
    stringElement("type", kind),
  ]);
  return {
    namespace,
    kind,
    data,
    uuid,
    sizeHintBytes: data === null ? 0 : await sizeOf(db, data),
    unfinishedIndexes: listed.filter(isUnfinished).map((index) =>
      indexName(findElement(index, "spec")?.value ?? index)
    ),
    metadata: expressible(namespace, metadata),
  };
}

/** Where the documents are: a time series keeps them in a bucket collection beside it, where the server still makes one. */
function dataOf(
  namespace: Collection["namespace"],
  kind: CollectionKind,
  entries: ReadonlyMap<string, Entry>,
): Collection["namespace"] | null {
  if (kind === "view") return null;
  if (kind === "collection") return namespace;
  const buckets = `${bucketPrefix}${namespace.collection}`;
  if (!entries.has(buckets)) {
    throw new PluginError(
      "unsupportedServer",
      `Cannot back up ${
        formatNamespace(namespace)
      }: it is a time series without a bucket collection of its own`,
      {
        hint:
          "This server keeps time series in a way that this version of the plugin doesn't know: leave the database out with database=, or update the plugin.",
      },
    );
  }
  return { database: namespace.database, collection: buckets };
}

async function listIndexes(db: Db, collection: string): Promise<Uint8Array[]> {
  try {
    return await rawDocuments(db, { listIndexes: collection, cursor: {}, includeBuildUUIDs: true });
  } catch (cause) {
    if (isNamespaceNotFound(cause)) return [];
    throw cause;
  }
}

function isUnfinished(index: Uint8Array): boolean {
  return findElement(index, "buildUUID") !== undefined;
}

/** As the server's metadata counts them: unlike `collStats`, it neither gathers statistics of the storage engine nor asks for more than the privilege to read. */
async function sizeOf(db: Db, data: Namespace): Promise<number> {
  // Only for the order of work and for estimates: what can't be had doesn't keep a backup from being made.
  return await db.command({ dataSize: formatNamespace(data), estimate: true }).then(
    (stats) => Number(stats["size"] ?? 0),
    () => 0,
  );
}

function expressible(namespace: Collection["namespace"], metadata: Uint8Array): string {
  try {
    return formatExtendedJson(metadata);
  } catch (cause) {
    throw new PluginError(
      "serverReply",
      `Cannot write down the options of ${formatNamespace(namespace)}: ${
        cause instanceof Error ? cause.message : cause
      }`,
      {
        hint:
          "Its options or indexes hold something that mongodump's metadata format can't express; leave the database out or change them.",
        cause,
      },
    );
  }
}
