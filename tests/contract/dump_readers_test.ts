/** Many readers of a Full and one sink: what comes out is whole, what is in memory is bounded, and nobody waits for ever. */

import assert from "node:assert/strict";
import { Binary, serialize } from "bson";
import fc from "fast-check";
import type { Namespace } from "../../backend/namespace.ts";
import type { DataChunk, FileHeader } from "../../backend/objects.ts";
import type { KeyRange } from "../../backend/ports.ts";
import { backUp, documentsOf } from "./dump_job.ts";
import { type MemoryCollection, MemorySink, MemorySource, type SourceFaults } from "./memory.ts";

type Databases = Record<string, readonly MemoryCollection[]>;

const large = 1 << 40;
function documents(count: number, bytes: number): Uint8Array[] {
  return Array.from(
    { length: count },
    (_, _id) => serialize({ _id, data: new Binary(new Uint8Array(bytes).fill(_id)) }),
  );
}

/** Counts what its readers have taken. */
class CountedSource extends MemorySource {
  batches = 0;
  readonly readers = new Map<string, number>();
  mostReaders = 0;

  override async *readBatches(namespace: Namespace, signal: AbortSignal, range?: KeyRange) {
    const name = namespace.database;
    this.readers.set(name, (this.readers.get(name) ?? 0) + 1);
    this.mostReaders = Math.max(this.mostReaders, [...this.readers.values()].reduce((a, b) => a + b, 0));
    try {
      for await (const batch of super.readBatches(namespace, signal, range)) {
        this.batches++;
        yield batch;
      }
    } finally {
      this.readers.set(name, this.readers.get(name)! - 1);
    }
  }
}

/** A sink that takes nothing until it is let. */
class StuckSink extends MemorySink {
  readonly #free = Promise.withResolvers<void>();

  release(): void {
    this.#free.resolve();
  }

  override async sendFile(header: FileHeader, body: Iterable<DataChunk> | AsyncIterable<DataChunk>) {
    if (!header.name.includes(".metadata")) await this.#free.promise;
    await super.sendFile(header, body);
  }
}

Deno.test("runBackup() sends every document once, whatever the readers, ranges and limits", async () => {
  const collection = fc.record({
    name: fc.stringMatching(/^[a-z]{1,8}$/),
    documents: fc.tuple(fc.nat(40), fc.nat(300_000)).map(([count, bytes]) =>
      documents(count, count > 4 ? bytes / 10 : bytes)
    ),
    batchDocuments: fc.integer({ min: 1, max: 9 }),
    sizeHintBytes: fc.constantFrom(0, large),
  });
  const database = fc.uniqueArray(collection, { selector: ({ name }) => name, maxLength: 4 });
  const limit = fc.integer({ min: 1, max: 5 });
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), database, { maxKeys: 4 }),
      limit,
      limit,
      limit,
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 1, max: 12 }),
      async (databases: Databases, dbs, collections, chunksAtOnce, readers, chunks) => {
        const options = `parallel_dbs=${dbs} parallel_collections=${collections} ` +
          `parallel_chunks=${chunksAtOnce} parallel_readers=${readers} chunks=${chunks}`;
        const source = new CountedSource(databases);
        const { sink, manifest } = await backUp(source, options);
        assert.ok(source.mostReaders <= (readers || Math.max(dbs, collections, chunksAtOnce)));
        for (const { name, collections } of manifest.databases) {
          for (const { name: collection, documents: count, segments } of collections) {
            const sent = segments.flatMap(({ path }) => documentsOf(sink.files.get(path)!.bytes));
            const there = databases[name]!.find((one) => one.name === collection)!.documents;
            assert.deepEqual(sent.sort(), there.map((document) => document.toHex()).sort());
            assert.equal(count, there.length);
          }
        }
        assert.deepEqual(
          manifest.databases.map(({ name, collections }) => [name, collections.map(({ name }) => name)]),
          Object.keys(databases).sort().map((
            name,
          ) => [name, databases[name]!.map(({ name }) => name).sort()]),
        );
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("runBackup() holds a segment and a batch for each reader, and two segments more, while the sink takes nothing", async () => {
  // Each document is a batch, and more than a segment.
  const collection = (name: string) => ({
    name,
    documents: documents(30, 1_100_000),
    batchDocuments: 1,
    sizeHintBytes: large,
  });
  const source = new CountedSource({ a: [collection("a"), collection("b")], b: [collection("a")] });
  const sink = new StuckSink();
  const running = backUp(source, "parallel_readers=4", sink);
  // Everything in memory goes on by itself until it has to wait for the sink.
  for (let taken = -1; taken !== source.batches;) {
    taken = source.batches;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
  }
  const segments = 4 + 2;
  assert.ok(source.batches > segments && source.batches <= segments + 4, `${source.batches} batches`);
  sink.release();
  const { manifest } = await running;
  assert.equal(manifest.totals.documents, 90);
});

Deno.test("runBackup() reads small databases while a huge one is far from its end", async () => {
  const huge = { name: "c", documents: documents(2000, 10), batchDocuments: 1, sizeHintBytes: large };
  const databases: Databases = { a_huge: [huge] };
  for (let at = 0; at < 12; at++) databases[`small${at}`] = [{ name: "c", documents: documents(3, 10) }];
  const { log } = await backUp(new CountedSource(databases), "parallel_dbs=4 chunks=50");
  const ends = log.lines.filter((line) => line.startsWith("info Database ")).map((line) =>
    line.split(":")[0]
  );
  assert.equal(ends.length, 13);
  assert.equal(ends.at(-1), "info Database a_huge");
});

Deno.test("runBackup() fails whole when one of many readers fails, or the sink does", async (t) => {
  const databases: Databases = {
    app: [{ name: "c", documents: documents(400, 20_000), batchDocuments: 5, sizeHintBytes: large }],
    shop: [{ name: "c", documents: documents(100, 20_000), batchDocuments: 5 }],
  };
  const cases: { name: string; faults?: SourceFaults; failAfter?: number; want: RegExp }[] = [
    {
      name: "a range is lost",
      faults: { loseCursorAfter: new Map([["app.c", 3]]) },
      want: /read app.c to its end/,
    },
    {
      name: "a document is in no range",
      faults: { counts: new Map([["app.c", 401]]) },
      want: /read 400 documents, but the server counts 401/,
    },
    { name: "the sink breaks", failAfter: 4, want: /The other end is gone/ },
  ];
  for (const { name, faults, failAfter, want } of cases) {
    await t.step(name, async () => {
      const sink = new MemorySink(failAfter);
      await assert.rejects(backUp(new MemorySource(databases, faults), "chunks=8", sink), want);
      assert.equal(sink.restoreObjects.length, 0);
    });
  }
});

Deno.test("runBackup() says when the member's lag can't be heeded, and reads on", async () => {
  const source = new MemorySource({ app: [{ name: "c", documents: documents(10, 10) }] }, {
    lagSeconds: [null],
  });
  const { log } = await backUp(source, "max_lag=10");
  assert.ok(log.lines.some((line) => line.startsWith("warning max_lag is not heeded: memory:1 ")));
});

Deno.test("runBackup() refuses more memory for segments than there can be, before anything is sent", async () => {
  const sink = new MemorySink();
  await assert.rejects(
    backUp(new MemorySource({ app: [] }), "parallel_readers=32 segment_size=256M", sink),
    { code: "optionInvalid", message: /32 readers with segments of 256\.0 MiB/ },
  );
  assert.equal(sink.files.size, 0);
});
