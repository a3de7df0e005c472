import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Binary, serialize } from "bson";
import { MemoryLog } from "../../tests/contract/memory.ts";
import { MemorySpool, MemoryTarget } from "../../tests/contract/memory_target.ts";
import { until } from "../../tests/lab/condition.ts";
import { Blake3 } from "../../wasm/hasher.ts";
import type { ManifestSegment } from "../manifest/schema.ts";
import type { RestoredCollection } from "../ports.ts";
import { ResourceRestore } from "./resource_restore.ts";
import type { PlannedCollection, PlannedObject, RestorePlan } from "./restore_plan.ts";

const mib = 1 << 20;

/** A target whose writes end when they are told to. */
class SlowTarget extends MemoryTarget {
  readonly pending: (() => void)[] = [];
  most = 0;

  override async write(collection: RestoredCollection, documents: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.pending.push(resolve);
    this.most = Math.max(this.most, this.pending.length);
    await promise;
    await super.write(collection, documents);
  }

  finishOne(): void {
    this.pending.shift()!();
  }
}

/** The same segment for so many collections. */
function planOf(segments: number, bytes: Uint8Array, documents: number): RestorePlan {
  const metadata = '{"options":{},"indexes":[]}';
  using hasher = new Blake3();
  hasher.update(bytes);
  const blake3 = hasher.digest().toHex();
  const objects = new Map<string, PlannedObject>();
  const collections = Array.from({ length: segments }, (_, at): PlannedCollection => {
    const namespace = { database: "app", collection: `c${at}` };
    const path = `/${at}`;
    const segment = { path, size: bytes.length, blake3, documents } as ManifestSegment;
    const base = { namespace, source: namespace, kind: "collection", data: namespace, metadata } as const;
    const collection = { ...base, documents, bytes: bytes.length, segments: [segment] };
    objects.set(path, { kind: "segment", collection, segment, index: 0 });
    return collection;
  });
  const selection = { accepts: () => true, map: <T>(namespace: T) => namespace, keepsNames: true };
  const rest = {
    resource: "r0",
    jobs: [],
    slices: new Map(),
    nextEntry: null,
    limit: null,
    selection,
    users: false,
  };
  return { ...rest, collections, objects };
}

/** Begins to restore so many segments of a size. */
function begin(segments: number, mebibytes: number, parallel_restore: number) {
  const document = serialize({ bytes: new Binary(new Uint8Array(mib - 100)) });
  const bytes = Buffer.concat(Array.from({ length: mebibytes }, () => document));
  const plan = planOf(segments, bytes, mebibytes);
  const target = new SlowTarget();
  const restore = new ResourceRestore(plan, new Set(plan.objects.keys()), {
    target,
    users: null,
    drop: false,
    spool: new MemorySpool(),
    log: new MemoryLog(),
    failure: new AbortController(),
    signal: new AbortController().signal,
    options: { index_build: "after", parallel_indexes: 1, parallel_restore, write_concern: "majority" },
  });
  const begun: string[] = [];
  const receive = async () => {
    for (const name of plan.objects.keys()) {
      const header = { name, size: bytes.length, mode: 0, atime: 0, mtime: 0, ctime: 0 };
      const body = (async function* () {
        begun.push(name);
        yield bytes;
      })();
      await restore.receive(name, header, body);
    }
    await restore.finish();
  };
  return { target, restore, begun, all: receive() };
}

const cases = [
  { name: "small segments", mebibytes: 1, parallel: 3, writes: 3, begun: 4 },
  { name: "one at a time", mebibytes: 1, parallel: 1, writes: 1, begun: 2 },
  {
    name: "segments for which there is less memory than turns",
    mebibytes: 40,
    parallel: 3,
    writes: 3,
    begun: 3,
  },
  { name: "segments that are alone in memory", mebibytes: 100, parallel: 2, writes: 1, begun: 1 },
];

for (const { name, mebibytes, parallel, writes, begun: wanted } of cases) {
  Deno.test(`ResourceRestore holds only so much in memory: ${name}`, async () => {
    const segments = wanted + 2;
    const { target, restore, begun, all } = begin(segments, mebibytes, parallel);
    await until(
      "all that may begin",
      20_000,
      () => begun.length >= wanted && target.pending.length >= writes,
    );
    deepStrictEqual([begun.length, target.pending.length], [wanted, writes]);
    const documents = segments * mebibytes;
    while (restore.counts.documents < documents) {
      await until("the next write", 20_000, () => target.pending.length > 0);
      const { documents: before } = restore.counts;
      target.finishOne();
      await until("its end", 20_000, () => restore.counts.documents > before);
      ok(begun.length <= wanted + restore.counts.objects, `${begun.length} begun`);
    }
    await all;
    strictEqual(target.most, writes);
    strictEqual(restore.counts.documents, documents);
    await restore[Symbol.asyncDispose]();
  });
}

Deno.test("ResourceRestore ends though a write never does, and begins no other one", async () => {
  const { target, restore, all } = begin(3, 1, 1);
  all.catch(() => {});
  await until("the first write", 20_000, () => target.pending.length === 1);
  await restore[Symbol.asyncDispose]();
  target.finishOne();
  await rejects(all);
  deepStrictEqual([target.pending.length, target.most], [0, 1]);
});
