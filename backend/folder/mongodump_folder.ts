/**
 * A folder that mongodump wrote, or that a restore with where= left, as the source of a restore. Nothing of it is signed.
 *
 * @module
 */

import { bsonType, findElement, joinElements, stringValue } from "../bson/document.ts";
import { formatExtendedJson } from "../bson/extended_json.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { PluginError } from "../errors.ts";
import {
  formatNamespace,
  isPlainDatabase,
  isSameNamespace,
  type Namespace,
  versionNamespace,
} from "../namespace.ts";
import { isUsersOrRoles, isUsersOwn } from "../oplog/scope.ts";
import type { CollectionKind, Dump, DumpedCollection, DumpedOplog } from "../ports.ts";
import { DatabaseFolder } from "./dump_database.ts";
import { damaged, type DumpFile, readBatches, readText } from "./dump_file.ts";
import { oplogFileName, preludeFileName } from "./dump_name.ts";
import { openDumpedOplog } from "./dump_oplog.ts";
import { type DatabaseUsersFile, databaseUsersOf, joinDatabaseUsers, readAuthSchema } from "./dump_users.ts";

const bucketPrefix = "system.buckets.";

/** Says whether a collection is wanted. */
type Accepts = (namespace: Namespace) => boolean;

/** A dump whose names and metadata were read; its documents were not. */
export class MongodumpFolder implements Dump {
  readonly path: string;
  readonly serverVersion: string;
  readonly toolVersion: string;
  readonly collections: readonly DumpedCollection[];
  readonly warnings: readonly string[];
  readonly oplog: DumpedOplog | null;
  readonly authSchema: number | null;
  readonly #data: ReadonlyMap<DumpedCollection, readonly DumpFile[]>;

  private constructor(
    parts: Omit<Dump, "readBatches">,
    data: ReadonlyMap<DumpedCollection, readonly DumpFile[]>,
  ) {
    this.path = parts.path;
    this.serverVersion = parts.serverVersion;
    this.toolVersion = parts.toolVersion;
    this.collections = parts.collections;
    this.warnings = parts.warnings;
    this.oplog = parts.oplog;
    this.authSchema = parts.authSchema;
    this.#data = data;
  }

  /** Whether a folder looks like one that mongodump wrote. */
  static async isOne(path: string): Promise<boolean> {
    const root = await DatabaseFolder.read(path);
    if (root.file(preludeFileName) !== null || root.file(oplogFileName) !== null) return true;
    for (const name of root.folders) {
      if ((await DatabaseFolder.read(`${path}/${name}`)).hasCollections) return true;
    }
    return root.hasCollections;
  }

  /**
   * Reads the names and the metadata of the collections that are wanted.
   *
   * @throws PluginError `objectDamaged` for a file that is damaged, or lacks its other half; `usage` for a folder that isn't a whole dump
   */
  static async open(path: string, accepts: Accepts): Promise<MongodumpFolder> {
    const root = await DatabaseFolder.read(path);
    if (root.hasCollections) throw notTheRoot(path);
    const data = new Map<DumpedCollection, readonly DumpFile[]>();
    const left = [...root.strangers];
    const databaseUsers: DatabaseUsersFile[] = [];
    for (const name of root.folders) {
      const folder = await DatabaseFolder.read(`${path}/${name}`);
      if (name === "config" || name === "local" || !folder.hasCollections) {
        left.push(`${name}/`);
        continue;
      }
      left.push(...folder.strangers.map((stranger) => `${name}/${stranger}`));
      left.push(...await readDatabase(name, folder, accepts, data, databaseUsers));
    }
    const prelude = await readPrelude(path, root);
    const oplog = root.file(oplogFileName);
    const versionFiles = [
      ...[...data].filter(([{ namespace }]) => isSameNamespace(namespace, versionNamespace)).flatMap((
        [, files],
      ) => files),
      ...databaseUsers.filter(({ collection }) => collection === versionNamespace.collection).map((
        { file },
      ) => file),
    ];
    // Where a dump has all users, or an oplog that may change any, those of one database are no more than a part of another instant.
    const hasAll = oplog !== null || [...data.keys()].some(({ namespace }) => isUsersOrRoles(namespace));
    if (hasAll) {
      left.push(...databaseUsers.map(({ database, collection }) => `${database}/$admin.${collection}`));
    } else for (const [collection, files] of joinDatabaseUsers(databaseUsers)) data.set(collection, files);
    return new MongodumpFolder({
      path,
      ...prelude,
      collections: [...data.keys()].sort(byName),
      warnings: left.length === 0 ? [] : [
        `Not restored of ${path}: ${
          left.sort().join(", ")
        } (users and roles where they aren't wanted, what is the server's own, and what mongodump doesn't write)`,
      ],
      oplog: oplog === null ? null : await openDumpedOplog(oplog),
      authSchema: await readAuthSchema(versionFiles),
    }, data);
  }

