/**
 * The collections that a view's pipeline reads beside the one that it is a view of.
 *
 * @module
 */

import {
  type BsonElement,
  bsonType,
  elements,
  joinElements,
  stringElement,
  stringValue,
} from "../bson/document.ts";

/** Stages that read another collection, and the field that names it. */
const readers = new Map([["$lookup", "from"], ["$graphLookup", "from"], ["$unionWith", "coll"]]);

/** A raw pipeline with other names for the collections that it reads; whatever else is in it stays byte for byte. */
export function renameInPipeline(pipeline: Uint8Array, rename: (collection: string) => string): Uint8Array {
  return mapFields(pipeline, (stage) => {
    if (stage.type !== bsonType.document) return stage;
    return { ...stage, value: mapFields(stage.value, (operator) => renameInStage(operator, rename)) };
  });
}

function renameInStage(operator: BsonElement, rename: (collection: string) => string): BsonElement {
  const { key, type, value } = operator;
  const within = (field: BsonElement) =>
    field.type === bsonType.array ? { ...field, value: renameInPipeline(field.value, rename) } : field;
  if (key === "$facet" && type === bsonType.document) return { ...operator, value: mapFields(value, within) };
  const reader = readers.get(key);
  if (reader === undefined) return operator;
  if (type === bsonType.string) return stringElement(key, rename(stringValue(value)));
  const mapField = (field: BsonElement) => {
    if (field.key === "pipeline") return within(field);
    return field.key === reader && field.type === bsonType.string
      ? stringElement(reader, rename(stringValue(field.value)))
      : field;
  };
  return type === bsonType.document ? { ...operator, value: mapFields(value, mapField) } : operator;
}

function mapFields(document: Uint8Array, map: (field: BsonElement) => BsonElement): Uint8Array {
  return joinElements([...elements(document)].map(map));
}
