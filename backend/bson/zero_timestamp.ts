import { bsonType, documentLength, readInt32, valueLength } from "./document.ts";

/**
 * Those of the documents that stand one after another which have an empty timestamp at their top level, other than as `_id`: servers put the
 * time of day in its place when they insert such a document. They are views.
 */
export function* documentsWithZeroTimestamp(packed: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < packed.length;) {
    const end = at + documentLength(packed, at);
    if (hasZeroTimestamp(packed, at + 4, end - 1)) yield packed.subarray(at, end);
    at = end;
  }
}

/** Walks the elements without making objects of them: it sees every byte of every restored document. */
function hasZeroTimestamp(bytes: Uint8Array, first: number, end: number): boolean {
  for (let at = first; at < end;) {
    const type = bytes[at]!;
    const keyAt = at + 1;
    let valueAt = keyAt;
    while (bytes[valueAt++] !== 0);
    at = valueAt + valueLength(type, bytes, valueAt, end);
    const isZero = type === bsonType.timestamp && readInt32(bytes, valueAt) === 0 &&
      readInt32(bytes, valueAt + 4) === 0;
    if (isZero && !isIdKey(bytes, keyAt)) return true;
  }
  return false;
}

function isIdKey(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x5f && bytes[at + 1] === 0x69 && bytes[at + 2] === 0x64 && bytes[at + 3] === 0;
}
