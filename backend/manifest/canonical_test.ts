import assert from "node:assert/strict";
import { canonicalText } from "./canonical.ts";

Deno.test("canonicalText() sorts, escapes and refuses", () => {
  assert.equal(
    canonicalText({ b: [1, null, true], a: "\u00e4\n", "10": 1, "2": {} }),
    '{"10":1,"2":{},"a":"ä\\n","b":[1,null,true]}',
  );
  for (const bad of [1.5, Number.NaN, 2 ** 53, undefined, "\ud800", { a: undefined }, [() => 1]]) {
    assert.throws(() => canonicalText(bad), TypeError);
  }
});
