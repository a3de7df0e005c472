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
  fc.tuple(bytes, fc.constantFrom(0, 1, 2, 3, 4, 5, 128, 255)).map(([data, subType]) =>
    new bson.Binary(data, subType)
  ),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((id) => new bson.ObjectId(id)),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.constant(null),
  fc.tuple(texts.filter((text) => !text.includes("\0")), fc.subarray(["i", "m", "s", "x"])).map((
    [pattern, flags],
  ) => new bson.BSONRegExp(pattern, flags.join(""))),
  texts.map((code) => new bson.Code(code)),
  texts.map((code) => new bson.Code(code, { x: 1 })),
  texts.map((symbol) => new bson.BSONSymbol(symbol)),
  fc.integer().map((number) => new bson.Int32(number)),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }).map((number) => bson.Long.fromBigInt(number)),
  fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)).map(([t, i]) => new bson.Timestamp({ t, i })),
  fc.constantFrom(
    "0",
    "-0",
    "1.5E+10",
    "9.999999999999999999999999999999999E+6144",
    "NaN",
    "Infinity",
    "1E-6176",
  ).map((text) => bson.Decimal128.fromString(text)),
  fc.constant(new bson.MinKey()),
  fc.constant(new bson.MaxKey()),
);
const documents = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalars, fc.array(tie("value"), { maxLength: 4 }), tie("document")),
  document: fc.array(fc.tuple(keys, tie("value")), { maxLength: 6 }).map((pairs) =>
    new Map(pairs as [string, unknown][])
  ),
})).document as fc.Arbitrary<Map<string, unknown>>;

Deno.test("parseExtendedJson() gives back the very bytes that formatExtendedJson() was given", () => {
  fc.assert(
    fc.property(documents, (document) => {
      const raw = bson.serialize(document, { ignoreUndefined: false });
      const back = parseExtendedJson(formatExtendedJson(raw));
      assert.deepEqual(back.toHex(), raw.toHex());
    }),
    { numRuns: 300 },
  );
});

Deno.test("formatExtendedJson() keeps order, number-like keys and keys that come twice", () => {
  const text = '{"10":{"$numberInt":"1"},"2":{"$numberInt":"1"},"a":true,"a":false}';
  assert.equal(formatExtendedJson(parseExtendedJson(text)), text);
});

Deno.test("formatExtendedJson() agrees with the bson package", () => {
  const document = {
    a: new bson.Int32(1),
    b: new bson.Double(1.5),
    c: bson.Long.fromNumber(7),
    d: [new bson.ObjectId()],
    e: { f: new Date(5) },
  };
  const text = formatExtendedJson(bson.serialize(document));
  assert.deepEqual(JSON.parse(text), JSON.parse(bson.EJSON.stringify(document, { relaxed: false })));
});

Deno.test("formatExtendedJson() refuses what the format can't express", () => {
  const rows = [
    {
      name: "type wrapper's key",
      hex: bson.serialize({ x: { $oid: "1" } }).toHex(),
      want: /no Extended JSON/,
    },
    { name: "uncommon NaN", hex: "10000000 01 6100 010000000000f87f 00", want: /NaN of an uncommon/ },
    { name: "boolean of value 2", hex: "09000000 08 6100 02 00", want: /boolean of value 2/ },
    {
      name: "array that begins at 1",
      hex: "10000000 04 6100 08000000 0a 3100 00 00",
      want: /item 0 has the key "1"/,
    },
    {
      name: "decimal of an uncommon form",
      hex: `18000000 13 6100 01${"00".repeat(14)}7c 00`,
      want: /decimal of an uncommon/,
    },
    {
      name: "binary 2 of a wrong length",
      hex: "12000000 05 6100 05000000 02 0300000061 00",
      want: /subtype 2/,
    },
    { name: "text that is not UTF-8", hex: "0e000000 02 6100 02000000 ff 00 00", want: /not UTF-8/ },
    { name: "pattern that is not UTF-8", hex: "0b000000 0b 6100 ff00 00 00", want: /not UTF-8/ },
  ];
  for (const { name, hex, want } of rows) {
    assert.throws(() => formatExtendedJson(Uint8Array.fromHex(hex.replaceAll(" ", ""))), want, name);
  }
});

Deno.test("formatExtendedJson() has a text for the types that bson no longer writes", () => {
  const rows = [
    {
      hex: `1a000000 0c 6100 02000000 6300 ${"0123456789ab".repeat(2)} 00`,
      want: '{"a":{"$dbPointer":{"$ref":"c","$id":{"$oid":"0123456789ab0123456789ab"}}}}',
    },
    { hex: "08000000 06 6100 00", want: '{"a":{"$undefined":true}}' },
    {
      hex: "10000000 09 6100 0000000000000080 00",
      want: '{"a":{"$date":{"$numberLong":"-9223372036854775808"}}}',
    },
  ];
  for (const { hex, want } of rows) {
    const raw = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    assert.equal(formatExtendedJson(raw), want);
    assert.equal(parseExtendedJson(want).toHex(), raw.toHex());
  }
});

Deno.test("parseExtendedJson() takes plain numbers and dates", () => {
  const text = '{"a":1,"b":2.5,"c":-5000000000,"d":{"$date":"2026-01-02T03:04:05.678Z"},"e":1e2}';
  const raw = bson.serialize({
    a: new bson.Int32(1),
    b: new bson.Double(2.5),
    c: bson.Long.fromNumber(-5000000000),
    d: new Date("2026-01-02T03:04:05.678Z"),
    e: new bson.Double(100),
  });
  assert.equal(parseExtendedJson(text).toHex(), raw.toHex());
});

Deno.test("parseExtendedJson() refuses anything else with one sentence", () => {
  const values = [
    '{"$oid":"zz"}',
    '{"$oid":"00"}',
    '{"$oid":"0123456789abcdef01234567","x":1}',
    '{"$numberInt":"abc"}',
    '{"$numberInt":""}',
    '{"$numberInt":"2147483648"}',
    '{"$numberLong":"99999999999999999999"}',
    '{"$numberLong":"0x10"}',
    '{"$numberDouble":"abc"}',
    '{"$numberDouble":""}',
    '{"$numberDouble":"infinity"}',
    '{"$numberDecimal":"abc"}',
    '{"$numberDecimal":"1.00000000000000000000000000000000001"}',
    '{"$timestamp":{"t":-1,"i":0}}',
    '{"$timestamp":{"t":4294967296,"i":0}}',
    '{"$timestamp":{"t":1}}',
    '{"$binary":{"base64":"AA","subType":"00"}}',
    '{"$binary":{"base64":"AA==","subType":"zz"}}',
    '{"$binary":{"base64":"AA==","subType":"100"}}',
    '{"$date":5}',
    '{"$date":"yesterday"}',
    '{"$regularExpression":{"pattern":"\\u0000","options":""}}',
    '{"$code":"x","$other":{}}',
    '{"$undefined":false}',
    '{"$minKey":2}',
    '"\\ud800"',
    "1e",
  ];
  for (
    const text of [
      "",
      "[]",
      "{",
      '{"a":1}x',
      "{a:1}",
      '{"a\\u0000":1}',
      ...values.map((value) => `{"a":${value}}`),
    ]
  ) {
    assert.throws(() => parseExtendedJson(text), { name: "PluginError", code: "manifestInvalid" }, text);
  }
});
