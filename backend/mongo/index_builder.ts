/**
 * Builds indexes from their raw specifications.
 *
 * @module
 */

import type { Db } from "mongodb";
import { indexName } from "../bson/collection_metadata.ts";
import { bsonType, elements, findElement, joinElements } from "../bson/document.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { driverError } from "./driver_error.ts";
import { rawDocuments } from "./raw_cursor.ts";
import { RawValue } from "./raw_value.ts";

const simpleCollation = findElement(parseExtendedJson('{"collation":{"locale":"simple"}}'), "collation")!;

/**
 * Builds a collection's indexes in one command, and looks that they are there.
 *
 * @param isCollated the collection has a collation of its own, which an index that names none would take
 * @throws PluginError `restoreWrite`
 */
export async function buildIndexes(
  db: Db,
  namespace: Namespace,
  indexes: readonly Uint8Array[],
  isCollated: boolean,
): Promise<void> {
  const value = joinElements(
    indexes.map((index, at) => ({
      key: String(at),
      type: bsonType.document,
      value: buildable(index, isCollated),
    })),
  );
  try {
    await db.command({
      createIndexes: namespace.collection,
      indexes: new RawValue("indexes", bsonType.array, value),
      writeConcern: { w: "majority" },
    });
    const listed = await rawDocuments(db, { listIndexes: namespace.collection, cursor: {} });
    const built = new Set(listed.map(indexName));
    const missing = indexes.map(indexName).filter((index) => !built.has(index));
    if (missing.length > 0) throw new Error(`the server doesn't list ${missing.join(", ")}`);
  } catch (cause) {
    throw driverError(`build the indexes of ${formatNamespace(namespace)}`, cause, "restoreWrite");
  }
}

/**
 * An index as a command builds it again: without the namespace that old servers wrote into it, and with the simple collation by name where the
 * collection has another one, which an index that names none would take.
 */
function buildable(index: Uint8Array, isCollated: boolean): Uint8Array {
  const kept = [...elements(index)].filter(({ key }) => key !== "ns");
  const isSimple = isCollated && !kept.some(({ key }) => key === "collation");
  return joinElements(isSimple ? [...kept, simpleCollation] : kept);
}
