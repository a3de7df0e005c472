/**
 * The virtual names under which Bacula's catalog lists a backup.
 *
 * `/@mongodb/<resource>/<database>/<collection>.bson`, `….bson.00001` and on for further segments, `….metadata.json`, and
 * `/@mongodb/<resource>/manifest.<job>.json` and `/@mongodb/<resource>/oplog.<job>/<from>_<to>.bson`: a database's name never holds a dot, so that
 * these can't clash.
 *
 * @module
 */

import type { Namespace } from "../namespace.ts";
import type { Timestamp } from "../timestamp.ts";

/** What every virtual name begins with. */
export const objectRoot = "/@mongodb/";

const encoder = new TextEncoder();
const plainBytes = new Set(
  encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~$&+=@"),
);

/** A name as one path component: every byte of its UTF-8 form that a path might mind becomes `%XX`. */
export function escapeName(name: string): string {
  let escaped = "";
  for (const byte of encoder.encode(name)) {
    escaped += plainBytes.has(byte)
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  // A component that a path would read as "here" or "above".
  if (escaped === "." || escaped === "..") return escaped.replaceAll(".", "%2E");
  return escaped;
}

/** Name of a collection's segment; `index` counts from 0. */
export function segmentPath(resource: string, namespace: Namespace, index: number): string {
  const first = `${collectionPath(resource, namespace)}.bson`;
  return index === 0 ? first : `${first}.${String(index).padStart(5, "0")}`;
}

/** Name of a collection's metadata file. */
export function metadataPath(resource: string, namespace: Namespace): string {
  return `${collectionPath(resource, namespace)}.metadata.json`;
}

/** Name of a piece of the oplog, from its first entry's timestamp to its last one's: sorted by name they are in order. */
export function oplogPath(resource: string, jobName: string, first: Timestamp, last: Timestamp): string {
  return `${objectRoot}${resource}/oplog.${escapeName(jobName)}/${sortable(first)}_${sortable(last)}.bson`;
}

function sortable({ t, i }: Timestamp): string {
  return [t, i].map((part) => String(part).padStart(10, "0")).join("-");
}

/** Name of a job's sealed manifest. */
export function manifestPath(resource: string, jobName: string): string {
  return `${objectRoot}${resource}/manifest.${escapeName(jobName)}.json`;
}

/** Name of the directory of a database's files. */
export function databasePath(resource: string, database: string): string {
  return `${objectRoot}${resource}/${escapeName(database)}`;
}

function collectionPath(resource: string, { database, collection }: Namespace): string {
  return `${databasePath(resource, database)}/${escapeName(collection)}`;
}

/** The resource that a virtual name belongs to, or undefined for a name that isn't ours. */
export function resourceOf(path: string): string | undefined {
  if (!path.startsWith(objectRoot)) return undefined;
  const [resource, rest] = path.slice(objectRoot.length).split("/", 2);
  return resource === undefined || resource === "" || rest === undefined ? undefined : resource;
}

/** Whether a virtual name is a job's manifest. */
export function isManifestPath(path: string): boolean {
  return /^\/@mongodb\/[^/]+\/manifest\.[^/]+\.json$/.test(path);
}

/** Whether a virtual name is a piece of the oplog. */
export function isOplogPath(path: string): boolean {
  return /^\/@mongodb\/[^/]+\/oplog\.[^/]+\/[^/]+\.bson$/.test(path);
}
