import assert from "node:assert/strict";
import * as bson from "bson";
import fc from "fast-check";
import { formatExtendedJson, wrapperKeys } from "./extended_json.ts";
import { parseExtendedJson } from "./extended_json_parser.ts";

const texts = fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed());
const keys = fc.oneof(
  texts,
  fc.constantFrom("", "0", "10", "2", "__proto__", "$where", "a.b"),
).filter((key) => !key.includes("\0") && !wrapperKeys.has(key));
const bytes = fc.uint8Array({ maxLength: 40 });
const scalars = fc.oneof(
  fc.double().map((number) => new bson.Double(number)),
  fc.constantFrom(-0, Infinity, -Infinity, 1e21, 1e300, 5e-324).map((number) => new bson.Double(number)),
  texts,
  fc.tuple(bytes, fc.constantFrom(0, 1, 2, 3, 4, 5, 128, 255)).map(([data, subType]) => new bson.Binary(data, subType)),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((id) => new bson.ObjectId(id)),
  fc.boolean(),
  fc.bigInt({ min: -(1n << 62n), max: 1n << 62n }).map((ms) => ({ _bsontype: "date64", ms })).map(({ ms }) => new Date(Number(ms % 8640000000000000n))),
  fc.constant(null),
  fc.tuple(texts.filter((text) => !text.includes("\0")), fc.subarray(["i", "m", "s", "x"])).map(([pattern, flags]) => new bson.BSONRegExp(pattern, flags.join(""))),
  texts.map((code) => new bson.Code(code)),
  texts.map((code) => new bson.Code(code, { x: 1 })),
  texts.map((symbol) => new bson.BSONSymbol(symbol)),
  fc.integer().map((number) => new bson.Int32(number)),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((number) => bson.Long.fromBigInt(number)),
  fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)).map(([t, i]) => new bson.Timestamp({ t, i })),
  fc.constantFrom("0", "-0", "1.5E+10", "9.999999999999999999999999999999999E+6144", "NaN", "Infinity", "1E-6176").map((text) => bson.Decimal128.fromString(text)),
  fc.constant(new bson.MinKey()),
  fc.constant(new bson.MaxKey()),
);
const documents = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalars, fc.array(tie("value"), { maxLength: 4 }), tie("document")),
  document: fc.array(fc.tuple(keys, tie("value")), { maxLength: 6 }).map((pairs) => new Map(pairs as [string, unknown][])),
})).document as fc.Arbitrary<Map<string, unknown>>;

Deno.test("parseExtendedJson() gives back the very bytes that formatExtendedJson() was given", () => {
  fc.assert(fc.property(documents, (document) => {
    const raw = bson.serialize(document, { ignoreUndefined: false });
    const back = parseExtendedJson(formatExtendedJson(raw));
    assert.deepEqual(back.toHex(), raw.toHex());
  }), { numRuns: 300 });
});

Deno.test("formatExtendedJson() keeps order, number-like keys and keys that come twice", () => {
  const text = '{"10":{"$numberInt":"1"},"2":{"$numberInt":"1"},"a":true,"a":false}';
  assert.equal(formatExtendedJson(parseExtendedJson(text)), text);
});

Deno.test("formatExtendedJson() agrees with the bson package", () => {
  const document = { a: new bson.Int32(1), b: new bson.Double(1.5), c: bson.Long.fromNumber(7), d: [new bson.ObjectId()], e: { f: new Date(5) } };
  const text = formatExtendedJson(bson.serialize(document));
  assert.deepEqual(JSON.parse(text), JSON.parse(bson.EJSON.stringify(document, { relaxed: false })));
});

Deno.test("formatExtendedJson() refuses what the format can't express", () => {
  assert.throws(() => formatExtendedJson(bson.serialize({ x: { $oid: "1" } })), /no Extended JSON/);
  const odd = bson.serialize({ x: new bson.Double(NaN) });
  odd[odd.length - 2] = 0xff;
  assert.throws(() => formatExtendedJson(odd), /NaN of an uncommon/);
});

Deno.test("parseExtendedJson() takes plain numbers", () => {
  assert.deepEqual(bson.deserialize(parseExtendedJson('{"a":1,"b":2.5,"c":-5000000000}')), { a: 1, b: 2.5, c: -5000000000 });
});

Deno.test("parseExtendedJson() refuses anything else with one sentence", () => {
  for (const text of ["", "[]", "{", '{"a":}', '{"a":1}x', '{"a":{"$oid":"zz"}}', '{"a":{"$numberLong":"99999999999999999999"}}', '{a:1}']) {
    assert.throws(() => parseExtendedJson(text), { name: "PluginError", code: "manifestInvalid" }, text);
  }
});
