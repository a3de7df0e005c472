/**
 * Transactions in every shape that an oplog has them in, entries at the limit, and failures: entries by hand, replayed into a real server.
 */

import assert from "node:assert/strict";
import { Binary, type Document, Int32, Timestamp as BsonTimestamp } from "bson";
import { databases } from "./workload.ts";
import { commandBytes, entryBytes, place, segmentOf, transactionFields } from "./oplog_entries.ts";
import {
  captureSince,
  dropAll,
  endOf,
  openReplayTarget,
  openServers,
  readState,
  replayInto,
} from "./replayed.ts";

const create = commandBytes(place(1, 1), "app", { create: "a" });

const insertion = (_id: number) => ({ op: "i", ns: "app.a", o: { _id } });

function insert(t: number, _id: number, i = 1): Uint8Array {
  return entryBytes({ op: "i", ns: "app.a", o: { _id }, at: place(t, i) });
}

/** An entry of a transaction of its own number. */
function part(t: number, previous: number | null, o: Document, number = 1): Uint8Array {
  return commandBytes(
    place(t),
    "admin",
    o,
    transactionFields(number, previous === null ? null : place(previous)),
  );
}

const operations = (...numbers: number[]) => ({ applyOps: numbers.map(insertion) });
const commit = { commitTransaction: 1, commitTimestamp: new BsonTimestamp({ t: 1, i: 1 }), prepared: true };

interface Shape {
  readonly name: string;
  /** Each list is a slice. */
  readonly slices: readonly (readonly Uint8Array[])[];
  readonly want: readonly number[];
  readonly open?: number;
  readonly limit?: number;
}

const shapes: readonly Shape[] = [
  { name: "one entry", slices: [[part(10, null, operations(1, 2))]], want: [1, 2] },
  {
    name: "three parts",
    slices: [[
      part(10, null, { ...operations(1), partialTxn: true }),
      part(11, 10, { ...operations(2), partialTxn: true }),
      part(12, 11, { ...operations(3), count: 3 }),
    ]],
    want: [1, 2, 3],
  },
  {
    name: "over three slices, with something else in between",
    slices: [
      [part(10, null, { ...operations(1), partialTxn: true }), insert(11, 9)],
      [part(12, 10, { ...operations(2), partialTxn: true })],
      [insert(13, 8), part(14, 12, operations(3))],
    ],
    want: [1, 2, 3, 8, 9],
  },
  {
    name: "not committed at the end",
    slices: [[part(10, null, { ...operations(1), partialTxn: true }), insert(11, 9)]],
    want: [9],
    open: 1,
  },
  {
    name: "committed behind the limit",
    slices: [[
      part(10, null, { ...operations(1), partialTxn: true }),
      part(11, 10, operations(2)),
      insert(12, 9),
    ]],
    limit: 10,
    want: [],
    open: 1,
  },
  {
    name: "prepared and committed, the commit in the next slice",
    slices: [[part(10, null, { ...operations(1, 2), prepare: true })], [insert(11, 9), part(12, 10, commit)]],
    want: [1, 2, 9],
  },
  {
    name: "prepared in parts and committed",
    slices: [[
      part(10, null, { ...operations(1), partialTxn: true }),
      part(11, 10, { ...operations(2), prepare: true }),
      part(12, 11, commit),
    ]],
    want: [1, 2],
  },
  {
    name: "prepared and aborted",
    slices: [[part(10, null, { ...operations(1), prepare: true })], [
      part(11, 10, { abortTransaction: 1 }),
      insert(12, 9),
    ]],
    want: [9],
  },
  {
    name: "aborted before anything of it was written",
    slices: [[part(11, null, { abortTransaction: 1 })]],
    want: [],
  },
  {
    name: "interleaved: one committed, one aborted, one open",
    slices: [[
      part(10, null, { ...operations(1), partialTxn: true }, 1),
      part(11, null, { ...operations(2), partialTxn: true }, 2),
      part(12, null, { ...operations(3), partialTxn: true }, 3),
      part(13, 11, { ...operations(4), prepare: true }, 2),
    ], [
      part(14, 13, { abortTransaction: 1 }, 2),
      part(15, 10, operations(5), 1),
    ]],
    want: [1, 5],
    open: 1,
  },
  {
    name: "a commit that comes twice, at the border of two slices",
    slices: [
      [part(10, null, { ...operations(1), prepare: true }), part(11, 10, commit)],
      [part(11, 10, commit), insert(12, 9)],
    ],
    want: [1, 9],
  },
  {
    name: "begun again after a step-down",
    slices: [[
      part(10, null, { ...operations(1), partialTxn: true }),
      part(11, null, { ...operations(2), partialTxn: true }),
      part(12, 11, operations(3)),
    ]],
    want: [2, 3],
  },
  {
    name: "inserts in one entry, which are no transaction, one behind the other",
    slices: [[
      part(10, null, operations(1, 2)),
      commandBytes(place(11), "admin", operations(3), {
        ...transactionFields(5, null),
        multiOpType: new Int32(1),
      }),
      commandBytes(place(12), "admin", operations(4), {
        ...transactionFields(5, place(11)),
        multiOpType: new Int32(1),
      }),
    ]],
    want: [1, 2, 3, 4],
  },
  {
    name: "applyOps within applyOps, with a no-op and a command",
    slices: [[
      commandBytes(place(10), "admin", {
        applyOps: [
          insertion(1),
          { op: "n", ns: "", o: { msg: "no" } },
          { op: "c", ns: "admin.$cmd", o: operations(2, 3) },
          { op: "c", ns: "app.$cmd", o: { create: "b" } },
          { op: "d", ns: "app.a", o: { _id: 1 } },
        ],
      }),
    ]],
    want: [2, 3],
  },
  {
    name: "a user's update of what isn't there, of which servers up to 6.0 made a document",
    slices: [[
      commandBytes(place(10), "admin", {
        applyOps: [{ op: "u", ns: "app.a", o2: { _id: 7 }, o: { $set: { x: 1 } } }, insertion(8)],
      }),
    ]],
    want: [7, 8],
  },
];

