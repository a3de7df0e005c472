import assert from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "./errors.ts";
import { compareTimestamps, describeTimestamp, timestampFromBits } from "./timestamp.ts";

const uint32 = fc.nat({ max: 0xffff_ffff });
const timestamp = fc.record({ t: uint32, i: uint32 }, { noNullPrototype: true });
const toBits = ({ t, i }: { t: number; i: number }) => (BigInt(t) << 32n) | BigInt(i);

Deno.test("describeTimestamp() writes seconds, increment and the instant", () => {
  assert.equal(describeTimestamp({ t: 1_719_900_000, i: 4 }), "1719900000.4 (2024-07-02T06:00:00Z)");
});

Deno.test("compareTimestamps() orders as the 64 bits do", () => {
  const rows = [
    { a: { t: 1, i: 9 }, b: { t: 2, i: 0 }, want: -1 },
    { a: { t: 2, i: 1 }, b: { t: 2, i: 1 }, want: 0 },
    { a: { t: 2, i: 2 }, b: { t: 2, i: 1 }, want: 1 },
    { a: { t: 0xffff_ffff, i: 0 }, b: { t: 0, i: 0xffff_ffff }, want: 1 },
  ];
  for (const { a, b, want } of rows) assert.equal(Math.sign(compareTimestamps(a, b)), want);
  fc.assert(fc.property(timestamp, timestamp, (a, b) => {
    const [left, right] = [toBits(a), toBits(b)];
    assert.equal(Math.sign(compareTimestamps(a, b)), left < right ? -1 : left > right ? 1 : 0);
  }));
});

Deno.test("timestampFromBits() reads both unsigned halves", () => {
  assert.deepEqual(timestampFromBits(0n), { t: 0, i: 0 });
  assert.deepEqual(timestampFromBits(0xffff_ffff_ffff_ffffn), { t: 0xffff_ffff, i: 0xffff_ffff });
  fc.assert(fc.property(timestamp, (stamp) => assert.deepEqual(timestampFromBits(toBits(stamp)), stamp)));
});

Deno.test("timestampFromBits() refuses what is no unsigned 64-bit number", () => {
  for (const bits of [-1n, 1n << 64n]) {
    assert.throws(
      () => timestampFromBits(bits),
      (thrown) => thrown instanceof PluginError && thrown.code === "internal",
    );
  }
});
