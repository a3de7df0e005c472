import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Document, Double, Int32, serialize } from "bson";
import fc from "fast-check";
import { elements } from "./document.ts";
import { formatExtendedJson } from "./extended_json.ts";
import {
  buildableIndex,
  expiresNever,
  hasRetiredKey,
  missingFields,
  withLongestTime,
} from "./index_specification.ts";

const one = new Int32(1);

const cases: { name: string; index: Document; isCollated?: boolean; want: Document }[] = [
  {
    name: "the namespace of old servers goes",
    index: { v: one, key: { a: one }, name: "a", ns: "app.x" },
    want: { v: one, key: { a: one }, name: "a" },
  },
  { name: "version 0 goes", index: { v: new Int32(0), key: { a: one } }, want: { key: { a: one } } },
  {
    name: "what is no direction becomes 1, other numbers stay",
    index: {
      key: { a: true, b: "", c: new Int32(0), d: new Double(-2.5), e: "hashed", f: null, g: new Double(NaN) },
    },
    want: { key: { a: one, b: one, c: one, d: new Double(-2.5), e: "hashed", f: one, g: one } },
  },
  {
    name: "an empty filter stays",
    index: { key: { a: one }, partialFilterExpression: {} },
    want: { key: { a: one }, partialFilterExpression: {} },
  },
  {
    name: "a text index without a version is of the first",
    index: { key: { _fts: "text", _ftsx: one } },
    want: { key: { _fts: "text", _ftsx: one }, textIndexVersion: one },
  },
  {
    name: "a 2dsphere index keeps its version",
    index: { key: { p: "2dsphere" }, "2dsphereIndexVersion": new Int32(3) },
    want: { key: { p: "2dsphere" }, "2dsphereIndexVersion": new Int32(3) },
  },
  {
    name: "in a collated collection, no collation is the simple one",
    index: { v: new Int32(2), key: { a: one } },
    isCollated: true,
    want: { v: new Int32(2), key: { a: one }, collation: { locale: "simple" } },
  },
  {
    name: "in a collated collection, a collation stays",
    index: { key: { a: one }, collation: { locale: "de" } },
    isCollated: true,
    want: { key: { a: one }, collation: { locale: "de" } },
  },
  {
    name: "an index of version 1 never has a collation",
    index: { v: new Double(1), key: { a: one } },
    isCollated: true,
    want: { v: new Double(1), key: { a: one } },
  },
];

for (const { name, index, isCollated = false, want } of cases) {
  Deno.test(`buildableIndex: ${name}`, () => {
    strictEqual(
      formatExtendedJson(buildableIndex(serialize(index), isCollated)),
      formatExtendedJson(serialize(want)),
    );
  });
}

Deno.test("buildableIndex: leaves alone what it has made, and every field that it has nothing to do with", () => {
  const direction = fc.constantFrom(1, -1, 0, true, "", "text", "hashed", "2dsphere");
  const index = fc.record({
    v: fc.constantFrom(0, 1, 2),
    key: fc.dictionary(fc.string({ minLength: 1 }).filter((key) => !key.includes("\0")), direction, {
      minKeys: 1,
      maxKeys: 4,
    }),
    name: fc.string(),
    ns: fc.string(),
    sparse: fc.boolean(),
    expireAfterSeconds: fc.integer(),
    storageEngine: fc.object({ maxDepth: 1, key: fc.stringMatching(/^\w+$/) }),
  }, { requiredKeys: ["key", "name"] });
  fc.assert(fc.property(index, fc.boolean(), (index, isCollated) => {
    const raw = serialize(index);
    const made = buildableIndex(raw, isCollated);
    strictEqual(buildableIndex(made, isCollated).toHex(), made.toHex());
    strictEqual(hasRetiredKey(made), false);
    const isLost = (key: string) => key === "ns" || (key === "v" && index.v === 0);
    deepStrictEqual(missingFields(raw, made), [...elements(raw)].map(({ key }) => key).filter(isLost));
    const kept = new Map([...elements(made)].map(({ key, value }) => [key, value.toHex()]));
    for (const { key, value } of elements(raw)) {
      if (!isLost(key) && key !== "key") strictEqual(kept.get(key), value.toHex());
    }
  }));
});

Deno.test("withLongestTime() puts the longest time in the place of one that is no number, and changes nothing else", () => {
  const index = (seconds: unknown) => serialize({ key: { a: one }, name: "a", expireAfterSeconds: seconds });
  strictEqual(withLongestTime(index(new Double(NaN))).toHex(), index(new Int32(2 ** 31 - 1)).toHex());
  strictEqual(expiresNever(index(new Double(NaN))), true);
  for (const seconds of [one, new Double(0.5), new Double(Infinity)]) {
    strictEqual(withLongestTime(index(seconds)).toHex(), index(seconds).toHex());
    strictEqual(expiresNever(index(seconds)), false);
  }
});
