import assert from "node:assert/strict";
import fc from "fast-check";
import { blake3 } from "../../wasm/hasher.ts";
import { PluginError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { canonicalText } from "./canonical.ts";
import { openManifest, readPlace } from "./reader.ts";
import { findContradictions, type Manifest } from "./schema.ts";
import { joinParts, seal, splitParts } from "./seal.ts";
import { loadSigningKey } from "./signature.ts";
import { loadTrustedKeys, type TrustedKey } from "./trusted_keys.ts";

const noFile = () => Promise.reject(new Error("no file"));
const key = await loadSigningKey(new Secret(new Uint8Array(32).fill(3).toBase64()), noFile);
const trust = { keys: [key.publicKey], allowUnsigned: false };

function manifest(collections = 1): Manifest {
  const namespace = (name: string) => ({ database: "app", collection: name });
  const hash = "ab".repeat(32);
  return {
    format: "podheitor-mongodb-manifest/1",
    createdAt: "2026-01-02T03:04:05.678Z",
    program: { name: "test", version: "1" },
    job: { id: 5, name: "Mongo.1", level: "F", previousName: null, clientName: "fd" },
    resource: "rs0",
    mode: "dump",
    scope: { databases: ["*"], include: [], exclude: [], users: false },
    authSchema: null,
    deployment: {
      kind: "replicaSet",
      setName: "rs0",
      setId: "0123456789abcdef01234567",
      serverVersion: "6.0.5",
      featureCompatibilityVersion: "6.0",
      source: "h:1",
      sourceState: "SECONDARY",
      chosenBy: "readPreference=secondaryPreferred",
      members: [{
        host: "h:1",
        state: "SECONDARY",
        healthy: true,
        hidden: false,
        lagSeconds: 0,
        score: 5,
        reason: "0 s behind",
      }],
    },
    parent: null,
    oplog: {
      source: "h:1",
      from: { t: 1, i: 2, term: 1 },
      to: { t: 3, i: 4, term: 1 },
      entries: 0,
      bytes: 0,
      cutTransactions: 0,
      namespaces: [],
      segments: [],
    },
    databases: [{
      name: "app",
      collections: Array.from({ length: collections }, (_, at) => ({
        name: `c${at}`,
        kind: "collection" as const,
        data: namespace(`c${at}`),
        uuid: "00".repeat(16),
        metadata: '{"options":{},"indexes":[]}',
        metadataObject: { path: `/@mongodb/rs0/app/c${at}.metadata.json`, size: 27, blake3: hash },
        documents: 2,
        bytes: 10,
        segments: [{ path: `/@mongodb/rs0/app/c${at}.bson`, size: 10, documents: 2, blake3: hash }],
      })),
    }],
    totals: {
      databases: 1,
      collections,
      documents: 2 * collections,
      bytes: 10 * collections,
      objects: 2 * collections,
    },
  };
}

Deno.test("openManifest() gives back what seal() was given", async () => {
  const sealed = await seal(manifest(), key);
  const opened = await openManifest(sealed.bytes, trust);
  assert.deepEqual(opened.manifest, manifest());
  assert.equal(opened.id, sealed.id);
  assert.equal(opened.keyId, key.id);
});

Deno.test("openManifest() reads manifests that say nothing of the choice of a member", async () => {
  const { chosenBy: _, members, ...rest } = manifest().deployment;
  const deployment = { ...rest, members: members.map(({ score: _, reason: __, ...member }) => member) };
  const older = { ...manifest(), deployment } as unknown as Manifest;
  const opened = await openManifest((await seal(older, key)).bytes, trust);
  assert.equal(opened.manifest.deployment.chosenBy, "");
  assert.deepEqual(opened.manifest.deployment.members[0], { ...members[0], score: null, reason: "" });
});

Deno.test("openManifest() refuses every change of a single byte", async () => {
  const { bytes } = await seal(manifest(), key);
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at]! ^= 1 << (at % 7);
    await assert.rejects(openManifest(changed, trust), { name: "PluginError" }, `byte ${at}`);
  }
});

