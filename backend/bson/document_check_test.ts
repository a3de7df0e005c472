import { strictEqual } from "node:assert/strict";
import {
  Binary,
  BSONRegExp,
  Code,
  DBRef,
  Decimal128,
  Int32,
  Long,
  MaxKey,
  ObjectId,
  serialize,
  Timestamp,
} from "bson";
import fc from "fast-check";
import { isWellFormed } from "./document_check.ts";

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(
      1.5,
      new Int32(1),
      Long.MAX_VALUE,
      true,
      null,
      new Date(0),
      new ObjectId("000000000000000000000001"),
      Decimal128.fromString("1.5"),
      new Timestamp({ t: 1, i: 2 }),
      new BSONRegExp("^a", "i"),
      new Code("return x", { x: { y: 1 } }),
      new DBRef("a", new ObjectId("000000000000000000000002")),
      new MaxKey(),
    ),
    fc.string(),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => new Binary(bytes)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 5 }).filter((key) => !key.includes("\0")), tie("value"), {
      maxKeys: 4,
    }),
  ),
}));
const documents = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((key) => !key.includes("\0")),
  values.value,
).map((one) => new Uint8Array(serialize(one)));

function check(bytes: Uint8Array): boolean {
  return isWellFormed(bytes, 0, bytes.length);
}

Deno.test("isWellFormed() takes whatever is BSON, also amid other bytes", () => {
  fc.assert(fc.property(documents, fc.nat(9), fc.nat(9), (document, before, after) => {
    const bytes = new Uint8Array(before + document.length + after).fill(0xff);
    bytes.set(document, before);
    strictEqual(isWellFormed(bytes, before, before + document.length), true);
  }));
});

Deno.test("isWellFormed() refuses a document from whose middle something was cut, its length mended", () => {
  fc.assert(fc.property(documents, fc.nat(), (document, seed) => {
    // The last byte of the last value, or its end: what is left ends too early.
    if (document.length < 8) return;
    const cut = document.slice(0, document.length - 1 - seed % (document.length - 6));
    if (cut.length < 6) return;
    new DataView(cut.buffer).setInt32(0, cut.length, true);
    cut[cut.length - 1] = 1;
    strictEqual(check(cut), false);
  }));
});

const text = new Uint8Array(serialize({ a: "text" }));
for (
  const { what, at, byte } of [
    { what: "a longer length", at: 0, byte: text.length + 1 },
    { what: "a shorter length", at: 0, byte: text.length - 1 },
    { what: "no end", at: text.length - 1, byte: 1 },
    { what: "an unknown type", at: 4, byte: 0x55 },
    { what: "a string that runs over its document", at: 7, byte: 200 },
    { what: "a string without its end", at: text.length - 2, byte: 65 },
    { what: "a key without its end", at: 6, byte: 65 },
  ]
) {
  Deno.test(`isWellFormed() refuses ${what}`, () => {
    const bytes = text.slice();
    strictEqual(check(bytes), true);
    bytes[at] = byte;
    strictEqual(check(bytes), false);
  });
}

Deno.test("isWellFormed() looks into documents, arrays and scopes", () => {
  for (const value of [{ b: { c: "x" } }, { b: [["x"]] }, { b: new Code("f", { c: "x" }) }]) {
    const bytes = new Uint8Array(serialize(value));
    strictEqual(check(bytes), true);
    bytes[bytes.lastIndexOf("x".charCodeAt(0)) + 1] = 9;
    strictEqual(check(bytes), false);
  }
});

Deno.test("isWellFormed() refuses a boolean of another value, and what is nested without end", () => {
  const truth = new Uint8Array(serialize({ a: true }));
  truth[7] = 2;
  strictEqual(check(truth), false);
  let [deep, deeper]: [object, object] = [{}, {}];
  for (let level = 0; level < 200; level++) deep = { a: deep };
  for (let level = 0; level < 300; level++) deeper = { a: deeper };
  strictEqual(check(serialize(deep)), true);
  strictEqual(check(serialize(deeper)), false);
});