Deno.test("Replay applies transactions of every shape when they are committed, and nothing of the others", async () => {
  await using server = await openReplayTarget();
  const { target, replay } = server;
  for (const { name, slices, want, open = 0, limit = 99 } of shapes) {
    for (const operationsMax of [1, 4000]) {
      await dropAll(target, ["app"]);
      const segments = [segmentOf([create]), ...slices.map((slice) => segmentOf(slice))];
      const report = await replayInto(replay, segments, { operationsMax, limit: place(limit) });
      const found = await target.db("app").collection<{ _id: number }>("a").find().sort({ _id: 1 }).toArray();
      assert.deepEqual(found.map(({ _id }) => _id), want, name);
      assert.equal(report.openTransactions, open, name);
    }
  }
});

Deno.test("Replay ends at the limit, inclusive, wherever in a run of entries that is", async () => {
  await using server = await openReplayTarget();
  const { target, replay } = server;
  const entries = [create, ...[1, 2, 3, 4, 5, 6].map((i) => insert(10, i, i)), insert(11, 7)];
  for (const cutAt of [0, 3, 8]) {
    const segments = [entries.slice(0, cutAt), entries.slice(cutAt)].filter((one) => one.length > 0).map(
      segmentOf,
    );
    for (let i = 0; i <= 6; i++) {
      await dropAll(target, ["app"]);
      const { last, firstLeft, operations } = await replayInto(replay, segments, { limit: { t: 10, i } });
      assert.equal(await target.db("app").collection("a").countDocuments(), i);
      assert.equal(operations, i);
      assert.deepEqual(last, i === 0 ? place(1) : place(10, i));
      assert.deepEqual(firstLeft, i === 6 ? place(11) : place(10, i + 1));
    }
  }
});

/** An update of what isn't there, which can't be applied, as a server of that version writes it. */
function impossibleFor(version: string): Uint8Array {
  const o = Number.parseFloat(version) < 5 ? { $v: 1, $set: { x: 1 } } : { $v: 2, diff: { u: { x: 1 } } };
  return entryBytes({ op: "u", ns: "app.a", o, o2: { _id: "nowhere" }, at: place(20) });
}