Deno.test("openManifest() refuses every truncation, insertion and repetition", async () => {
  const { bytes } = await seal(manifest(), key);
  await fc.assert(fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, byte) => {
    const inserted = new Uint8Array([...bytes.subarray(0, at), byte, ...bytes.subarray(at)]);
    for (const changed of [bytes.subarray(0, at), bytes.subarray(at + 1), inserted]) {
      await assert.rejects(openManifest(changed, trust), { name: "PluginError" });
    }
  }));
});

Deno.test("openManifest() refuses what would take memory or time without end, and any other text, with a PluginError", async () => {
  const anyone = { keys: [], allowUnsigned: true };
  const sealOf = (manifest: string) =>
    new TextEncoder().encode(
      `{"blake3":"${
        blake3(new TextEncoder().encode(manifest)).toHex()
      }","keyId":null,"manifest":${manifest},"signature":null}`,
    );
  const { job: _, ...rest } = manifest();
  const hostile = [
    sealOf("[".repeat(100_000) + "]".repeat(100_000)),
    sealOf(`{"a":${'{"a":'.repeat(100_000)}1${"}".repeat(100_001)}`),
    sealOf(canonicalText({ ...rest, __proto__: null, job: { id: 2 ** 53 - 1 } })),
    sealOf('{"createdAt":1e400}'),
    sealOf(`{"createdAt":${"9".repeat(1 << 20)}}`),
    // What a compressing volume makes of a few bytes.
    new Uint8Array((256 << 20) + 1),
  ];
  for (const bytes of hostile) await assert.rejects(openManifest(bytes, anyone), { code: "manifestInvalid" });
  await fc.assert(fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
    for (const bytes of [new TextEncoder().encode(text), sealOf(text)]) {
      await assert.rejects(openManifest(bytes, anyone), { name: "PluginError" });
      assert.throws(() => readPlace(bytes), { code: "manifestInvalid" });
    }
  }));
});

Deno.test("joinParts() answers any names with parts or a PluginError", () => {
  const part = fc.tuple(
    fc.constantFrom("A", "B", "../x"),
    fc.constantFrom("rs0", ""),
    fc.nat(4),
    fc.nat(99_999),
  ).map(
    ([job, resource, at, of]) => `podheitor-mongodb/manifest/${job}/${resource}/${at}-of-${of}`,
  );
  fc.assert(fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 5 }), (names) => {
    try {
      joinParts(names.map((name) => ({ name, bytes: new Uint8Array(1) })));
    } catch (cause) {
      assert.ok(cause instanceof PluginError && cause.code === "manifestMissing", String(cause));
    }
  }));
});

Deno.test("openManifest() takes the canonical form only", async () => {
  const { bytes } = await seal(manifest(), key);
  const text = new TextDecoder().decode(bytes);
  for (
    const other of [
      `${text}\n`,
      ` ${text}`,
      text.replace('"rs0"', '"\\u0072s0"'),
      JSON.stringify(JSON.parse(text), null, 1),
    ]
  ) {
    await assert.rejects(openManifest(new TextEncoder().encode(other), trust), { code: "manifestInvalid" });
  }
});

Deno.test("openManifest() trusts the listed keys and no others", async () => {
  const other = await loadSigningKey(new Secret(new Uint8Array(32).fill(4).toBase64()), noFile);
  const { bytes } = await seal(manifest(), key);
  await openManifest(bytes, { keys: [other.publicKey, key.publicKey], allowUnsigned: false });
  await assert.rejects(openManifest(bytes, { keys: [other.publicKey], allowUnsigned: true }), {
    code: "manifestSignature",
    message: /trusted are/,
  });
  const forged = { id: key.id, key: other.publicKey.key };
  await assert.rejects(
    openManifest(bytes, { keys: [forged], allowUnsigned: false }),
    /the signature of key .* is wrong/,
  );
});

