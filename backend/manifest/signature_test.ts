import assert from "node:assert/strict";
import type { SecretFile } from "../options/credentials.ts";
import { Secret } from "../secret.ts";
import { loadSigningKey, makeSigningKey, publicText, sign, verifySignature } from "./signature.ts";
import { loadTrustedKeys } from "./trusted_keys.ts";

const seed = new Uint8Array(32).fill(9);
const pem = `-----BEGIN PRIVATE KEY-----\n${
  new Uint8Array([...Uint8Array.fromHex("302e020100300506032b657004220420"), ...seed]).toBase64()
}\n-----END PRIVATE KEY-----\n`;

function files(content: Record<string, SecretFile>) {
  return (path: string) =>
    path in content ? Promise.resolve(content[path]!) : Promise.reject(new Error("No such file"));
}

Deno.test("loadSigningKey() reads the same key from a seed, a PEM and their files", async () => {
  const read = files({
    "/seed": { text: `${seed.toBase64()}\n`, mode: 0o600 },
    "/pem": { text: pem, mode: 0o400 },
  });
  const ids = new Set<string>();
  for (const value of [seed.toBase64(), pem, "/seed", "/pem"]) {
    ids.add((await loadSigningKey(new Secret(value), read)).id);
  }
  assert.equal(ids.size, 1);
});

Deno.test("loadSigningKey() refuses with a sentence that shows no key material", async (t) => {
  const read = files({
    "/open": { text: pem, mode: 0o640 },
    "/short": { text: seed.subarray(1).toBase64(), mode: 0o600 },
  });
  const cases = [
    { name: "missing file", input: "/nowhere", want: /No such file/ },
    { name: "readable by the group", input: "/open", want: /its mode is 0640/ },
    { name: "too short", input: "/short", want: /neither a PKCS #8 PEM/ },
    { name: "nonsense", input: "not a key", want: /neither a PKCS #8 PEM/ },
    { name: "other PEM", input: pem.replace("MC4C", "MC4D"), want: /neither a PKCS #8 PEM/ },
  ];
  for (const { name, input, want } of cases) {
    await t.step(name, async () => {
      await assert.rejects(loadSigningKey(new Secret(input), read), (cause: Error) => {
        assert.match(cause.message, want);
        assert.ok(!cause.message.includes(seed.toBase64().slice(0, 20)));
        return true;
      });
    });
  }
});

Deno.test("makeSigningKey() makes a PEM that gives the same key back, and a line that trusts it", async () => {
  const { key, pem } = await makeSigningKey();
  const again = await loadSigningKey(pem, files({}));
  assert.equal(again.id, key.id);
  const signature = await sign(again, "ab".repeat(32));
  const list = { text: await publicText(key.publicKey), mode: 0o644 };
  const [trusted] = await loadTrustedKeys("/list", files({ "/list": list }));
  assert.equal(await verifySignature(trusted!, "ab".repeat(32), signature), true);
  assert.notEqual((await makeSigningKey()).key.id, key.id);
});

Deno.test("verifySignature() knows the key's own signature over that digest only", async () => {
  const key = await loadSigningKey(new Secret(seed.toBase64()), files({}));
  const signature = await sign(key, "ab".repeat(32));
  assert.equal(await verifySignature(key.publicKey, "ab".repeat(32), signature), true);
  assert.equal(await verifySignature(key.publicKey, "ac".repeat(32), signature), false);
});

Deno.test("loadSigningKey() takes a seed whose base64 begins with a slash, and never shows one that is mistyped", async () => {
  const seed = new Uint8Array(32).fill(7);
  seed[0] = 0xff;
  const text = seed.toBase64();
  assert.ok(text.startsWith("/"));
  const none = (path: string) => Promise.reject(new Error(`open ${path}`));
  assert.match((await loadSigningKey(new Secret(text), none)).id, /^[0-9a-f]{16}$/);
  for (
    const mistyped of [text.slice(0, -2) + "=", text.slice(0, -3), `${text.slice(0, 20)}x${text.slice(20)}`]
  ) {
    await assert.rejects(loadSigningKey(new Secret(mistyped), none), (thrown: Error) => {
      assert.ok(!Deno.inspect(thrown).includes(mistyped.slice(0, 12)), thrown.message);
      return true;
    });
  }
  await assert.rejects(
    loadSigningKey(new Secret("/etc/podheitor/signing.pem"), none),
    /\/etc\/podheitor\/signing\.pem/,
  );
});
