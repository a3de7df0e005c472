/**
 * An index's specification, as listIndexes or an oplog has it, made such that a server builds the same index again.
 *
 * @module
 */

import { type BsonElement, bsonType, elements, findElement, joinElements } from "./document.ts";
import { parseExtendedJson } from "./extended_json_parser.ts";

const simpleCollation = findElement(parseExtendedJson('{"collation":{"locale":"simple"}}'), "collation")!;

/** From this version on, an index takes the collation of its collection unless it names one; before, it can't have any. */
const collatedSince = 2;

/** Kinds of keys whose first version was not written down, and where later ones are. */
const versioned = new Map([["text", "textIndexVersion"], ["2dsphere", "2dsphereIndexVersion"]]);

/**
 * A specification that `createIndexes` takes: without the namespace and the version 0 that old servers wrote into it, with the first version of a
 * text or 2dsphere index that says none, and with the simple collation by name where the collection has another one.
 *
 * @param isCollated the collection has a collation of its own, which an index that names none would take
 */
export function buildableIndex(index: Uint8Array, isCollated: boolean): Uint8Array {
  const stated = numberOf(findElement(index, "v"));
  const version = stated === 0 ? null : stated;
  const kept = [...elements(index)].filter(({ key }) => key !== "ns" && !(key === "v" && stated === 0))
    .map((field) => field.key === "key" ? { ...field, value: buildableKey(field.value) } : field);
  const names = new Set(kept.map(({ key }) => key));
  const added: BsonElement[] = [];
  for (const kind of keyKinds(index)) {
    const name = versioned.get(kind);
    if (name !== undefined && !names.has(name)) added.push(int32(name, 1));
  }
  if (isCollated && !names.has("collation") && (version ?? collatedSince) >= collatedSince) {
    added.push(simpleCollation);
  }
  return joinElements([...kept, ...added]);
}

/** Whether an index has a key that no server of today would make: it is built with 1 in the place of such a direction, which means the same. */
export function hasRetiredKey(index: Uint8Array): boolean {
  const key = findElement(index, "key");
  return key !== undefined && [...elements(key.value)].some(isRetired);
}

/** Whether an index expires documents after a time that is no number. Servers before 5.0 take it, and to them it means never. */
export function expiresNever(index: Uint8Array): boolean {
  return [...elements(index)].some(isNoTime);
}

/**
 * The same with the longest time in the place of one that is no number. Newer servers make that of it themselves, but for 5.0 up to 5.0.13 and 6.0 up to
 * 6.0.1: to them it means at once, and they would delete what was restored. Those that refuse so long a time build no such index.
 */
export function withLongestTime(index: Uint8Array): Uint8Array {
  if (!expiresNever(index)) return index;
  return joinElements(
    [...elements(index)].map((field) => isNoTime(field) ? int32(field.key, longestSeconds) : field),
  );
}

/** Names of the fields that one specification has and another one lacks. */
export function missingFields(wanted: Uint8Array, found: Uint8Array): string[] {
  const names = new Set([...elements(found)].map(({ key }) => key));
  return [...elements(wanted)].map(({ key }) => key).filter((key) => !names.has(key));
}

function buildableKey(key: Uint8Array): Uint8Array {
  return joinElements(
    [...elements(key)].map((field) => isRetired(field) ? int32(field.key, 1) : field),
  );
}

/** Servers before 3.4 took anything for a direction, and everything but a negative number for an ascending one. */
function isRetired(field: BsonElement): boolean {
  if (field.type === bsonType.string) return field.value.length === emptyStringBytes;
  const number = numberOf(field);
  return number === null ? field.type !== bsonType.decimal128 : number === 0 || Number.isNaN(number);
}

/** What servers of today make of a time that is no number. */
const longestSeconds = 2 ** 31 - 1;

function isNoTime(field: BsonElement): boolean {
  return field.key === "expireAfterSeconds" && Number.isNaN(numberOf(field));
}

/** A length and a NUL. */
const emptyStringBytes = 5;

function keyKinds(index: Uint8Array): string[] {
  const key = findElement(index, "key");
  return key === undefined
    ? []
    : [...elements(key.value)].filter(({ type }) => type === bsonType.string).map(({ value }) =>
      new TextDecoder().decode(value.subarray(4, -1))
    );
}

function int32(key: string, number: number): BsonElement {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setInt32(0, number, true);
  return { key, type: bsonType.int32, value };
}

function numberOf(element: BsonElement | undefined): number | null {
  if (element === undefined) return null;
  const { type, value } = element;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (type === bsonType.int32) return view.getInt32(0, true);
  if (type === bsonType.int64) return Number(view.getBigInt64(0, true));
  return type === bsonType.double ? view.getFloat64(0, true) : null;
}