  readBatches(collection: DumpedCollection, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const files = this.#data.get(collection) ?? [];
    if (files.length === 0) {
      throw new PluginError(
        "internal",
        `Cannot read ${formatNamespace(collection.namespace)}: it has no documents`,
      );
    }
    return readEach(files, signal);
  }
}

async function* readEach(files: readonly DumpFile[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const file of files) yield* readBatches(file, signal);
}

/** Adds the collections of a database and where their documents are. Returns what is there and isn't restored. */
async function readDatabase(
  database: string,
  folder: DatabaseFolder,
  accepts: Accepts,
  data: Map<DumpedCollection, readonly DumpFile[]>,
  databaseUsers: DatabaseUsersFile[],
): Promise<string[]> {
  if (!isPlainDatabase(database)) {
    throw new PluginError("usage", `Cannot restore ${folder.path}: "${database}" is no name of a database`, {
      hint: "Give the folder that mongodump wrote: it has one sub-folder for each database.",
    });
  }
  const left: string[] = [];
  for (const { file, name, baseName } of folder.metadataFiles()) {
    const known = name ?? await nameOfCut(file, baseName, folder);
    const namespace = { database, collection: known };
    if (isServersOwn(namespace) && !(isUsersOwn(namespace) && accepts(namespace))) {
      left.push(`${database}/${known}`);
      await folder.takeData(known);
    } else if (!accepts(namespace)) {
      await folder.takeData(known);
      await folder.takeData(`${bucketPrefix}${known}`);
    } else {
      const collection = await readCollection(namespace, file);
      const documents = collection.data === null ? null : await folder.takeData(collection.data.collection);
      if (documents === null && collection.data !== null) throw await withoutData(collection, file, folder);
      data.set(collection, documents === null ? [] : [documents]);
    }
  }
  for (const { file, name } of folder.dataFiles()) {
    const collection = name ?? "";
    const usersFile = databaseUsersOf(database, collection, file);
    if (usersFile !== null && accepts({ database: "admin", collection: usersFile.collection })) {
      databaseUsers.push(usersFile);
      continue;
    }
    const owner = collection.startsWith(bucketPrefix) ? collection.slice(bucketPrefix.length) : collection;
    if (isServersOwn({ database, collection }) && owner === collection) {
      left.push(`${database}/${collection}`);
    } else if (name === null || accepts({ database, collection: owner })) {
      throw withoutMetadata(file, database, owner);
    }
  }
  return left;
}

/** Collections that no backup of users' data has; that of a time series' buckets comes with the time series. */
function isServersOwn({ database, collection }: Namespace): boolean {
  return collection.startsWith("$") ||
    (collection.startsWith("system.") && (collection !== "system.js" || database === "admin"));
}

/** The name of a collection whose file name was cut: its metadata has it, and makes the very same file name. */
async function nameOfCut(file: DumpFile, baseName: string, folder: DatabaseFolder): Promise<string> {
  const found = findElement(await readMetadata(file), "collectionName");
  const name = found?.type === bsonType.string ? stringValue(found.value) : null;
  if (name !== null && await folder.isNameOf(name, baseName)) return name;
  throw damaged(
    file,
    0,
    `collectionName is ${name === null ? "missing" : `"${name}"`}, which doesn't fit the file's name`,
  );
}

