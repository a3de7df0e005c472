import assert from "node:assert/strict";
import { median, percentile } from "./statistics.ts";

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

for (
  const { of100, want } of [{ of100: 0, want: 1 }, { of100: 50, want: 5 }, { of100: 99, want: 10 }, {
    of100: 100,
    want: 10,
  }]
) {
  Deno.test(`percentile: ${of100} of 100`, () =>
    assert.equal(percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], of100), want));
}

Deno.test("percentile of nothing is refused", () => assert.throws(() => percentile([], 50), RangeError));
