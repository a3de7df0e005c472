import assert from "node:assert/strict";
import { median } from "./statistics.ts";

for (
  const { name, input, want } of [
    { name: "one value", input: [3], want: 3 },
    { name: "an odd number, by size and not by digits", input: [10, 9, 100], want: 10 },
    { name: "an even number", input: [4, 1, 3, 2], want: 2.5 },
  ]
) {
  Deno.test(`median of ${name}`, () => assert.equal(median(input), want));
}

Deno.test("median of nothing is refused", () => assert.throws(() => median([]), RangeError));
