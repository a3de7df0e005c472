import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Secret } from "./secret.ts";

const value = "correct horse battery staple";

Deno.test("Secret gives its value to reveal()", () => {
  assert.equal(new Secret(value).reveal(), value);
});

Deno.test("Secret prints as [redacted] in every way that a value gets into a text", () => {
  const secret = new Secret(value);
  const rows = [
    { way: "template", text: `${secret}` },
    { way: "concatenation", text: "" + secret },
    { way: "String", text: String(secret) },
    { way: "JSON", text: JSON.stringify({ secret }) },
    { way: "Deno.inspect", text: Deno.inspect({ secret }) },
    { way: "node:util inspect", text: inspect({ secret }, { showHidden: true, depth: 9 }) },
    { way: "join", text: [secret, secret].join() },
    { way: "error", text: Deno.inspect(new Error("x", { cause: secret })) },
  ];
  for (const { way, text } of rows) {
    assert.ok(text.includes("[redacted]"), `${way}: ${text}`);
    assert.ok(!text.includes(value), `${way}: ${text}`);
  }
});

Deno.test("Secret has no property that holds its value", () => {
  const secret = new Secret(value);
  const copy = { ...secret };
  assert.deepEqual(Reflect.ownKeys(secret), []);
  assert.deepEqual(Reflect.ownKeys(copy), []);
  assert.throws(() => structuredClone(secret).reveal(), TypeError);
});