Deno.test("openManifest() believes a key for its time only, and a revoked one never", async () => {
  const { bytes } = await seal(manifest(), key);
  const open = (...entries: Omit<TrustedKey, "id" | "key">[]) =>
    openManifest(bytes, {
      keys: entries.map((entry) => ({ ...key.publicKey, ...entry })),
      allowUnsigned: false,
    });
  const second = "2026-01-02T03:04:05Z";
  await open({ notBefore: second, notAfter: second });
  await open({ notAfter: "2025-12-31T23:59:59Z" }, { notBefore: "2026-01-01T00:00:00Z" });
  const refused = (message: RegExp) => ({ code: "manifestSignature", message });
  await assert.rejects(
    open({ notBefore: "2026-01-02T03:04:06Z" }),
    refused(
      /it is of 2026-01-02T03:04:05Z, key [0-9a-f]{16} is trusted for manifests from 2026-01-02T03:04:06Z$/,
    ),
  );
  await assert.rejects(open({ notAfter: "2026-01-02T03:04:04Z" }), refused(/to 2026-01-02T03:04:04Z$/));
  await assert.rejects(open({}, { revoked: true }), refused(/key [0-9a-f]{16} is revoked$/));
});

Deno.test("openManifest() takes an unsigned manifest only where that is allowed", async () => {
  const { bytes, keyId } = await seal(manifest(), null);
  assert.equal(keyId, null);
  await assert.rejects(openManifest(bytes, trust), { code: "manifestSignature", message: /not signed/ });
  assert.equal((await openManifest(bytes, { keys: [], allowUnsigned: true })).keyId, null);
});

Deno.test("findContradictions() finds sums, paths and kinds that disagree", () => {
  const base = manifest();
  const [database] = base.databases;
  const [collection] = database!.collections;
  const withCollection = (changes: object) => ({
    ...base,
    databases: [{ ...database!, collections: [{ ...collection!, ...changes }] }],
  });
  const cases: { name: string; input: Manifest; want: RegExp }[] = [
    {
      name: "total",
      input: { ...base, totals: { ...base.totals, documents: 3 } },
      want: /total of documents/,
    },
    { name: "sum", input: withCollection({ documents: 3 }), want: /not the sum/ },
    {
      name: "twice",
      input: withCollection({ segments: [...collection!.segments, ...collection!.segments] }),
      want: /listed twice/,
    },
    { name: "elsewhere", input: { ...base, resource: "rs1" }, want: /not below/ },
    {
      name: "listed and abandoned",
      input: withCollection({ abandoned: [collection!.segments[0]!.path] }),
      want: /both listed and abandoned/,
    },
    {
      name: "abandoned elsewhere",
      input: withCollection({ abandoned: ["/@mongodb/other/x.bson"] }),
      want: /not below/,
    },
    { name: "view with data", input: withCollection({ kind: "view" }), want: /disagrees/ },
  ];
  assert.deepEqual(findContradictions(base), []);
  assert.deepEqual(
    findContradictions(withCollection({ abandoned: ["/@mongodb/rs0/app/c0.bson.00001"] })),
    [],
  );
  for (const { name, input, want } of cases) {
    assert.ok(findContradictions(input).some((fault) => want.test(fault)), name);
  }
});

Deno.test("seal() refuses a manifest that nobody could open", async () => {
  await assert.rejects(seal({ ...manifest(), resource: "a/b" }, key), { code: "internal" });
  const climbing = manifest();
  climbing.databases[0]!.collections[0]!.segments[0]!.path = "/@mongodb/rs0/../etc/passwd";
  await assert.rejects(seal(climbing, key), { code: "internal" });
});

Deno.test("joinParts() puts together what splitParts() cut, in any order", async () => {
  const sealed = await seal(manifest(5000), key);
  const parts = splitParts(sealed, "Mongo.1", "rs0");
  assert.ok(parts.length > 1);
  assert.ok(parts.every(({ bytes }) => bytes.length <= 900_000));
  const [joined] = joinParts([...parts].reverse()).values();
  assert.deepEqual(joined, sealed.bytes);
});