Deno.test("Replay names the operation that fails, has applied all before it, and nothing behind a command after it", async () => {
  await using server = await openReplayTarget();
  const { target, replay, set } = server;
  const impossible = impossibleFor(set.binary.version);
  const runs = [1, 7, 4000];
  for (const operationsMax of runs) {
    await dropAll(target, ["app"]);
    const before = Array.from({ length: 25 }, (_, at) => insert(10, at, at + 1));
    const after = [commandBytes(place(21), "app", { create: "later" }), insert(22, 100)];
    await assert.rejects(
      replayInto(replay, [segmentOf([create, ...before, impossible, ...after])], { operationsMax }),
      {
        code: "replay",
        message:
          /Cannot apply .*"nowhere".*(Failed to apply update|Update of non-mod failed).*behind 1?\d\.\d+ .*, up to 2\d\.1 /,
      },
    );
    const found = await target.db("app").collection("a").countDocuments({ _id: { $lt: 25 as never } });
    assert.equal(found, 25);
    assert.deepEqual(await target.db("app").listCollections({ name: "later" }).toArray(), []);
  }
});

Deno.test("Replay passes over an update of what isn't there within the Full's window, and nowhere else", async () => {
  await using server = await openReplayTarget();
  const { target, replay, set } = server;
  const impossible = impossibleFor(set.binary.version);
  // The window ends with a segment; what comes behind it is in the same batch otherwise.
  const segments = [
    segmentOf([create, insert(10, 1), impossible, insert(20, 2, 2)]),
    segmentOf([insert(21, 3), insert(22, 4)]),
  ];
  for (const operationsMax of [1, 2, 4000]) {
    await dropAll(target, ["app"]);
    await replayInto(replay, segments, { operationsMax, fuzzyUntil: place(20, 2) });
    assert.equal(await target.db("app").collection("a").countDocuments(), 4);
    await dropAll(target, ["app"]);
    await assert.rejects(replayInto(replay, segments, { operationsMax, fuzzyUntil: place(19) }), {
      code: "replay",
    });
  }
});

Deno.test("Replay stops at a command and a kind of entry that it doesn't know, by their names", async () => {
  await using server = await openReplayTarget();
  const { target, replay } = server;
  const stops = [
    {
      entry: commandBytes(place(20), "app", { upgradeDowngradeViewlessTimeseries: "a" }),
      message: /upgradeDowngradeViewlessTimeseries on app\.a/,
    },
    {
      entry: entryBytes({ op: "zz", ns: "app.a", o: {}, at: place(20) }),
      message: /unknown kind "zz" on app\.a/,
    },
    { entry: part(20, 19, commit), message: /goes on at 20\.1 .*beginning isn't in the chain/ },
  ];
  for (const { entry, message } of stops) {
    await dropAll(target, ["app"]);
    const segments = [segmentOf([create, insert(10, 1), entry, insert(21, 2)])];
    await assert.rejects(replayInto(replay, segments), { code: "oplogUnreplayable", message });
    assert.equal(await target.db("app").collection("a").countDocuments({ _id: 2 as never }), 0);
  }
});

Deno.test("Replay of large documents and transactions above 16 MB, interleaved and over slices, gives what the source has", async () => {
  await using servers = await openServers();
  const { source, target, oplog, replay } = servers;
  const from = await endOf(oplog);
  const app = source.db("app").collection<Document>("large");
  await app.insertOne({ _id: 0 as never, whole: new Binary(new Uint8Array((16 << 20) - 40)) });
  await app.updateOne({ _id: 0 as never }, {
    $set: { whole: new Binary(new Uint8Array((16 << 20) - 100).fill(1)) },
  });
  await using first = source.startSession();
  await using second = source.startSession();
  first.startTransaction();
  second.startTransaction();
  for (let at = 1; at <= 4; at++) {
    await app.insertOne({ _id: at as never, part: new Binary(new Uint8Array(5 << 20).fill(at)) }, {
      session: first,
    });
    await app.insertOne({ _id: at * 100 as never, part: new Binary(new Uint8Array(1 << 20).fill(at)) }, {
      session: second,
    });
  }
  await app.insertOne({ _id: 9 as never });
  await first.commitTransaction();
  await second.commitTransaction();
  const segments = await captureSince(oplog, from, 1 << 20);
  assert.ok(segments.length > 3);
  const want = await readState(source, databases);
  for (const options of [{}, { operationsMax: 1 }]) {
    await dropAll(target, databases);
    await replayInto(replay, segments, options);
    assert.deepEqual(await readState(target, databases), want);
  }
});
