/**
 * Whether the bytes of a document are BSON in all their depth.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { bsonType, readInt32, valueLength } from "./document.ts";

/** A server's own limit is 200. */
const nestingMax = 220;

/** Whether one whole document, which begins at `at` and ends before `end`, is BSON: every length, end and known type within it. */
export function isWellFormed(bytes: Uint8Array, at: number, end: number): boolean {
  try {
    return isDocument(bytes, at, end, 0);
  } catch (cause) {
    if (cause instanceof PluginError) return false;
    throw cause;
  }
}

function isDocument(bytes: Uint8Array, from: number, end: number, depth: number): boolean {
  if (depth > nestingMax || end - from < 5 || readInt32(bytes, from) !== end - from || bytes[end - 1] !== 0) {
    return false;
  }
  for (let at = from + 4; at < end - 1;) {
    const type = bytes[at]!;
    const keyEnd = bytes.indexOf(0, at + 1);
    if (keyEnd < 0 || keyEnd >= end - 1) return false;
    const value = keyEnd + 1;
    at = value + valueLength(type, bytes, value, end - 1);
    if (type === bsonType.document || type === bsonType.array) {
      if (!isDocument(bytes, value, at, depth + 1)) return false;
    } else if (type === bsonType.codeWithScope) {
      const scope = value + 8 + readInt32(bytes, value + 4);
      if (!isDocument(bytes, scope, at, depth + 1)) return false;
    } else if (type === bsonType.boolean && bytes[value]! > 1) return false;
  }
  return true;
}
