import assert from "node:assert/strict";
import {
  Binary,
  BSONRegExp,
  Code,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  serialize,
  Timestamp,
} from "bson";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import {
  bsonType,
  countDocuments,
  documentLength,
  elements,
  findElement,
  groupDocuments,
  joinElements,
  readInt32,
  stringValue,
} from "./document.ts";

const refused = (thrown: unknown) => thrown instanceof PluginError && thrown.code === "serverReply";

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** A value of each type, with the type byte and the length of its bytes. */
const everyType: { key: string; value: unknown; type: number; length: number }[] = [
  { key: "double", value: new Double(1.5), type: bsonType.double, length: 8 },
  { key: "string", value: "äb", type: bsonType.string, length: 4 + 4 },
  { key: "document", value: { a: new Int32(1) }, type: bsonType.document, length: 12 },
  { key: "array", value: [true], type: bsonType.array, length: 9 },
  { key: "binary", value: new Binary(new Uint8Array(3)), type: bsonType.binary, length: 5 + 3 },
  { key: "objectId", value: new ObjectId("0".repeat(24)), type: bsonType.objectId, length: 12 },
  { key: "boolean", value: true, type: bsonType.boolean, length: 1 },
  { key: "date", value: new Date(0), type: bsonType.date, length: 8 },
  { key: "null", value: null, type: bsonType.null, length: 0 },
  { key: "regex", value: new BSONRegExp("ab", "i"), type: bsonType.regex, length: 3 + 2 },
  { key: "code", value: new Code("f"), type: bsonType.code, length: 4 + 2 },
  { key: "codeWithScope", value: new Code("f", {}), type: bsonType.codeWithScope, length: 4 + 6 + 5 },
  { key: "int32", value: new Int32(1), type: bsonType.int32, length: 4 },
  { key: "timestamp", value: new Timestamp(1n), type: bsonType.timestamp, length: 8 },
  { key: "int64", value: Long.fromNumber(1), type: bsonType.int64, length: 8 },
  { key: "decimal128", value: Decimal128.fromString("1"), type: bsonType.decimal128, length: 16 },
  { key: "minKey", value: new MinKey(), type: bsonType.minKey, length: 0 },
  { key: "maxKey", value: new MaxKey(), type: bsonType.maxKey, length: 0 },
];
const everyDocument = serialize(Object.fromEntries(everyType.map(({ key, value }) => [key, value])));

const keys = fc.string({ unit: "grapheme", maxLength: 6 }).filter((key) =>
  key.isWellFormed() && !key.includes("\0") && key !== "__proto__"
);
const { document } = fc.letrec<{ document: Document; value: unknown }>((tie) => ({
  document: fc.dictionary(keys, tie("value"), { maxKeys: 5 }),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string().filter((text) => text.isWellFormed()),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.date({ noInvalidDate: true }),
    tie("document"),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
}));
const serialized = document.map((value) => new Uint8Array(serialize(value)));

Deno.test("elements() gives the type and the bytes of each kind of value", () => {
  assert.deepEqual(
    [...elements(everyDocument)].map(({ key, type, value }) => ({ key, type, length: value.length })),
    everyType.map(({ key, type, length }) => ({ key, type, length })),
  );
});

Deno.test("elements() knows the types that servers no longer write", () => {
  const text = [2, 0, 0, 0, 0x61, 0];
  for (
    const { type, value } of [
      { type: bsonType.undefined, value: [] },
      { type: bsonType.symbol, value: text },
      { type: bsonType.dbPointer, value: [...text, ...new Uint8Array(12)] },
    ]
  ) {
    const part = { type, key: "a", value: new Uint8Array(value) };
    assert.deepEqual([...elements(joinElements([part]))], [part]);
  }
});

Deno.test("joinElements() makes the very document that elements() took apart", () => {
  fc.assert(fc.property(serialized, (bytes) => {
    assert.deepEqual(joinElements(elements(bytes)), bytes);
  }));
  assert.throws(() => joinElements([{ type: bsonType.null, key: "a\0b", value: new Uint8Array() }]), refused);
});

Deno.test("elements() refuses what was cut or lengthened, whatever the document", () => {
  fc.assert(fc.property(serialized, fc.nat(), (bytes, cut) => {
    assert.throws(() => [...elements(bytes.subarray(0, cut % bytes.length))], refused);
    assert.throws(() => [...elements(join([bytes, new Uint8Array(1)]))], refused);
  }));
});

Deno.test("elements() reads changed bytes or refuses them, and never reads beyond them", () => {
  for (let at = 0; at < everyDocument.length; at++) {
    for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
      const bytes = everyDocument.with(at, byte);
      try {
        for (const { value } of elements(bytes)) assert.ok(value.byteOffset + value.length < bytes.length);
      } catch (thrown) {
        if (!refused(thrown)) throw thrown;
      }
    }
  }
});

