import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDuration } from "./duration.ts";

for (
  const { text, want } of [
    { text: "90s", want: 90 },
    { text: "30m", want: 1800 },
    { text: "24h", want: 86_400 },
    { text: "7d", want: 604_800 },
    { text: "1w", want: 604_800 },
    ...["", "24", "h", "0h", "-1h", "1.5h", "24 h", "24H", "1y", "99999999s"].map((text) => ({
      text,
      want: null,
    })),
  ]
) {
  Deno.test(`parseDuration() reads ${JSON.stringify(text)} as ${want}`, () =>
    assert.equal(parseDuration(text), want));
}

Deno.test("parseDuration() takes any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const seconds = parseDuration(text);
    assert.ok(seconds === null || (Number.isSafeInteger(seconds) && seconds > 0));
  }));
});
