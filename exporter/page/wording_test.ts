/** Times, durations and sizes in words. */

import { match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatInstant,
  formatNumberOf,
  formatTime,
} from "./wording.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const cases: readonly (readonly [text: string, want: string])[] = [
  [formatTime(1_795_381_200.9), "2026-11-22 21:00:00"],
  [formatInstant(1_795_381_200), "2026-11-22T21:00:00Z"],
  [formatInstant(Number.MAX_SAFE_INTEGER), "9999-12-31T23:59:59Z"],
  [formatDuration(0.4), "0 s"],
  [formatDuration(59.9), "59 s"],
  [formatDuration(minute), "1 min"],
  [formatDuration(minute + 1), "1 min 1 s"],
  [formatDuration(hour), "1 h"],
  [formatDuration(4 * hour + 10 * minute + 59), "4 h 10 min"],
  [formatDuration(day + 2 * hour), "1 day 2 h"],
  [formatDuration(13 * day), "13 days"],
  [formatDuration(14 * day + 5 * hour), "14 days"],
  [formatAge(59), "59 s ago"],
  [formatAge(2 * hour - 1), "1 h ago"],
  [formatAge(day), "1 day ago"],
  [formatAge(-3 * day), "in 3 days"],
  [formatBytes(0), "0 B"],
  [formatBytes(999), "999 B"],
  [formatBytes(1000), "1.0 kB"],
  [formatBytes(21_340_160), "21.3 MB"],
  [formatBytes(99_960_000), "100 MB"],
  [formatBytes(999_600_000), "1.0 GB"],
  [formatBytes(5_100_273_664), "5.1 GB"],
  [formatCount(1_204_311), "1,204,311"],
  [formatNumberOf(1, "job"), "1 job"],
  [formatNumberOf(1000, "job"), "1,000 jobs"],
];

for (const [text, want] of cases) {
  Deno.test(`a time, a duration or a size reads ${want}`, () => strictEqual(text, want));
}

Deno.test("formatBytes() and formatDuration() say any number in at most nine and fifteen characters", () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 13 * day }), (bytes, seconds) => {
    match(formatBytes(bytes), /^(?=.{1,9}$)\d{1,3}(\.\d)? [kMGTPE]?B$/);
    match(formatDuration(seconds), /^(?=.{1,15}$)\d+ (s|min|h|days?)( \d+ (s|min|h))?$/);
  }));
});
