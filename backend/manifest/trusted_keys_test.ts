import assert from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { encodePem, publicHead } from "./key_text.ts";
import { loadSigningKey, publicText } from "./signature.ts";
import { findObjection, loadTrustedKeys } from "./trusted_keys.ts";

async function publicKey(fill: number) {
  const seed = new Uint8Array(32).fill(fill).toBase64();
  const { publicKey } = await loadSigningKey(new Secret(seed), () => Promise.reject(new Error("no file")));
  const line = await publicText(publicKey);
  return { id: publicKey.id, line, pem: encodePem("PUBLIC KEY", publicHead, Uint8Array.fromBase64(line)) };
}

const [one, two] = [await publicKey(9), await publicKey(8)];

function load(text: string, mode = 0o644) {
  return loadTrustedKeys("/list", () => Promise.resolve({ text, mode }));
}

Deno.test("loadTrustedKeys() reads PEM blocks and lines of several files, with what is said of each key", async () => {
  const files: Record<string, string> = {
    "/lines": `# ours\r\n${one.line} not-before=2026-01-01 not-after=2026-11-23T08:15:00Z # 2026\n\n`,
    "/mixed": `${two.pem}# since 2027\n${one.pem}\n${one.line}\trevoked`,
  };
  const keys = await loadTrustedKeys(
    "/lines:/mixed",
    (path) => Promise.resolve({ text: files[path]!, mode: 0o644 }),
  );
  assert.deepEqual(keys.map(({ key: _, ...entry }) => entry), [
    { id: one.id, notBefore: "2026-01-01T00:00:00Z", notAfter: "2026-11-23T08:15:00Z" },
    { id: two.id },
    { id: one.id },
    { id: one.id, revoked: true },
  ]);
});

Deno.test("loadTrustedKeys() takes a day from its first second to its last one", async () => {
  const [key] = await load(`${one.line} not-before=2026-02-28 not-after=2026-02-28`);
  assert.deepEqual([key!.notBefore, key!.notAfter], ["2026-02-28T00:00:00Z", "2026-02-28T23:59:59Z"]);
});

Deno.test("loadTrustedKeys() refuses what it doesn't understand, with the line", async (t) => {
  const rows = [
    { text: "", want: /holds no Ed25519 public key/ },
    { text: "# nothing\n", want: /holds no Ed25519 public key/ },
    { text: `${one.line}\nnot a key`, want: /line 2 is neither PEM nor/ },
    { text: `${one.line} revokd`, want: /line 1: "revokd" is none of/ },
    { text: `${one.line} not-after=2026-02-30`, want: /"not-after=2026-02-30" has no time/ },
    { text: `${one.line} not-after=2026-11-23T08:15:00`, want: /has no time/ },
    { text: `${one.line} not-after=2026 not-before=2025`, want: /has no time/ },
    { text: `${one.line} not-after=2026-01-01 not-before=2026-01-02`, want: /not-after is before/ },
    { text: `${one.line} not-after=2026-01-01 not-after=2026-01-02`, want: /says again/ },
    { text: one.pem.replace("MCow", "MCox"), want: /line 1 begins no PEM/ },
    { text: `${one.line}\n${two.pem.replace(/-----END.*/, "")}`, want: /line 2 begins no PEM/ },
  ];
  for (const { text, want } of rows) {
    await t.step(text.slice(-60), () => assert.rejects(load(text), { code: "signingKey", message: want }));
  }
  await assert.rejects(load(one.line, 0o664), { code: "signingKey", message: /mode is 0664/ });
  await assert.rejects(load(one.line, 0o646), { code: "signingKey", message: /mode is 0646/ });
  const nothing = () => Promise.reject(new Error("No such file"));
  await assert.rejects(loadTrustedKeys("/nowhere", nothing), { code: "signingKey", message: /No such file/ });
  await assert.rejects(loadTrustedKeys("", nothing), { code: "signingKey" });
});

Deno.test("loadTrustedKeys() takes any text or refuses it with a sentence", async () => {
  const parts = fc.constantFrom(
    one.line,
    one.pem,
    " ",
    "\n",
    "#",
    "revoked",
    "not-before=",
    "2026-01-01",
    "-----BEGIN PUBLIC KEY-----",
    "-----END PUBLIC KEY-----",
    "\0",
  );
  const texts = fc.array(fc.oneof(parts, fc.string({ unit: "binary" }))).map((all) => all.join(""));
  await fc.assert(fc.asyncProperty(texts, async (text) => {
    const keys = await load(text).catch((cause) => {
      assert.ok(cause instanceof PluginError && cause.code === "signingKey", String(cause));
      return null;
    });
    assert.ok(keys === null || keys.length > 0);
  }));
});

Deno.test("findObjection() revokes whatever else is said, and joins the times of several entries", async () => {
  const entries = await load(
    `${one.line} not-after=2025-12-31\n${one.line} not-before=2026-06-01 not-after=2026-06-30`,
  );
  for (const instant of ["2025-12-31T23:59:59.999Z", "2026-06-01T00:00:00.000Z"]) {
    assert.equal(findObjection(entries, instant), null);
  }
  assert.equal(
    findObjection(entries, "2026-01-01T00:00:00.000Z"),
    `it is of 2026-01-01T00:00:00Z, key ${one.id} is trusted for manifests to 2025-12-31T23:59:59Z and from 2026-06-01T00:00:00Z to 2026-06-30T23:59:59Z`,
  );
  const revoked = await load(`${one.line}\n${one.line} revoked not-after=2020-01-01`);
  assert.equal(findObjection(revoked, "2026-01-01T00:00:00.000Z"), `key ${one.id} is revoked`);
});
