import assert from "node:assert/strict";
import { formatBytes, formatCount, formatNumberOf, formatSeconds } from "./wording.ts";

Deno.test("formatCount() groups digits by thousands", () => {
  for (
    const { input, want } of [
      { input: 0, want: "0" },
      { input: 999, want: "999" },
      { input: 1000, want: "1,000" },
      { input: 1_234_567, want: "1,234,567" },
    ]
  ) assert.equal(formatCount(input), want);
});

Deno.test("formatNumberOf() gives the noun its plural", () => {
  for (
    const { input, want } of [
      { input: 0, want: "0 databases" },
      { input: 1, want: "1 database" },
      { input: 2, want: "2 databases" },
      { input: 12_000, want: "12,000 databases" },
    ]
  ) assert.equal(formatNumberOf(input, "database"), want);
  assert.equal(formatNumberOf(1, "entry", "entries"), "1 entry");
  assert.equal(formatNumberOf(2, "entry", "entries"), "2 entries");
});

Deno.test("formatBytes() takes the largest unit that leaves at least one", () => {
  for (
    const { input, want } of [
      { input: 0, want: "0 B" },
      { input: 1023, want: "1023 B" },
      { input: 1024, want: "1.0 KiB" },
      { input: 34.5 * 2 ** 20, want: "34.5 MiB" },
      { input: 2 ** 30, want: "1.0 GiB" },
      { input: 3 * 2 ** 40, want: "3.0 TiB" },
      { input: 5000 * 2 ** 40, want: "5000.0 TiB" },
    ]
  ) assert.equal(formatBytes(input), want);
});

Deno.test("formatSeconds() gives tenths of a second", () => {
  for (
    const { input, want } of [
      { input: 0, want: "0.0 s" },
      { input: 1249, want: "1.2 s" },
      { input: 61_000, want: "61.0 s" },
    ]
  ) assert.equal(formatSeconds(input), want);
});
