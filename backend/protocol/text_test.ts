import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { cutText, isControl, splitText } from "./text.ts";

const encoder = new TextEncoder();
const limit = 40;

const cases = [
  { name: "a short text stays whole", input: "one\ntwo", want: ["one\ntwo"] },
  { name: "an empty text is one part", input: "", want: [""] },
  {
    name: "a long text is cut at a line feed",
    input: `${"a".repeat(30)}\n${"b".repeat(30)}`,
    want: ["a".repeat(30), "b".repeat(30)],
  },
  { name: "a long line is cut anywhere", input: "a".repeat(50), want: ["a".repeat(40), "a".repeat(10)] },
  { name: "never within a character", input: "ü".repeat(21), want: ["ü".repeat(20), "ü"] },
  {
    name: "nor within a pair of surrogates",
    input: `a${"🦆".repeat(10)}`,
    want: [`a${"🦆".repeat(9)}`, "🦆"],
  },
  {
    name: "control characters can be seen",
    input: "a\tb\r\x1b[31mc\x7f",
    want: ["a\\x09b\\x0d\\x1b[31mc\\x7f"],
  },
  { name: "half a pair of surrogates is replaced", input: "a\ud83d", want: ["a\ufffd"] },
];

for (const { name, input, want } of cases) {
  Deno.test(`splitText: ${name}`, () => deepStrictEqual(splitText(input, limit), want));
}

Deno.test("splitText: every part fits, has no control character but line feeds, and nothing is lost but line feeds", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (input) => {
      const parts = splitText(input, limit);
      for (const part of parts) {
        ok(encoder.encode(part).length <= limit);
        ok(![...part].some(isControl));
      }
      const [whole] = splitText(input, Number.MAX_SAFE_INTEGER >>> 1);
      strictEqual(parts.join("").replaceAll("\n", ""), whole?.replaceAll("\n", ""));
    }),
  );
});

Deno.test("cutText: what is too long ends in an ellipsis, within the limit", () => {
  strictEqual(cutText("a".repeat(40), limit), "a".repeat(40));
  strictEqual(cutText("a".repeat(41), limit), `${"a".repeat(37)}…`);
  strictEqual(encoder.encode(cutText("ü".repeat(41), limit)).length, 39);
});
