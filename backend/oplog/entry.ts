/**
 * One oplog entry, or an operation within applyOps, as far as anybody must know it. Its objects stay raw.
 *
 * @module
 */

import { type BsonElement, bsonType, elements, findElement, stringValue } from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import { type Namespace, parseNamespace } from "../namespace.ts";
import { type Timestamp, timestampFromBits } from "../timestamp.ts";

/** An entry's fields. */
export interface OplogEntry {
  /** `i`, `u`, `d`, `c`, `n`, or something newer. */
  readonly op: string;
  readonly namespace: Namespace;
  /** The `o` document. */
  readonly object: Uint8Array;
  /** The `o2` element, where there is one. */
  readonly object2: BsonElement | undefined;
  /** Null for an operation within applyOps. */
  readonly at: Timestamp | null;
  /** Session and number of the transaction that it belongs to, null for none. A retryable write isn't one. */
  readonly transaction: string | null;
  /** Whether an earlier entry of the same transaction went before. */
  readonly continues: boolean;
}

/** `multiOpType` of inserts that are written as one entry for speed: they look like a transaction and are none. */
export const vectoredInsert = 1;

/**
 * Reads an entry.
 *
 * @throws PluginError `oplogUnreplayable` when it lacks what every entry has
 */
export function readEntry(bytes: Uint8Array): OplogEntry {
  const fields = new Map([...elements(bytes)].map((element) => [element.key, element]));
  const op = text(fields.get("op"));
  const name = text(fields.get("ns"));
  const object = fields.get("o");
  if (op === undefined || name === undefined || object?.type !== bsonType.document) {
    throw new PluginError("oplogUnreplayable", "Cannot read an oplog entry: it lacks op, ns or o", {
      hint:
        "This version of the plugin doesn't know entries of that kind; update the plugin, or report this.",
    });
  }
  return {
    op,
    namespace: parseNamespace(name),
    object: object.value,
    object2: fields.get("o2"),
    at: timestamp(fields.get("ts")),
    transaction: op === "c" ? transactionKey(fields) : null,
    continues: hasPredecessor(fields.get("prevOpTime")),
  };
}

function transactionKey(fields: ReadonlyMap<string, BsonElement>): string | null {
  const [session, number] = [fields.get("lsid"), fields.get("txnNumber")];
  if (session === undefined || number === undefined) return null;
  const kind = fields.get("multiOpType");
  if (kind !== undefined && Number(readNumber(kind)) === vectoredInsert) return null;
  return `${session.value.toHex()}:${readNumber(number)}`;
}

function hasPredecessor(previous: BsonElement | undefined): boolean {
  if (previous?.type !== bsonType.document) return false;
  const at = timestamp(findElement(previous.value, "ts"));
  return at !== null && (at.t > 0 || at.i > 0);
}

function timestamp(element: BsonElement | undefined): Timestamp | null {
  if (element?.type !== bsonType.timestamp) return null;
  const { value } = element;
  return timestampFromBits(new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0, true));
}

function text(element: BsonElement | undefined): string | undefined {
  return element?.type === bsonType.string ? stringValue(element.value) : undefined;
}

function readNumber({ type, value }: BsonElement): bigint | number {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (type === bsonType.int64) return view.getBigInt64(0, true);
  return type === bsonType.int32
    ? view.getInt32(0, true)
    : type === bsonType.double
    ? view.getFloat64(0, true)
    : 0;
}

/** Whether an element says yes, in any of the ways of the server: true, a number that isn't 0, a UUID. */
export function isTruthy(element: BsonElement | undefined): boolean {
  if (element === undefined || element.type === bsonType.null || element.type === bsonType.undefined) {
    return false;
  }
  if (element.type === bsonType.boolean) return element.value[0] === 1;
  const numbers: readonly number[] = [bsonType.int32, bsonType.int64, bsonType.double];
  return !numbers.includes(element.type) || Number(readNumber(element)) !== 0;
}
