/** What of the oplog belongs to a job, and what a Full's window may hold. */

import assert from "node:assert/strict";
import { type Document, Int32, serialize } from "bson";
import { captureAll, hex, insert, testScope } from "../../tests/contract/capture.ts";
import { commandBytes, place, transactionFields } from "../../tests/contract/oplog_entries.ts";
import type { Namespace } from "../namespace.ts";
import { acceptsOf } from "./backup_scope.ts";

const rename = (t: number, from: string, to: string, more: Document = {}) =>
  commandBytes(place(t), "app", { renameCollection: from, to, stayTemp: false, ...more });
const create = (t: number, name: string) => commandBytes(place(t), "app", { create: name });

const windows: readonly { name: string; commands: Uint8Array[]; refused: boolean }[] = [
  { name: "a rename", commands: [rename(1001, "app.a", "app.b")], refused: true },
  {
    name: "$out",
    commands: [
      create(1001, "tmp.agg_out.1"),
      rename(1002, "app.tmp.agg_out.1", "app.b", { dropTarget: new Int32(1) }),
    ],
    refused: false,
  },
  {
    name: "create and drop",
    commands: [create(1001, "b"), commandBytes(place(1002), "app", { drop: "b" })],
    refused: false,
  },
];

Deno.test("OplogCapture refuses a rename in a Full's window, accepts $out there and everything in an increment", async () => {
  for (const { name, commands, refused } of windows) {
    const entries = [insert(1000), ...commands];
    assert.deepEqual((await captureAll({ entries })).sent, hex(commands), name);
    if (!refused) {
      assert.deepEqual((await captureAll({ entries, kind: "of a Full" })).sent, hex(commands), name);
    } else {
      await assert.rejects(captureAll({ entries, kind: "of a Full" }), {
        code: "oplogUnreplayable",
        message: /app\.a: it was renamed to app\.b/,
      }, name);
    }
    // What was done before the window doesn't matter, nor what is of another database than the job's.
    const before = await captureAll({
      entries: [...entries, insert(1003)],
      kind: "of a Full",
      from: commands.length + 1000,
    });
    assert.deepEqual(before.sent, hex([insert(1003)]), name);
    const { sent } = await captureAll({ entries, kind: "of a Full", databases: ["other"] });
    assert.deepEqual(sent, []);
  }
});

Deno.test("OplogCapture leaves a rename out that a Full begins with: what it reads is behind that", async () => {
  const entries = [rename(1000, "app.a", "app.b"), insert(1001)];
  assert.deepEqual((await captureAll({ entries, kind: "of a Full" })).sent, hex([entries[1]!]));
  const into = { entries, kind: "of a Full", include: ["app.b"] } as const;
  assert.deepEqual((await captureAll(into)).sent, []);
});

const operation = (ns: string, _id: number) => ({ op: "i", ns, ui: null, o: { _id } });

Deno.test("OplogCapture cuts transactions to its scope, counts them, and keeps what holds them together", async () => {
  const part = (t: number, o: Document, previous: number | null, number = 1) =>
    commandBytes(place(t), "admin", o, transactionFields(number, previous === null ? null : place(previous)));
  const [mine, other] = [operation("app.a", 1), operation("other.b", 2)];
  const entries = [
    insert(1000),
    // Not a word of the scope in it.
    part(1001, { applyOps: [other] }, null, 1),
    // Its own.
    part(1002, { applyOps: [mine] }, null, 2),
    // Cut.
    part(1003, { applyOps: [other, mine, other] }, null, 3),
    // In three parts, the last one empty for the job, and the first one too.
    part(1004, { applyOps: [other], partialTxn: true }, null, 4),
    part(1005, { applyOps: [mine, other], partialTxn: true }, 1004, 4),
    part(1006, { applyOps: [other], count: 4 }, 1005, 4),
    // Prepared and aborted.
    part(1007, { applyOps: [other], prepare: true }, null, 5),
    part(1008, { abortTransaction: 1 }, 1007, 5),
    // A user's applyOps.
    commandBytes(place(1009), "admin", { applyOps: [other] }),
    commandBytes(place(1010), "admin", { applyOps: [mine, other] }),
  ];
  const { slice, sent } = await captureAll({ entries, databases: ["app"] });
  assert.deepEqual(
    sent,
    hex([
      entries[2]!,
      part(1003, { applyOps: [mine] }, null, 3),
      part(1004, { applyOps: [], partialTxn: true }, null, 4),
      part(1005, { applyOps: [mine], partialTxn: true }, 1004, 4),
      part(1006, { applyOps: [], count: 4 }, 1005, 4),
      part(1007, { applyOps: [], prepare: true }, null, 5),
      entries[8]!,
      commandBytes(place(1010), "admin", { applyOps: [mine] }),
    ]),
  );
  assert.equal(slice.cutTransactions, 3);
  assert.deepEqual(slice.namespaces, [
    { database: "app", collection: "a", entries: 4, bytes: 4 * serialize(mine).length },
  ]);
});

Deno.test("OplogCapture counts a command for each namespace of the scope that it touches", async () => {
  const entries = [
    insert(1000),
    rename(1001, "app.a", "app.b"),
    commandBytes(place(1002), "app", { dropDatabase: 1 }),
  ];
  const { slice } = await captureAll({ entries });
  const count = (at: number, collection: string) => ({
    database: "app",
    collection,
    entries: 1,
    bytes: entries[at]!.length,
  });
  assert.deepEqual(slice.namespaces, [count(2, ""), count(1, "a"), count(1, "b")]);
});

Deno.test("acceptsOf() takes the databases of the job, and never a server's own", () => {
  const name = (database: string, collection: string): Namespace => ({ database, collection });
  const [all, some] = [acceptsOf(testScope()), acceptsOf(testScope(["app"]))];
  assert.deepEqual([all(name("app", "a")), all(name("config", "x")), all(name("admin", "system.users"))], [
    true,
    false,
    false,
  ]);
  assert.deepEqual([some(name("app", "a")), some(name("apple", "a")), some(name("app", ""))], [
    true,
    false,
    true,
  ]);
});
