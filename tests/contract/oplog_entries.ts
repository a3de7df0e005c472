/**
 * Oplog entries by hand, with the fields and in the order in which a server writes them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Binary, type Document, Long, serialize, Timestamp as BsonTimestamp } from "bson";
import { bsonType, joinElements } from "../../backend/bson/document.ts";
import type { OplogPosition } from "../../backend/timestamp.ts";

/** What an entry is to be. Fields that aren't given are left out, as a server does. */
export interface EntryFields {
  readonly op: string;
  readonly ns: string;
  readonly o: Document;
  readonly o2?: Document;
  readonly at: OplogPosition;
  /** Whatever else: `lsid`, `txnNumber`, `prevOpTime`, `multiOpType`, `b`. */
  readonly more?: Document;
}

/** A place in the oplog. */
export function place(t: number, i = 1, term = 1): OplogPosition {
  return { t, i, term };
}

/** An entry as 4.4 and later write it. */
export function entryBytes({ op, ns, o, o2, at, more = {} }: EntryFields): Uint8Array {
  const { lsid, txnNumber, ...rest } = more;
  const document: Document = {
    ...lsid === undefined ? {} : { lsid, txnNumber },
    op,
    ns,
    ui: new Binary(new Uint8Array(16).fill(7), 4),
    o,
    ...o2 === undefined ? {} : { o2 },
    ts: new BsonTimestamp({ t: at.t, i: at.i }),
    t: Long.fromNumber(at.term),
    v: Long.fromNumber(2),
    wall: new Date(at.t * 1000),
    ...rest,
  };
  return serialize(document);
}

/** A command's entry. */
export function commandBytes(
  at: OplogPosition,
  database: string,
  o: Document,
  more: Document = {},
): Uint8Array {
  return entryBytes({ op: "c", ns: `${database}.$cmd`, o, at, more });
}

/** Fields of an entry that belongs to a transaction; `previous` is the entry of it before this one. */
export function transactionFields(number: number, previous: OplogPosition | null, session = 1): Document {
  return {
    lsid: { id: new Binary(new Uint8Array(16).fill(session), 4), uid: new Binary(new Uint8Array(32)) },
    txnNumber: Long.fromNumber(number),
    prevOpTime: previous === null
      ? { ts: new BsonTimestamp({ t: 0, i: 0 }), t: Long.fromNumber(-1) }
      : { ts: new BsonTimestamp({ t: previous.t, i: previous.i }), t: Long.fromNumber(previous.term) },
  };
}

/** Entries as the raw array of a cursor's batch. */
export function batchOf(entries: readonly Uint8Array[]): Uint8Array {
  return joinElements(entries.map((value, at) => ({ key: String(at), type: bsonType.document, value })));
}

/** Entries one after another, as in a segment. */
export function segmentOf(entries: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(entries));
}