Deno.test("joinParts() refuses missing, repeated and contradictory parts", async () => {
  const parts = splitParts(await seal(manifest(5000), key), "Mongo.1", "rs0");
  const renamed = { ...parts[0]!, name: parts[0]!.name.replace(/-of-\d+/, "-of-9") };
  for (
    const bad of [parts.slice(1), [...parts, parts[0]!], [renamed, ...parts.slice(1)], [{
      ...parts[0]!,
      name: "x",
    }]]
  ) {
    assert.throws(() => joinParts(bad), { code: "manifestMissing" });
  }
});

Deno.test("joinParts() keeps jobs and resources apart", async () => {
  const sealed = await seal(manifest(), key);
  const joined = joinParts([
    ...splitParts(sealed, "A.1", "rs0"),
    ...splitParts(sealed, "A.1", "rs1"),
    ...splitParts(sealed, "B.1", "rs0"),
  ]);
  assert.equal(joined.size, 3);
});

Deno.test("FORMAT.md's way of verifying by hand works with openssl", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const openssl = async (...args: string[]) => {
      const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder, stdout: "null" })
        .output();
      return { success, text: new TextDecoder().decode(stderr) };
    };
    assert.ok((await openssl("genpkey", "-algorithm", "ed25519", "-out", "signing.pem")).success);
    assert.ok((await openssl("pkey", "-in", "signing.pem", "-pubout", "-out", "signing.pub")).success);
    const read = async (path: string) => ({ text: await Deno.readTextFile(path), mode: 0o600 });
    const opensslKey = await loadSigningKey(new Secret(`${folder}/signing.pem`), read);
    const keys = await loadTrustedKeys(`${folder}/signing.pub`, read);
    assert.equal(keys[0]!.id, opensslKey.id);
    const { bytes } = await seal(manifest(), opensslKey);
    const text = new TextDecoder().decode(bytes);
    await Deno.writeTextFile(`${folder}/m.json`, text);
    const shell = await new Deno.Command("sh", {
      cwd: folder,
      args: [
        "-c",
        `sed -E 's/^\\{"blake3":"[0-9a-f]{64}","keyId":"[0-9a-f]{16}","manifest":(.*),"signature":"[A-Za-z0-9+/=]+"\\}$/\\1/' m.json | tr -d '\\n' > body
         printf 'podheitor-mongodb-manifest/1\\n%s\\n' "$(grep -oE '^\\{"blake3":"[0-9a-f]{64}' m.json | grep -oE '[0-9a-f]{64}$')" > message
         grep -oE '"signature":"[A-Za-z0-9+/=]+"\\}$' m.json | sed -E 's/.*:"(.*)"\\}/\\1/' | base64 -d > signature
         openssl pkeyutl -verify -pubin -inkey signing.pub -rawin -in message -sigfile signature`,
      ],
    }).output();
    assert.ok(shell.success, new TextDecoder().decode(shell.stderr));
    // In place of b3sum, which may not be here, our own BLAKE3, which the official vectors hold.
    assert.equal(blake3(await Deno.readFile(`${folder}/body`)).toHex(), JSON.parse(text).blake3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openManifest() reads manifests of before there were patterns and users in a scope", async () => {
  const { authSchema: _, scope: { databases }, ...rest } = manifest();
  const text = canonicalText({ ...rest, scope: { databases } });
  const digest = blake3(new TextEncoder().encode(text)).toHex();
  const sealed = `{"blake3":"${digest}","keyId":null,"manifest":${text},"signature":null}`;
  const opened = await openManifest(new TextEncoder().encode(sealed), { keys: [], allowUnsigned: true });
  assert.deepEqual([opened.manifest, opened.digest], [manifest(), digest]);
});
