/**
 * Raw BSON: walks documents by their lengths, every one of them checked, without making objects of them.
 *
 * @module
 */

import { PluginError } from "../errors.ts";

/** Type bytes of the BSON specification that are dealt with by name. */
export const bsonType = {
  double: 0x01,
  string: 0x02,
  document: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  dbPointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal128: 0x13,
  minKey: 0xff,
  maxKey: 0x7f,
} as const;

const documentMinBytes = 5;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One element of a document. */
export interface BsonElement {
  readonly type: number;
  readonly key: string;
  /** The value's bytes, a view on the document. */
  readonly value: Uint8Array;
}

/** The length that a document states at `at`; throws where it doesn't fit into what is there, up to `end`. */
export function documentLength(bytes: Uint8Array, at = 0, end = bytes.length): number {
  if (at + documentMinBytes > end) throw malformed(at, "a document is cut off");
  const length = readInt32(bytes, at);
  if (length < documentMinBytes || at + length > end || bytes[at + length - 1] !== 0) {
    throw malformed(at, `a document says that it has ${length} bytes`);
  }
  return length;
}

/** The elements of one whole document or array. */
export function* elements(document: Uint8Array): Generator<BsonElement> {
  if (documentLength(document) !== document.length) throw malformed(0, "a document is followed by something");
  const end = document.length - 1;
  for (let at = 4; at < end;) {
    const type = document[at]!;
    const keyEnd = cstringEnd(document, at + 1, end);
    const length = valueLength(type, document, keyEnd + 1, end);
    yield {
      type,
      key: decodeText(document.subarray(at + 1, keyEnd)),
      value: document.subarray(keyEnd + 1, keyEnd + 1 + length),
    };
    at = keyEnd + 1 + length;
  }
}

/** The first element with a key, or undefined. */
export function findElement(document: Uint8Array, key: string): BsonElement | undefined {
  for (const element of elements(document)) {
    if (element.key === key) return element;
  }
  return undefined;
}

/** The text of a BSON string's value. */
export function stringValue(value: Uint8Array): string {
  return decodeText(value.subarray(4, value.length - 1));
}

/** A string as an element. */
export function stringElement(key: string, content: string): BsonElement {
  const bytes = encoder.encode(content);
  const value = new Uint8Array(bytes.length + 5);
  new DataView(value.buffer).setInt32(0, bytes.length + 1, true);
  value.set(bytes, 4);
  return { key, type: bsonType.string, value };
}

/** A run of whole documents. */
export interface DocumentGroup {
  readonly bytes: Uint8Array;
  readonly documents: number;
}

/** Cuts documents that stand one after another into groups within both limits; a single longer document is a group of its own. */
export function* groupDocuments(
  packed: Uint8Array,
  maxBytes: number,
  maxDocuments: number,
): Generator<DocumentGroup> {
  let from = 0;
  let documents = 0;
  for (let at = 0; at < packed.length;) {
    const length = documentLength(packed, at);
    if (documents > 0 && (documents === maxDocuments || at + length - from > maxBytes)) {
      yield { bytes: packed.subarray(from, at), documents };
      [from, documents] = [at, 0];
    }
    documents++;
    at += length;
  }
  if (documents > 0) yield { bytes: packed.subarray(from), documents };
}

/** How many documents stand one after another. */
export function countDocuments(packed: Uint8Array): number {
  let documents = 0;
  for (let at = 0; at < packed.length; at += documentLength(packed, at)) documents++;
  return documents;
}

/** A document or an array of elements that are already bytes. */
export function joinElements(
  parts: Iterable<{ readonly type: number; readonly key: string; readonly value: Uint8Array }>,
): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = documentMinBytes;
  for (const { type, key, value } of parts) {
    const head = encoder.encode(`\0${key}\0`);
    if (head.indexOf(0, 1) !== head.length - 1) throw malformed(0, "a key has a NUL");
    head[0] = type;
    pieces.push(head, value);
    length += head.length + value.length;
  }
  const document = new Uint8Array(length);
  new DataView(document.buffer).setInt32(0, length, true);
  let at = 4;
  for (const piece of pieces) {
    document.set(piece, at);
    at += piece.length;
  }
  return document;
}

/** A signed 32-bit integer. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
}

/** The failure for bytes that are no BSON. */
export function malformed(at: number, what: string): PluginError {
  return new PluginError("serverReply", `Cannot read BSON: ${what} at offset ${at}`, {
    hint:
      "The data was damaged on its way or at its source; check the server's log and this machine's memory.",
  });
}

/** Length of an element's value that begins at `at`; throws where it is unknown or ends behind `end`. */
export function valueLength(type: number, bytes: Uint8Array, at: number, end: number): number {
  const length = statedLength(type, bytes, at, end);
  if (length < 0 || at + length > end) {
    throw malformed(
      at,
      `a value of type 0x${type.toString(16).padStart(2, "0")} is unknown or runs over its document`,
    );
  }
  return length;
}

/** Length of a value as its type or its first bytes say, or a negative number where they say nothing that can be. */
function statedLength(type: number, bytes: Uint8Array, at: number, end: number): number {
  switch (type) {
    case bsonType.undefined:
    case bsonType.null:
    case bsonType.minKey:
    case bsonType.maxKey:
      return 0;
    case bsonType.boolean:
      return 1;
    case bsonType.int32:
      return 4;
    case bsonType.double:
    case bsonType.date:
    case bsonType.timestamp:
    case bsonType.int64:
      return 8;
    case bsonType.objectId:
      return 12;
    case bsonType.decimal128:
      return 16;
    case bsonType.string:
    case bsonType.code:
    case bsonType.symbol:
      return stringLength(bytes, at, end);
    case bsonType.dbPointer: {
      const length = stringLength(bytes, at, end);
      return length < 0 ? length : length + 12;
    }
    case bsonType.document:
    case bsonType.array:
      return documentLength(bytes, at, end);
    case bsonType.binary: {
      const length = lengthAt(bytes, at, end);
      return length < 0 ? length : length + 5;
    }
    case bsonType.codeWithScope:
      return codeWithScopeLength(bytes, at, end);
    case bsonType.regex:
      return cstringEnd(bytes, cstringEnd(bytes, at, end) + 1, end) + 1 - at;
    default:
      return -1;
  }
}

function lengthAt(bytes: Uint8Array, at: number, end: number): number {
  return at + 4 <= end ? readInt32(bytes, at) : -1;
}

/** Of a string with its length in front. */
function stringLength(bytes: Uint8Array, at: number, end: number): number {
  const length = lengthAt(bytes, at, end);
  return length < 1 || at + 4 + length > end || bytes[at + 3 + length] !== 0 ? -1 : 4 + length;
}

/** Of its own length, a string and a document that fill it exactly. */
function codeWithScopeLength(bytes: Uint8Array, at: number, end: number): number {
  const length = lengthAt(bytes, at, end);
  if (length < 0 || at + length > end) return -1;
  const codeLength = stringLength(bytes, at + 4, at + length);
  if (codeLength < 0) return -1;
  const scopeAt = at + 4 + codeLength;
  return scopeAt + documentLength(bytes, scopeAt, at + length) === at + length ? length : -1;
}

function cstringEnd(bytes: Uint8Array, at: number, end: number): number {
  const found = bytes.indexOf(0, at);
  if (found < 0 || found >= end) throw malformed(at, "a name has no end");
  return found;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed(bytes.byteOffset, "a text is not UTF-8");
  }
}
