/**
 * The oplog in a dump.
 *
 * @module
 */

import { type BsonElement, bsonType, findElement } from "../bson/document.ts";
import type { DumpedOplog } from "../ports.ts";
import { type OplogPosition, timestampFromBits } from "../timestamp.ts";
import { damaged, type DumpFile, readBatches, readRuns } from "./dump_file.ts";

/** Goes through the file for the positions at its ends; null where it is empty, as of a dump during which nothing happened. */
export async function openDumpedOplog(file: DumpFile): Promise<DumpedOplog | null> {
  let first: OplogPosition | null = null;
  let last: OplogPosition | null = null;
  let offset = 0;
  for await (const { bytes, last: at } of readRuns(file)) {
    first ??= positionOf(bytes, file, offset);
    last = positionOf(bytes.subarray(at), file, offset + at);
    offset += bytes.length;
  }
  if (first === null || last === null) return null;
  const end = last;
  return {
    host: file.path,
    first,
    committed: () => Promise.resolve(end),
    readBatches: (_from, _to, signal) => readBatches(file, signal),
  };
}

function positionOf(entry: Uint8Array, file: DumpFile, offset: number): OplogPosition {
  const length = new DataView(entry.buffer, entry.byteOffset, 4).getInt32(0, true);
  const document = entry.subarray(0, length);
  const at = findElement(document, "ts");
  if (at?.type !== bsonType.timestamp) {
    throw damaged(file, offset, "the document is no oplog entry: it has no ts");
  }
  const view = new DataView(at.value.buffer, at.value.byteOffset, 8);
  return { ...timestampFromBits(view.getBigUint64(0, true)), term: readTerm(findElement(document, "t")) };
}

function readTerm(element: BsonElement | undefined): number {
  if (element?.type !== bsonType.int64) return -1;
  return Number(new DataView(element.value.buffer, element.value.byteOffset, 8).getBigInt64(0, true));
}