async function readMetadata(file: DumpFile): Promise<Uint8Array> {
  const text = await readText(file);
  try {
    return parseExtendedJson(text);
  } catch (cause) {
    throw damaged(file, 0, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

async function readCollection(namespace: Namespace, file: DumpFile): Promise<DumpedCollection> {
  const document = await readMetadata(file);
  const options = findElement(document, "options")?.value ?? joinElements([]);
  const kind: CollectionKind = findElement(options, "viewOn") !== undefined
    ? "view"
    : findElement(options, "timeseries") !== undefined
    ? "timeseries"
    : "collection";
  const uuid = findElement(document, "uuid");
  const text = uuid?.type === bsonType.string ? stringValue(uuid.value) : "";
  const buckets = { ...namespace, collection: `${bucketPrefix}${namespace.collection}` };
  return {
    namespace,
    kind,
    data: kind === "view" ? null : kind === "timeseries" ? buckets : namespace,
    metadata: formatExtendedJson(document),
    uuid: /^[0-9a-f]{32}$/.test(text) ? text : null,
  };
}

async function readPrelude(path: string, root: DatabaseFolder) {
  // A dump of one database has it in that database's folder.
  const folders = [
    root,
    ...await Promise.all(root.folders.map((name) => DatabaseFolder.read(`${path}/${name}`))),
  ];
  const file = folders.map((folder) => folder.file(preludeFileName)).find((found) => found !== null);
  const unknown = { serverVersion: "unknown", toolVersion: "unknown" };
  if (file === undefined) return unknown;
  let prelude: unknown;
  try {
    prelude = JSON.parse(await readText(file));
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    throw damaged(file, 0, "it is no JSON", cause);
  }
  const { ServerVersion, ToolVersion } = Object(prelude);
  return {
    serverVersion: typeof ServerVersion === "string" && ServerVersion !== ""
      ? ServerVersion
      : unknown.serverVersion,
    toolVersion: typeof ToolVersion === "string" && ToolVersion !== "" ? ToolVersion : unknown.toolVersion,
  };
}

function byName(a: DumpedCollection, b: DumpedCollection): number {
  return formatNamespace(a.namespace) < formatNamespace(b.namespace) ? -1 : 1;
}

async function withoutData(
  { namespace, data, kind }: DumpedCollection,
  file: DumpFile,
  folder: DatabaseFolder,
): Promise<PluginError> {
  const name = formatNamespace(namespace);
  if (kind === "timeseries" && await folder.takeData(namespace.collection) !== null) {
    return new PluginError(
      "unsupportedServer",
      `Cannot restore ${name}: it is a time series without a bucket collection of its own`,
      {
        hint:
          `The dump is of a server that keeps time series in a way that this version of the plugin doesn't know: restore it with mongorestore, or leave it out with exclude=${name}.`,
      },
    );
  }
  return new PluginError(
    "objectDamaged",
    `Cannot restore ${name}: ${file.path} is there, the file of ${formatNamespace(data!)}'s documents is not`,
    {
      hint:
        `mongodump writes one for empty collections too: take it from another copy, or leave the collection out with exclude=${name}.`,
    },
  );
}

function withoutMetadata(file: DumpFile, database: string, collection: string): PluginError {
  return new PluginError(
    "objectDamaged",
    `Cannot restore ${file.path}: no metadata file says what options and indexes its collection had`,
    {
      hint:
        `Take that file from another copy; if there were none, make it with {"indexes":[]} in it; or leave the collection out with exclude=${database}.${collection}.`,
    },
  );
}

function notTheRoot(path: string): PluginError {
  return new PluginError(
    "usage",
    `Cannot restore ${path}: it has collections' files in itself, as a database's folder in a dump has`,
    {
      hint: "Give the folder above it, and choose the database with include=.",
    },
  );
}
