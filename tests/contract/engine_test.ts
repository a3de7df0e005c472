import assert from "node:assert/strict";
import fc from "fast-check";
import { openManifest } from "../../backend/manifest/reader.ts";
import { joinParts } from "../../backend/manifest/seal.ts";
import { backUp, command, concatenated, documents, restore, testKey } from "./engine_jobs.ts";
import { type MemoryCollection, MemorySink, MemorySource } from "./memory.ts";
import { MemoryTarget } from "./memory_target.ts";

const small: Record<string, readonly MemoryCollection[]> = {
  app: [{ name: "orders", documents: documents(3000, 1000) }, { name: "empty", documents: [] }],
  shop: [{ name: "items", documents: documents(50, 10), batchDocuments: 7 }, {
    name: "log",
    documents: documents(4000, 700),
    capped: true,
  }],
  zoo: [{ name: "a/b", documents: documents(3, 1_500_000) }],
};

Deno.test("a backup and its restore bring back every byte, whatever the collections and batches", async () => {
  const collection = fc.record({
    name: fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }).filter((name) => name.isWellFormed()),
    documents: fc.array(fc.nat(200_000), { maxLength: 12 }).map((sizes) =>
      sizes.map((size, at) => documents(1, size, at)[0]!)
    ),
    batchDocuments: fc.integer({ min: 1, max: 20 }),
    capped: fc.boolean(),
  });
  const database = fc.uniqueArray(collection, { selector: ({ name }) => name, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), database, { maxKeys: 4 }),
      async (databases) => {
        const { sink, manifest } = await backUp(new MemorySource(databases));
        const target = new MemoryTarget();
        await restore(sink, target);
        for (const [name, collections] of Object.entries(databases)) {
          for (const { name: collection, documents, capped } of collections) {
            const written = target.written.get(`${name}.${collection}`) ?? [];
            if (capped) assert.equal(concatenated(written), concatenated(documents));
            else {assert.equal(
                written.reduce((sum, part) => sum + part.length, 0),
                documents.reduce((sum, one) => sum + one.length, 0),
              );}
          }
        }
        assert.equal(manifest.totals.collections, Object.values(databases).flat().length);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("runBackup() lists in the manifest exactly what it sent", async () => {
  const { sink, sealed, log } = await backUp(new MemorySource(small));
  const parts = sink.restoreObjects.filter(({ objectType }) => objectType === 25);
  const [joined] = joinParts(parts).values();
  const { manifest, id } = await openManifest(joined!, {
    keys: [(await testKey()).publicKey],
    allowUnsigned: false,
  });
  assert.equal(id, sealed.id);
  assert.equal(manifest.totals.objects + 1, sink.files.size);
  assert.equal(manifest.totals.documents, 3000 + 50 + 4000 + 3);
  assert.ok(log.lines.some((line) => line.includes("from memory:1 (SECONDARY)")));
});

Deno.test("runBackup() sends no manifest when anything went wrong", async (t) => {
  const cases: { name: string; source: MemorySource; sink?: MemorySink; want: RegExp }[] = [
    {
      name: "a cursor is lost",
      source: new MemorySource(small, { loseCursorAfter: new Map([["app.orders", 2]]) }),
      want: /read app.orders to its end/,
    },
    {
      name: "a collection was made anew",
      source: new MemorySource(small, { remade: new Set(["zoo.a/b"]) }),
      want: /zoo.a\/b: it was made anew/,
    },
    {
      name: "the server counts more documents than came",
      source: new MemorySource(small, { counts: new Map([["shop.items", 51]]) }),
      want: /read 50 documents, but the server counts 51/,
    },
    {
      name: "the sink breaks",
      source: new MemorySource(small),
      sink: new MemorySink(4),
      want: /The other end is gone/,
    },
  ];
  for (const { name, source, sink = new MemorySink(), want } of cases) {
    await t.step(name, async () => {
      await assert.rejects(backUp(source, sink), want);
      assert.equal(sink.restoreObjects.length, 0);
      assert.ok(![...sink.files.keys()].some((path) => path.includes("manifest")));
    });
  }
});

Deno.test("runBackup() stops when it is cancelled", async () => {
  const stop = new AbortController();
  const sink = new MemorySink();
  const running = backUp(new MemorySource(small), sink, command, stop.signal);
  stop.abort(new Error("cancelled"));
  await assert.rejects(running, /cancelled/);
  assert.equal(sink.restoreObjects.length, 0);
});

Deno.test("runBackup() refuses a database that isn't there", async () => {
  await assert.rejects(
    backUp(new MemorySource(small), new MemorySink(), `${command} database=app,nope`),
    /"nope": the server has no such database/,
  );
});

Deno.test("runRestore() applies nothing of a changed segment, and says so", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const target = new MemoryTarget();
  const change = (name: string, bytes: Uint8Array) => {
    if (name !== "/@mongodb/r0/app/orders.bson.00001") return bytes;
    const changed = bytes.slice();
    changed[100]! ^= 1;
    return changed;
  };
  await assert.rejects(restore(sink, target, { change }), {
    code: "objectMismatch",
    message: /nothing of this object was applied/,
  });
  const orders = target.written.get("app.orders") ?? [];
  assert.ok(
    orders.reduce((sum, part) => sum + part.length, 0) <=
      sink.files.get("/@mongodb/r0/app/orders.bson")!.bytes.length,
  );
  assert.ok(!target.done.includes("finish app.orders"));
});

