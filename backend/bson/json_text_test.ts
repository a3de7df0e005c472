import assert from "node:assert/strict";
import fc from "fast-check";
import { type JsonNode, parseJsonText } from "./json_text.ts";

/** Text of a node, as `JSON.stringify` would write it. */
function format(node: JsonNode): string {
  switch (node.kind) {
    case "object":
      return `{${node.members.map(([key, value]) => `${JSON.stringify(key)}:${format(value)}`).join(",")}}`;
    case "array":
      return `[${node.items.map(format).join(",")}]`;
    case "string":
      return JSON.stringify(node.text);
    case "number":
      return node.text;
    case "literal":
      return String(node.value);
  }
}

Deno.test("parseJsonText() reads whatever JSON.stringify() writes, indented or not", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(0, 2, "\t"), (value, indent) => {
    const wellFormed = JSON.stringify(value).replaceAll(/\\ud[89a-f]../g, "?");
    assert.equal(format(parseJsonText(JSON.stringify(JSON.parse(wellFormed), null, indent))), wellFormed);
  }));
});

Deno.test("parseJsonText() keeps members in their order, twice if they come twice, and numbers as they are written", () => {
  for (const text of ['{"10":1,"2":1.50,"10":-0,"__proto__":1e400}', "[123456789012345678901234567890]"]) {
    assert.equal(format(parseJsonText(text)), text);
  }
});

Deno.test("parseJsonText() refuses whatever is not JSON", () => {
  const rows = [
    [
      "",
      " ",
      "{",
      "}",
      "[1,]",
      "{,}",
      '{"a"}',
      '{"a":1,}',
      "{a:1}",
      "01",
      "1.",
      ".5",
      "+1",
      "1e",
      "nul",
      "NaN",
      "'a'",
      '"a',
      "[1 2]",
      "1 2",
    ],
    ['"\n"', '"\\x"', '"\\u12"', "\u00a01", "1\u00a0", '"\\ud800"', '{"\\udc00":1}'],
    ["[".repeat(300) + "]".repeat(300)],
  ].flat();
  for (const text of rows) assert.throws(() => parseJsonText(text), SyntaxError, text);
});

Deno.test("parseJsonText() reads nesting as deep as a server's, and long strings", () => {
  assert.equal(parseJsonText("[".repeat(205) + "]".repeat(205)).kind, "array");
  const long = JSON.stringify('"\\\n'.repeat(1_000_000));
  assert.equal(format(parseJsonText(long)), long);
});
