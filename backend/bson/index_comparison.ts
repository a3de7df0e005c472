/**
 * Whether an index that a server built is the one that was wanted, all of its definition.
 *
 * @module
 */

import { type BsonElement, bsonType, elements, findElement, stringValue } from "./document.ts";
import { buildableIndex, withLongestTime } from "./index_specification.ts";

/** How an index was built, not what it is: servers of today keep neither. */
const ofBuilding: ReadonlySet<string> = new Set(["background", "dropDups"]);

/** What servers of today know of an index. Old ones kept whatever else they were given, and newer ones refuse it. */
const known: ReadonlySet<string> = new Set([
  ...["v", "key", "name", "unique", "sparse", "hidden", "prepareUnique", "expireAfterSeconds", "collation"],
  ...["partialFilterExpression", "storageEngine", "wildcardProjection", "clustered"],
  ...["weights", "default_language", "language_override", "textIndexVersion"],
  ...["2dsphereIndexVersion", "bits", "min", "max", "bucketSize"],
]);

/** In what two definitions differ, by names of fields. */
export interface IndexDifference {
  readonly differing: readonly string[];
  /** Wanted ones that servers of today don't know, and that aren't there. */
  readonly retired: readonly string[];
}

/**
 * Compares definitions to the byte, but for what a server itself writes otherwise:
 *
 * - what `buildableIndex()` changes, since no server of today takes it as it was;
 * - the order of the fields, which a collMod changes;
 * - `background` and `dropDups`, which say how it was built;
 * - the version, where none was wanted;
 * - the simple collation, which is the same said and unsaid;
 * - the type of the number of seconds, which a collMod writes in its own way, and one that is no number.
 */
export function compareIndexes(wanted: Uint8Array, found: Uint8Array): IndexDifference {
  const [want, have] = [describe(wanted), describe(found)];
  if (!want.has("v")) have.delete("v");
  const differing: string[] = [];
  const retired: string[] = [];
  for (const [name, text] of want) {
    if (have.get(name) === text) continue;
    (have.has(name) || known.has(name) ? differing : retired).push(name);
  }
  differing.push(...[...have.keys()].filter((name) => !want.has(name)));
  return { differing, retired };
}

function describe(index: Uint8Array): Map<string, string> {
  const fields = [...elements(withLongestTime(buildableIndex(index, false)))].filter((field) =>
    !ofBuilding.has(field.key) && !isSimpleCollation(field)
  );
  return new Map(fields.map((field) => [field.key, textOf(field)]));
}

function isSimpleCollation({ key, type, value }: BsonElement): boolean {
  const locale = key === "collation" && type === bsonType.document ? findElement(value, "locale") : undefined;
  return locale?.type === bsonType.string && stringValue(locale.value) === "simple";
}

function textOf({ key, type, value }: BsonElement): string {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (key === "expireAfterSeconds") {
    if (type === bsonType.int32) return String(view.getInt32(0, true));
    if (type === bsonType.int64) return String(view.getBigInt64(0, true));
    if (type === bsonType.double) return String(view.getFloat64(0, true));
  }
  return `${type}:${value.toHex()}`;
}
