/**
 * Documents of any form that BSON allows, written byte by byte: a driver's objects can't hold all of them.
 *
 * @module
 */

import fc from "fast-check";
import { type BsonElement, bsonType, joinElements } from "../../backend/bson/document.ts";

/** A value without its key. */
type Value = Pick<BsonElement, "type" | "value">;

const encoder = new TextEncoder();
const none = new Uint8Array();

function int32(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, number, true);
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function lengthPrefixed(content: Uint8Array): Uint8Array {
  return join(int32(content.length + 1), content, Uint8Array.of(0));
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("\0", "a\0b", "\u{1f600}"),
).filter((one) => one.isWellFormed()).map((one) => lengthPrefixed(encoder.encode(one)));

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((one) => Uint8Array.from(one));
}

/** Values of a type, whose bytes are any of these. */
function of(type: number, value: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Value> {
  return value.map((one) => ({ type, value: one }));
}

function fromHex(...values: readonly string[]): fc.Arbitrary<Uint8Array> {
  return fc.constantFrom(...values).map((hex) => Uint8Array.fromHex(hex));
}

const binary = fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 128, 255), bytes(16)).map((
  [subtype, content],
) => {
  // The old subtype 2 has a length of its own within.
  const inner = subtype === 2 ? join(int32(content.length), content) : content;
  return join(int32(inner.length), Uint8Array.of(subtype), inner);
});

const regex = fc.tuple(
  fc.constantFrom("", "^a[/", "ä$"),
  fc.constantFrom("", "i", "imsx", "mi"),
).map(([pattern, options]) => encoder.encode(`${pattern}\0${options}\0`));

const codeWithScope = fc.tuple(text, bytes(4)).map(([code, number]) => {
  const scope = joinElements([{ key: "x", type: bsonType.int32, value: number }]);
  return join(int32(4 + code.length + scope.length), code, scope);
});

/** Every type that isn't made of others, those that servers no longer write among them. */
export const scalars: Record<string, fc.Arbitrary<Value>> = {
  double: of(
    bsonType.double,
    fc.oneof(
      bytes(8),
      // -0, infinities, and NaNs of uncommon payloads.
      fromHex(
        "0000000000000080",
        "000000000000f07f",
        "000000000000f0ff",
        "000000000000f87f",
        "010203040506f8ff",
        "010000000000f07f",
      ),
    ),
  ),
  string: of(bsonType.string, text),
  binary: of(bsonType.binary, binary),
  undefined: of(bsonType.undefined, fc.constant(none)),
  objectId: of(bsonType.objectId, bytes(12)),
  boolean: of(bsonType.boolean, fromHex("00", "01")),
  // Dates of all 64 bits: most are out of JavaScript's range.
  date: of(bsonType.date, bytes(8)),
  null: of(bsonType.null, fc.constant(none)),
  regex: of(bsonType.regex, regex),
  dbPointer: of(bsonType.dbPointer, fc.tuple(text, bytes(12)).map(([name, id]) => join(name, id))),
  code: of(bsonType.code, text),
  symbol: of(bsonType.symbol, text),
  codeWithScope: of(bsonType.codeWithScope, codeWithScope),
  int32: of(bsonType.int32, bytes(4)),
  timestamp: of(bsonType.timestamp, fc.oneof(bytes(8), fromHex("0000000000000000"))),
  int64: of(bsonType.int64, bytes(8)),
  decimal128: of(
    bsonType.decimal128,
    fc.oneof(
      bytes(16),
      // NaN, negative infinity, 1.000.
      fromHex(
        "0000000000000000000000000000007c",
        "000000000000000000000000000000f8",
        "e8030000000000000000000000003a30",
      ),
    ),
  ),
  minKey: of(bsonType.minKey, fc.constant(none)),
  maxKey: of(bsonType.maxKey, fc.constant(none)),
};

const scalar = fc.oneof(...Object.values(scalars));
const nestedKeys = fc.oneof(
  fc.constantFrom("", ".", "a.b", "$x", "__proto__", "10", "2", "twice", "_id", "\u{1f600}", "ä\n"),
  fc.string({ maxLength: 5 }).filter((key) => !key.includes("\0")),
);

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(fc.tuple(nestedKeys, tie("value")), { maxLength: 4 }).map((pairs) => ({
      type: bsonType.document,
      value: joinElements(pairs.map(([key, one]) => ({ key, ...one }))),
    })),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => ({
      type: bsonType.array,
      value: joinElements(items.map((one, at) => ({ key: String(at), ...one }))),
    })),
  ),
}));

/**
 * The members of a document beside its `_id`, at random.
 *
 * @param dollars whether a name at the top level may begin with a "$", and one further down beside an empty timestamp at the top level: servers before
 *   5.0 refuse the first on an insert and the second on the update that brings the timestamp back
 */
export function members(dollars: boolean): fc.Arbitrary<BsonElement[]> {
  const keys = nestedKeys.filter((key) => key !== "_id" && (dollars || !key.startsWith("$")));
  const isEmpty = ({ type, value }: Value) =>
    type === bsonType.timestamp && value.every((byte) => byte === 0);
  const member = fc.tuple(keys, value).filter(([, one]) => dollars || !isEmpty(one));
  return fc.array(member.map(([key, one]) => ({ key, ...one })), { maxLength: 6 });
}

/** A document with a number as its `_id`, which stands first as the server wants it. */
export function withId(id: number, rest: readonly BsonElement[]): Uint8Array {
  return joinElements([{ key: "_id", type: bsonType.int32, value: int32(id) }, ...rest]);
}

/** A member that holds documents within documents. */
export function nested(depth: number): BsonElement {
  let inner = joinElements([]);
  for (let at = 1; at < depth; at++) {
    inner = joinElements([{ key: "n", type: bsonType.document, value: inner }]);
  }
  return { key: "n", type: bsonType.document, value: inner };
}

/** A member that is a binary of so many bytes. */
export function large(length: number): BsonElement {
  const content = new Uint8Array(length + 5).fill(7);
  content.set(int32(length));
  content[4] = 0;
  return { key: "large", type: bsonType.binary, value: content };
}
