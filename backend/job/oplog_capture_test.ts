import assert from "node:assert/strict";
import fc from "fast-check";
import {
  assertSound,
  captureAll,
  hex,
  insert,
  type Kind,
  openCapture,
} from "../../tests/contract/capture.ts";
import { until } from "../../tests/lab/condition.ts";
import { MemorySink } from "../../tests/contract/memory.ts";
import type { MemoryOplog } from "../../tests/contract/memory_oplog.ts";
import { commandBytes, entryBytes, place } from "../../tests/contract/oplog_entries.ts";
import { PluginError } from "../errors.ts";
import { parseNamespace } from "../namespace.ts";
import type { ObjectSink } from "../objects.ts";

Deno.test("OplogCapture takes the same slice over any batches, segments and rounds", async () => {
  const entries = fc.array(
    fc.record({ ns: fc.constantFrom("app.a", "app.b", "other.c"), size: fc.nat(200) }),
    {
      minLength: 1,
      maxLength: 25,
    },
  ).map((list) => list.map(({ ns, size }, at) => ({ ns, bytes: insert(1000 + at, ns, size) })));
  const setting = fc.record({
    batchEntries: fc.integer({ min: 1, max: 7 }),
    segmentBytes: fc.integer({ min: 1, max: 1500 }),
    kind: fc.constantFrom<Kind>("of a Full", "of an increment"),
    rounds: fc.array(fc.nat(30), { maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(entries, setting, async (entries, { rounds, ...setting }) => {
      using one = openCapture({ entries: entries.map(({ bytes }) => bytes), databases: ["app"], ...setting });
      const ends = [...rounds.map((at) => at % entries.length).sort((a, b) => a - b), entries.length - 1];
      for (const end of ends) await one.capture.readTo(place(1000 + end));
      const slice = await one.capture.finish();
      assertSound(slice, setting.kind);
      const kept = entries.slice(1).filter(({ ns }) => ns.startsWith("app."));
      assert.deepEqual(one.sent(), hex(kept.map(({ bytes }) => bytes)));
      assert.deepEqual([slice.from, slice.to], [place(1000), place(999 + entries.length)]);
      assert.equal(slice.entries, kept.length);
      assert.equal(slice.bytes, kept.reduce((sum, { bytes }) => sum + bytes.length, 0));
      const groups = [...Map.groupBy(kept, ({ ns }) => ns)].sort(([a], [b]) => a < b ? -1 : 1);
      assert.deepEqual(
        slice.namespaces,
        groups.map(([ns, list]) => ({
          ...parseNamespace(ns),
          entries: list.length,
          bytes: list.reduce((sum, { bytes }) => sum + bytes.length, 0),
        })),
      );
    }),
    { numRuns: 60 },
  );
});

const gaps: readonly { name: string; change: (oplog: MemoryOplog) => void; message: RegExp }[] = [
  {
    name: "overrun: the oldest entry is behind it",
    change: (oplog) => oplog.overrun(place(1002)),
    message: /go on behind 1001\.1 .* of term 1: .* goes on with 1002\.1 .* of term 1/,
  },
  {
    name: "rolled back: another one stands in its place",
    change: (oplog) => {
      oplog.rollBack(place(1000));
      for (const t of [1001, 1002, 1003]) oplog.write(insert(t, "app.a", 10, 2));
    },
    message: /behind 1001\.1 .* of term 1: .* 1001\.1 .* of term 2/,
  },
  {
    name: "rolled back: the next one is later",
    change: (oplog) => {
      oplog.rollBack(place(1000));
      for (const t of [1002, 1003]) oplog.write(insert(t, "app.a", 10, 2));
    },
    message: /goes on with 1002\.1 .* of term 2/,
  },
  {
    name: "the end doesn't come",
    change: (oplog) => oplog.rollBack(place(1002)),
    message: /should end at 1003\.1 .* ends at 1002\.1/,
  },
  {
    name: "nothing comes",
    change: (oplog) => oplog.rollBack(place(900)),
    message: /should end at 1003\.1 .* ends at /,
  },
];

Deno.test("OplogCapture.readTo() refuses a gap and a rollback between two rounds, and an end that doesn't come", async () => {
  for (const kind of ["of a Full", "of an increment"] as const) {
    for (const { name, change, message } of gaps) {
      using one = openCapture({ entries: [1000, 1001, 1002, 1003].map((t) => insert(t)), kind });
      await one.capture.readTo(place(1001));
      change(one.oplog);
      await assert.rejects(
        one.capture.readTo(place(1003)),
        { code: "oplogGap", message, hint: /./ },
        `${name}, ${kind}`,
      );
    }
  }
});

Deno.test("OplogCapture.readTo() refuses a slice whose first entry isn't the last one of before", async () => {
  for (const entries of [[insert(1001), insert(1002)], [insert(1000, "app.a", 1, 2), insert(1002)]]) {
    using one = openCapture({ entries });
    await assert.rejects(one.capture.readTo(place(1002)), { code: "oplogGap", message: /behind 1000\.1/ });
  }
});

Deno.test("OplogCapture.readTo() wants the end by its term too", async () => {
  using one = openCapture({ entries: [insert(1000), insert(1001)] });
  await assert.rejects(one.capture.readTo(place(1001, 1, 2)), {
    code: "oplogGap",
    message: /1001\.1 .* of term 2, but/,
  });
});

Deno.test("OplogCapture gives an empty slice where nothing was written, or nothing in its scope", async () => {
  for (
    const entries of [[insert(1000)], [
      insert(1000),
      insert(1001, "other.x"),
      insert(1002, "config.transactions"),
    ]]
  ) {
    const { slice, sent } = await captureAll({ entries, databases: ["app"] });
    assert.deepEqual([slice.entries, slice.segments, sent], [0, [], []]);
    assert.equal(slice.to.t, 999 + entries.length);
  }
});

const stopping: readonly { name: string; entry: Uint8Array; message: RegExp }[] = [
  {
    name: "an unknown command",
    entry: commandBytes(place(1001), "app", { importCollection: "a" }),
    message: /importCollection/,
  },
  {
    name: "a change of the feature compatibility version",
    entry: entryBytes({
      op: "u",
      ns: "admin.system.version",
      o: { $v: 2, diff: {} },
      o2: { _id: "featureCompatibilityVersion" },
      at: place(1001),
    }),
    message: /feature compatibility version/,
  },
  {
    name: "a resharded collection",
    entry: entryBytes({ op: "i", ns: "config.reshardingOperations", o: { _id: 1 }, at: place(1001) }),
    message: /resharded/,
  },
];

Deno.test("OplogCapture stops at what no restore could replay, and at a damaged batch", async () => {
  for (const { name, entry, message } of stopping) {
    await assert.rejects(captureAll({ entries: [insert(1000), entry] }), {
      code: "oplogUnreplayable",
      message,
    }, name);
  }
  using one = openCapture({ entries: [insert(1000), insert(1001)] });
  one.oplog.damage = (batch) => batch.with(0, batch[0]! + 1);
  await assert.rejects(one.capture.readTo(place(1001)), {
    code: "serverReply",
    message: /memory:1: .* at offset 0/,
  });
});

Deno.test("OplogCapture keeps no segment after a failure", async () => {
  using one = openCapture({
    entries: [insert(1000), insert(1001), commandBytes(place(1002), "app", { importCollection: 1 })],
  });
  await assert.rejects(one.capture.readTo(place(1002)));
  one.capture[Symbol.dispose]();
  const never = new AbortController().signal;
  for (const segment of [await one.supply.acquire(never), await one.supply.acquire(never)]) {
    one.supply.release(segment);
  }
  // It is disposed of already.
  one.capture[Symbol.dispose] = () => {};
});

Deno.test("OplogCapture reads no further than its segments hold while the sink takes nothing", async () => {
  const entries = Array.from({ length: 200 }, (_, at) => insert(1000 + at, "app.a", 1000));
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  const memory = new MemorySink();
  const sink: ObjectSink = {
    sendFile: async (header, body) => {
      await taken;
      await memory.sendFile(header, body);
    },
    sendRestoreObject: () => Promise.reject(new Error("none here")),
  };
  // Two segments of ten entries each, batches of five.
  using one = openCapture({
    entries,
    batchEntries: 5,
    segmentBytes: 10 * insert(1001, "app.a", 1000).length,
    sink,
  });
  const reading = one.capture.readTo(place(1199));
  await until("the segments to be full", 5_000, () => one.oplog.batchesRead >= 5);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(one.oplog.batchesRead, 5);
  take();
  await reading;
  assert.equal((await one.capture.finish()).entries, 199);
  assert.equal(memory.files.size, 20);
});

Deno.test("OplogCapture.readTo() goes on behind the last entry it has, after a reading that was lost anywhere", async () => {
  const entries = Array.from({ length: 10 }, (_, at) => insert(1000 + at));
  for (let lostAt = 0; lostAt <= 4; lostAt++) {
    let batches = 0;
    const tries: number[] = [];
    using one = openCapture({
      entries,
      batchEntries: 3,
      outlast: (_, count) => {
        tries.push(count);
        return Promise.resolve();
      },
    });
    one.oplog.damage = (batch) => {
      if (batches++ === lostAt) throw new Error("lost");
      return batch;
    };
    await one.capture.readTo(place(1009));
    assert.equal((await one.capture.finish()).entries, 9);
    assert.deepEqual(one.sent(), hex(entries.slice(1)), `lost at ${lostAt}`);
    assert.deepEqual(tries, lostAt < batches - 1 ? [1] : tries);
  }
});

Deno.test("OplogCapture.readTo() refuses to go on where the last entry it has is gone", async () => {
  using one = openCapture({
    entries: Array.from({ length: 10 }, (_, at) => insert(1000 + at)),
    batchEntries: 3,
    outlast: (cause) => {
      if (cause instanceof PluginError) return Promise.reject(cause);
      one.oplog.overrun({ t: 1007, i: 1 });
      return Promise.resolve();
    },
  });
  let batches = 0;
  one.oplog.damage = (batch) => {
    if (batches++ === 2) throw new Error("lost");
    return batch;
  };
  await assert.rejects(one.capture.readTo(place(1009)), { code: "oplogGap" });
});

Deno.test("OplogCapture.follow() takes what is committed until it is told to stop", async () => {
  using one = openCapture({ entries: [1000, 1001, 1002].map((t) => insert(t)), kind: "of a Full" });
  one.oplog.commitUpTo(place(1001));
  const stop = new AbortController();
  const following = one.capture.follow(stop.signal);
  await until("the first round", 5_000, () => one.oplog.batchesRead === 1);
  stop.abort();
  await following;
  assert.deepEqual((await one.capture.finish()).to, place(1001));
});

Deno.test("OplogCapture.follow() ends at once with the job's own end", async () => {
  using one = openCapture({ entries: [insert(1000)], kind: "of a Full" });
  const following = one.capture.follow(new AbortController().signal);
  await until("the first round", 5_000, () => one.oplog.batchesRead === 1);
  one.canceled.abort(new Error("job canceled"));
  await assert.rejects(following, /job canceled/);
});

Deno.test("OplogCapture.finish() says that a piece could not be sent", async () => {
  using one = openCapture({ entries: [insert(1000), insert(1001)], sink: new MemorySink(0) });
  await one.capture.readTo(place(1001));
  await assert.rejects(one.capture.finish(), { code: "peerGone" });
});