Deno.test("elements() refuses malformed elements", () => {
  for (
    const { name, body } of [
      { name: "unknown type", body: [0x14, 0x61, 0] },
      { name: "key without end", body: [0x0a, 0x61] },
      { name: "key not UTF-8", body: [0x0a, 0xff, 0] },
      { name: "int32 cut off", body: [0x10, 0x61, 0, 1, 0, 0] },
      { name: "string of length 0", body: [0x02, 0x61, 0, 0, 0, 0, 0] },
      { name: "string without its NUL", body: [0x02, 0x61, 0, 1, 0, 0, 0, 0x62] },
      { name: "string over the document", body: [0x02, 0x61, 0, 9, 0, 0, 0, 0x62, 0] },
      { name: "string without a length", body: [0x02, 0x61, 0, 1] },
      { name: "negative binary", body: [0x05, 0x61, 0, 0xff, 0xff, 0xff, 0xff, 0] },
      { name: "inner document too short", body: [0x03, 0x61, 0, 4, 0, 0, 0] },
      { name: "inner document that takes the outer's end", body: [0x03, 0x61, 0, 5, 0, 0, 0] },
      { name: "code with scope too short", body: [0x0f, 0x61, 0, 13, 0, 0, 0, ...new Uint8Array(9)] },
      {
        name: "code with scope longer than its parts",
        body: [0x0f, 0x61, 0, 15, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0],
      },
      {
        name: "code with scope whose code takes all",
        body: [0x0f, 0x61, 0, 14, 0, 0, 0, 6, 0, 0, 0, 1, 5, 0, 0, 0, 0],
      },
      { name: "regex without options", body: [0x0b, 0x61, 0, 0x62, 0] },
    ]
  ) {
    const bytes = new Uint8Array([5 + body.length, 0, 0, 0, ...body, 0]);
    assert.throws(() => [...elements(bytes)], refused, name);
  }
});

Deno.test("documentLength() takes a length only where all of the document is there", () => {
  const bytes = join([serialize({}), serialize({ a: 1 })]);
  assert.deepEqual([documentLength(bytes), documentLength(bytes, 5)], [5, 12]);
  for (
    const { name, input } of [
      { name: "nothing", input: [] },
      { name: "only a length", input: [5, 0, 0, 0] },
      { name: "too small", input: [4, 0, 0, 0, 0] },
      { name: "negative", input: [5, 0, 0, 0x80, 0] },
      { name: "beyond its bytes", input: [6, 0, 0, 0, 0] },
      { name: "no end", input: [5, 0, 0, 0, 1] },
    ]
  ) assert.throws(() => documentLength(new Uint8Array(input)), refused, name);
});

Deno.test("findElement() gives the first element of a name, stringValue() its text", () => {
  const bytes = serialize({ a: "ä", b: "" });
  assert.equal(stringValue(findElement(bytes, "a")!.value), "ä");
  assert.equal(stringValue(findElement(bytes, "b")!.value), "");
  assert.equal(findElement(bytes, "c"), undefined);
  assert.throws(() => stringValue(new Uint8Array([2, 0, 0, 0, 0xff, 0])), refused);
});

Deno.test("groupDocuments() cuts at both limits and loses no byte", () => {
  fc.assert(fc.property(
    fc.array(serialized, { maxLength: 20 }),
    fc.integer({ min: 1, max: 200 }),
    fc.integer({ min: 1, max: 5 }),
    (documents, maxBytes, maxDocuments) => {
      const packed = join(documents);
      const groups = [...groupDocuments(packed, maxBytes, maxDocuments)];
      assert.deepEqual(join(groups.map(({ bytes }) => bytes)), packed);
      assert.equal(groups.reduce((sum, { documents }) => sum + documents, 0), documents.length);
      groups.forEach(({ bytes, documents }, at) => {
        assert.equal(countDocuments(bytes), documents);
        assert.ok(documents <= maxDocuments && (bytes.length <= maxBytes || documents === 1));
        const next = groups[at + 1];
        if (next === undefined || documents === maxDocuments) return;
        assert.ok(bytes.length + documentLength(next.bytes) > maxBytes, "a group ended before it was full");
      });
    },
  ));
});

Deno.test("groupDocuments() fills a group to the very limits", () => {
  const packed = join([{ a: 1 }, {}, {}, { a: 1 }, {}].map((value) => serialize(value)));
  const sizes = (maxBytes: number, maxDocuments: number) =>
    [...groupDocuments(packed, maxBytes, maxDocuments)].map(({ bytes }) => bytes.length);
  assert.deepEqual(sizes(17, 9), [17, 17, 5]);
  assert.deepEqual(sizes(16, 9), [12, 10, 12, 5]);
  assert.deepEqual(sizes(99, 3), [22, 17]);
  assert.deepEqual(sizes(39, 5), [39]);
  assert.deepEqual(sizes(1, 1), [12, 5, 5, 12, 5]);
});

Deno.test("countDocuments() and groupDocuments() refuse a document that is cut off", () => {
  const packed = join([serialize({ a: 1 }), serialize({ b: 1 }).subarray(0, 8)]);
  assert.throws(() => countDocuments(packed), refused);
  assert.throws(() => [...groupDocuments(packed, 100, 100)], refused);
});

Deno.test("readInt32() reads signed little-endian numbers of a view", () => {
  const bytes = new Uint8Array([9, 9, 0xfe, 0xff, 0xff, 0xff, 2, 1, 0, 0]).subarray(2);
  assert.deepEqual([readInt32(bytes, 0), readInt32(bytes, 4)], [-2, 258]);
});
