/** Nothing that goes into a template gets out of its place. */

import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { elementsOf, parseStrictHtml, textOf } from "../../tests/lab/strict_html.ts";
import { markup } from "./markup.ts";

Deno.test("markup`` keeps any text a text, and any attribute an attribute", () => {
  fc.assert(fc.property(
    fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."<>&\"'= /x;#39") })),
    (text) => {
      const page = `<!DOCTYPE html>\n${markup`<p title="${text}">${text}<b></b></p>`.text}`;
      const [paragraph, bold, ...others] = elementsOf(parseStrictHtml(page));
      const shown = text.replaceAll(/[^\P{C}\t\n]|[\u2028\u2029]/gu, "\uFFFD");
      strictEqual(textOf(paragraph!), shown);
      strictEqual(paragraph!.attributes.get("title"), shown);
      strictEqual(bold!.name, "b");
      strictEqual(others.length, 0);
    },
  ));
});

Deno.test("markup`` takes its own markup as it is, lists one by one, and null for nothing", () => {
  const list = ["a<", 2, null, [markup`<i>${"&"}</i>`]] as const;
  strictEqual(markup`<p>${list}</p>`.text, "<p>a&lt;2<i>&amp;</i></p>");
});
