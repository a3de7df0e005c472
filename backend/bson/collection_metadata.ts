/**
 * What a collection's metadata says of its options and indexes, raw.
 *
 * @module
 */

import { bsonType, elements, findElement, joinElements, stringValue } from "./document.ts";
import { parseExtendedJson } from "./extended_json_parser.ts";

/** What has to be known of a collection beside its documents. */
export interface CollectionMetadata {
  /** Their specifications, all but the one on `_id` that comes with the collection. */
  readonly indexes: readonly Uint8Array[];
  /** Whether the collection has a collation of its own. */
  readonly isCollated: boolean;
  readonly isCapped: boolean;
}

/** Reads mongodump's metadata: `{"options":{…},"indexes":[…],…}`. */
export function readCollectionMetadata(metadata: string): CollectionMetadata {
  const document = parseExtendedJson(metadata);
  const [options, listed] = ["options", "indexes"].map((key) =>
    findElement(document, key)?.value ?? joinElements([])
  );
  const indexes = [...elements(listed!)].map(({ value }) => value).filter((index) =>
    indexName(index) !== "_id_" && findElement(index, "clustered") === undefined
  );
  const isCapped = findElement(options!, "capped")?.value[0] === 1;
  return { indexes, isCollated: findElement(options!, "collation") !== undefined, isCapped };
}

/** Name of an index, as its specification has it. */
export function indexName(index: Uint8Array): string {
  const name = findElement(index, "name");
  return name?.type === bsonType.string ? stringValue(name.value) : "";
}
