/**
 * Users and roles in a folder that mongodump wrote. A dump of the whole server has them in `admin`, as any collection; one of a database has that
 * database's in its own folder, as `$admin.system.users.bson`, without metadata.
 *
 * @module
 */

import { bsonType, elements, findElement, stringValue } from "../bson/document.ts";
import { isUsersOrRoles, isUsersOwn } from "../oplog/scope.ts";
import type { DumpedCollection } from "../ports.ts";
import { type DumpFile, readBatches } from "./dump_file.ts";

const prefix = "$admin.";

/** A file of a database's users, roles, or the version of their form. */
export interface DatabaseUsersFile {
  readonly database: string;
  /** Where the server keeps them, in `admin`. */
  readonly collection: string;
  readonly file: DumpFile;
}

/** Such a file by the name that its collection seems to have, or null. */
export function databaseUsersOf(database: string, name: string, file: DumpFile): DatabaseUsersFile | null {
  if (!name.startsWith(prefix)) return null;
  const collection = name.slice(prefix.length);
  return isUsersOwn({ database: "admin", collection }) ? { database, collection, file } : null;
}

/** The collections that such files are parts of. Their metadata says of which databases they have users and roles: no others may be removed. */
export function joinDatabaseUsers(
  files: readonly DatabaseUsersFile[],
): Map<DumpedCollection, readonly DumpFile[]> {
  const usersOf = [...new Set(files.map(({ database }) => database))].sort();
  const joined = new Map<DumpedCollection, readonly DumpFile[]>();
  for (const collection of new Set(files.map((one) => one.collection))) {
    const namespace = { database: "admin", collection };
    if (!isUsersOrRoles(namespace)) continue;
    const metadata = JSON.stringify({ indexes: [], collectionName: collection, type: "collection", usersOf });
    joined.set(
      { namespace, kind: "collection", data: namespace, metadata, uuid: null },
      files.filter((one) => one.collection === collection).map(({ file }) => file),
    );
  }
  return joined;
}

/** Version of the form of users' records: the oldest that files of versions say, null where none does. */
export async function readAuthSchema(files: readonly DumpFile[]): Promise<number | null> {
  const found: number[] = [];
  const { signal } = new AbortController();
  for (const file of files) {
    for await (const batch of readBatches(file, signal)) {
      for (const { value } of elements(batch)) {
        const id = findElement(value, "_id");
        if (id?.type !== bsonType.string || stringValue(id.value) !== "authSchema") continue;
        const version = findElement(value, "currentVersion");
        if (version !== undefined) found.push(numberOf(version.type, version.value));
      }
    }
  }
  return found.length === 0 ? null : Math.min(...found);
}

/** Zero for what is no number, which no server takes. */
function numberOf(type: number, value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (type === bsonType.int32) return view.getInt32(0, true);
  if (type === bsonType.int64) return Number(view.getBigInt64(0, true));
  return type === bsonType.double ? view.getFloat64(0, true) : 0;
}
