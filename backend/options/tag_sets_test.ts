import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { formatTagSets, parseTagSets } from "./tag_sets.ts";

const rows = [
  { text: "dc:east", want: [{ dc: "east" }] },
  { text: "dc:east,use:backup;dc:west;", want: [{ dc: "east", use: "backup" }, { dc: "west" }, {}] },
  { text: " dc : east , use:backup ", want: [{ dc: "east", use: "backup" }] },
  { text: "", want: [{}] },
];
for (const { text, want } of rows) {
  Deno.test(`parseTagSets() reads "${text}"`, () => {
    deepStrictEqual(parseTagSets(text), want.map((set) => new Map(Object.entries(set))));
  });
}

for (const text of ["dc", "dc:", ":east", "dc:a:b", "dc:a,,use:b", "dc:a b"]) {
  Deno.test(`parseTagSets() refuses "${text}"`, () => {
    throws(() => parseTagSets(text), { name: "ValueFault" });
  });
}

Deno.test("parseTagSets() reads what formatTagSets() writes", () => {
  const word = fc.stringMatching(/^[^\s:;,]{1,8}$/);
  const sets = fc.array(fc.array(fc.tuple(word, word)).map((tags) => new Map(tags)), { minLength: 1 });
  fc.assert(fc.property(sets, (some) => deepStrictEqual(parseTagSets(formatTagSets(some)), some)));
});
