/**
 * The oplog in a dump.
 *
 * @module
 */

import { type BsonElement, bsonType, findElement, joinElements, stringElement } from "../bson/document.ts";
import type { DumpedOplog } from "../ports.ts";
import { lastIncrement, type OplogPosition, timestampFromBits } from "../timestamp.ts";
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
  const [from, end] = [before(first), last];
  return {
    host: file.path,
    from,
    committed: () => Promise.resolve(end),
    async *readBatches(_from, _to, signal) {
      yield joinElements([{ key: "0", type: bsonType.document, value: noOp(from) }]);
      yield* readBatches(file, signal);
    },
  };
}

function before({ t, i, term }: OplogPosition): OplogPosition {
  return i > 0 ? { t, i: i - 1, term } : { t: t - 1, i: lastIncrement, term };
}

/** A slice begins behind an entry that is there. A dump has none before its own first one: this stands for it. */
function noOp({ t, i, term }: OplogPosition): Uint8Array {
  const at = new DataView(new ArrayBuffer(8));
  at.setUint32(0, i, true);
  at.setUint32(4, t, true);
  const election = new DataView(new ArrayBuffer(8));
  election.setBigInt64(0, BigInt(term), true);
  return joinElements([
    { key: "ts", type: bsonType.timestamp, value: new Uint8Array(at.buffer) },
    { key: "t", type: bsonType.int64, value: new Uint8Array(election.buffer) },
    stringElement("op", "n"),
    stringElement("ns", ""),
    { key: "o", type: bsonType.document, value: joinElements([]) },
  ]);
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
