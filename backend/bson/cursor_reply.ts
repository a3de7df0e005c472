import { bsonType, elements, malformed, stringValue } from "./document.ts";

/** What a server says of a cursor: its id, 0 when it is exhausted, and a batch as a raw BSON array. */
export interface CursorReply {
  readonly id: bigint;
  readonly namespace: string;
  readonly batch: Uint8Array;
}

/** Reads the raw `cursor` document of a find, getMore, listCollections or listIndexes reply. The batch is a view; its documents aren't looked at. */
export function readCursorReply(cursor: Uint8Array): CursorReply {
  let id: bigint | undefined;
  let namespace: string | undefined;
  let batch: Uint8Array | undefined;
  for (const { type, key, value } of elements(cursor)) {
    if (key === "id" && type === bsonType.int64) {
      id = new DataView(value.buffer, value.byteOffset, 8).getBigInt64(0, true);
    } else if (key === "ns" && type === bsonType.string) namespace = stringValue(value);
    else if ((key === "firstBatch" || key === "nextBatch") && type === bsonType.array) batch = value;
    else if (key === "partialResultsReturned" && value[0] === 1) {
      throw malformed(0, "a cursor returned partial results");
    }
  }
  if (id === undefined || namespace === undefined || batch === undefined) {
    throw malformed(0, "a cursor's reply lacks its id, name or batch");
  }
  return { id, namespace, batch };
}
