import assert from "node:assert/strict";
import { serialize } from "bson";
import { blake3 } from "../../wasm/hasher.ts";
import { auditObjects } from "./audit.ts";
import type { Manifest } from "./schema.ts";

const metadata = new TextEncoder().encode("{}");
const segment = new Uint8Array([...serialize({ a: 1 }), ...serialize({ a: 2 })]);

const manifest = {
  resource: "r",
  databases: [{
    name: "d",
    collections: [{
      metadataObject: {
        path: "/@mongodb/r/d/c.metadata.json",
        size: metadata.length,
        blake3: blake3(metadata).toHex(),
      },
      segments: [{
        path: "/@mongodb/r/d/c.bson",
        size: segment.length,
        documents: 2,
        blake3: blake3(segment).toHex(),
      }],
    }],
  }],
} as unknown as Manifest;

async function audit(objects: Record<string, Uint8Array>, checked = manifest): Promise<string[]> {
  const reader = {
    list: () => Promise.resolve(Object.keys(objects)),
    open: async function* (path: string) {
      for (let at = 0; at < objects[path]!.length; at += 7) {
        await Promise.resolve();
        yield objects[path]!.subarray(at, at + 7);
      }
    },
  };
  const findings: string[] = [];
  for await (const { path, problem } of auditObjects(checked, reader, (path) => path.includes("manifest"))) {
    findings.push(`${path} ${problem}`);
  }
  return findings;
}

const good = {
  "/@mongodb/r/d/c.metadata.json": metadata,
  "/@mongodb/r/d/c.bson": segment,
  "/@mongodb/r/manifest.j.json": metadata,
};

Deno.test("auditObjects() finds nothing where everything is right", async () => {
  assert.deepEqual(await audit(good), []);
});

Deno.test("auditObjects() minds no object that was abandoned, be it there or not", async () => {
  const [database] = manifest.databases;
  const collection = { ...database!.collections[0]!, abandoned: ["/@mongodb/r/d/c.bson.00001"] };
  const checked = { ...manifest, databases: [{ ...database!, collections: [collection] }] };
  assert.deepEqual(await audit(good, checked), []);
  assert.deepEqual(await audit({ ...good, "/@mongodb/r/d/c.bson.00001": metadata }, checked), []);
  assert.deepEqual(await audit({ ...good, "/@mongodb/r/d/c.bson.00002": metadata }, checked), [
    "/@mongodb/r/d/c.bson.00002 is not listed in the manifest",
  ]);
});

Deno.test("auditObjects() finds what is missing, longer, shorter, changed or not listed", async () => {
  const path = "/@mongodb/r/d/c.bson";
  const changed = segment.slice();
  changed[10]! ^= 1;
  const { [path]: _, ...missing } = good;
  assert.deepEqual(await audit(missing), [`${path} is missing`]);
  assert.match((await audit({ ...good, [path]: segment.subarray(1) }))[0]!, /has \d+ bytes/);
  assert.match((await audit({ ...good, [path]: new Uint8Array([...segment, 0]) }))[0]!, /has \d+ bytes/);
  assert.match((await audit({ ...good, [path]: changed }))[0]!, /another BLAKE3/);
  assert.deepEqual(await audit({ ...good, "/@mongodb/r/d/x": metadata }), [
    "/@mongodb/r/d/x is not listed in the manifest",
  ]);
});

Deno.test("auditObjects() counts documents", async () => {
  const lying = structuredClone(manifest);
  lying.databases[0]!.collections[0]!.segments[0]!.documents = 3;
  assert.match((await audit(good, lying))[0]!, /has 2 documents, the manifest says 3/);
});