Deno.test("runRestore() knows before the first write that a segment is missing", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const target = new MemoryTarget();
  const names = [...sink.files.keys()].filter((name) => name !== "/@mongodb/r0/app/orders.bson.00001");
  await assert.rejects(restore(sink, target, { names }), {
    code: "objectMissing",
    message: /orders.bson.00001 did not come/,
  });
  assert.equal(target.written.size, 0);
});

Deno.test("runRestore() notices at its end what was promised and didn't come", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const sent = [...sink.files.keys()].filter((name) => name !== "/@mongodb/r0/app/orders.bson.00002");
  await assert.rejects(restore(sink, new MemoryTarget(), { sent, names: [...sink.files.keys()] }), {
    code: "objectMissing",
  });
});

Deno.test("runRestore() notices a promised collection of which nothing came", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const names = [...sink.files.keys()];
  for (const gone of ["/shop/items", "/app/empty"]) {
    const sent = names.filter((name) => !name.includes(gone));
    await assert.rejects(restore(sink, new MemoryTarget(), { sent, names }), { code: "objectMissing" });
  }
});

Deno.test("runRestore() restores one collection when only its files are selected", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const target = new MemoryTarget();
  await restore(sink, target, {
    names: [...sink.files.keys()].filter((name) => name.includes("/shop/items")),
  });
  assert.deepEqual([...target.written.keys()], ["shop.items"]);
  assert.deepEqual(target.done, ["create shop.items", "finish shop.items", "settle", "close"]);
});

Deno.test("runRestore() leaves occupied collections alone unless told drop=yes", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const kept = new MemoryTarget({ occupied: ["shop.items"] });
  await assert.rejects(restore(sink, kept), { code: "restoreTarget", message: /shop.items is not empty/ });
  assert.deepEqual(kept.done, ["close"]);
  const dropped = new MemoryTarget({ occupied: ["shop.items"] });
  await restore(sink, dropped, { options: `${command} drop=yes` });
  assert.ok(dropped.done.includes("drop shop.items"));
});

Deno.test("runRestore() trusts no other key", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const target = new MemoryTarget();
  await assert.rejects(restore(sink, target, { trusted: await testKey(2) }), { code: "manifestSignature" });
  assert.deepEqual(target.done, []);
});

Deno.test("runRestore() takes no unsigned manifest on the stored plugin command's word", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const unsigned = new MemorySink();
  for (const [name, file] of sink.files) unsigned.files.set(name, file);
  const stripped = sink.restoreObjects.map((object) => {
    const text = new TextDecoder().decode(object.bytes);
    const bytes = new TextEncoder().encode(
      text.replace(/"keyId":"[^"]*"/, '"keyId":null').replace(/"signature":"[^"]*"/, '"signature":null'),
    );
    return { ...object, bytes };
  });
  unsigned.restoreObjects.push(...stripped);
  const target = new MemoryTarget();
  await assert.rejects(restore(unsigned, target, { options: `${command} allow_unsigned=yes` }), {
    code: "manifestSignature",
  });
  assert.deepEqual(target.done, []);
});

Deno.test("runRestore() ends when a write fails, though the other side keeps sending", async () => {
  const { sink } = await backUp(new MemorySource(small));
  const target = new MemoryTarget({ failWrites: true });
  await assert.rejects(restore(sink, target), { code: "restoreWrite" });
  assert.equal(target.done.at(-1), "close");
});

Deno.test("runRestore() refuses a restore without any manifest", async () => {
  const { sink } = await backUp(new MemorySource(small));
  sink.restoreObjects.length = 0;
  await assert.rejects(restore(sink, new MemoryTarget()), { code: "manifestMissing" });
});
