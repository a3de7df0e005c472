/**
 * How mongodump names what it writes: `<database>/<collection>.bson`, `….metadata.json`, `system.buckets.<collection>.bson` for a time series.
 *
 * A database's name is taken as it is: no server lets one have what a path minds. A collection's is escaped as in the query of a URL, and cut
 * where it is too long.
 *
 * @module
 */

import { isPlainDatabase } from "../namespace.ts";
import { PluginError } from "../errors.ts";

/** The oplog's file and that of the versions, at the root. */
export const oplogFileName = "oplog.bson";
export const preludeFileName = "prelude.json";

/** Longest name that mongodump gives a collection, without its suffix; a longer one is cut and hashed. */
const nameMaxLength = 238;
const nameCutLength = 208;

const plainBytes = new Set(
  new TextEncoder().encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"),
);

/** A collection's file name without its suffix. An overlong one is its beginning, `%24`, and the SHA-1 of the collection's name. */
export async function collectionFileName(collection: string): Promise<string> {
  const escaped = escapeQuery(collection);
  if (escaped.length <= nameMaxLength) return escaped;
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(collection));
  const hash = new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${escaped.slice(0, nameCutLength)}%24${hash}`;
}

/** The collection's name of such a file name; null for one that was cut, or that no escaping makes. */
export function parseCollectionFileName(name: string): string | null {
  if (name.length === nameMaxLength && name.slice(nameCutLength).startsWith("%24")) return null;
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return null;
  }
}

/**
 * A database's folder.
 *
 * @throws PluginError `restoreTarget` for a name that would lead elsewhere
 */
export function databaseFolderName(database: string): string {
  if (isPlainDatabase(database)) return database;
  throw new PluginError("restoreTarget", `Cannot make a folder for the database "${database}"`, {
    hint: "No server has databases of such names: give it another one with ns_from= and ns_to=.",
  });
}

/** Letters, digits and `-_.~` as they are, a space as `+`, every other byte of the UTF-8 form as `%XX`. */
function escapeQuery(name: string): string {
  let escaped = "";
  for (const byte of new TextEncoder().encode(name)) {
    if (plainBytes.has(byte)) escaped += String.fromCharCode(byte);
    else escaped += byte === 0x20 ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}
