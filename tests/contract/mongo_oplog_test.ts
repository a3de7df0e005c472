/**
 * What a member's oplog tells of transactions, on a real server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Document, MongoClient, type Timestamp as BsonTimestamp } from "mongodb";
import { findStart } from "../../backend/job/oplog_source.ts";
import { openSource } from "../../backend/mongo/source.ts";
import type { Oplog } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { type OplogPosition, timestampFromBits } from "../../backend/timestamp.ts";
import { ReplicaSet } from "../lab/mongod.ts";

Deno.test("Oplog.oldestOpenTransaction() finds what was open then, whether or not it has ended since", async () => {
  await using set = await ReplicaSet.start({
    members: 1,
    // Each change of a transaction then is an entry of the oplog by itself.
    extraArgs: ["--setParameter", "maxNumberOfTransactionOperationsInSingleOplogEntry=1"],
  });
  await using client = new MongoClient(set.uri);
  const things = client.db("app").collection("things");
  await things.insertOne({});
  // Retryable writes of one session point at each other as well, and are no transaction.
  await things.insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
  await client.withSession((session) =>
    session.withTransaction(async () => {
      for (let at = 0; at < 4; at++) await things.insertOne({ at }, { session });
    })
  );
  await things.insertOne({ behind: true }, { writeConcern: { w: "majority" } });
  await using source = await openSource(new Secret(set.uri));
  const oplog = source.oplog!;
  const entries = client.db("local").collection("oplog.rs");
  const parts = await entries.find({ "o.applyOps.ns": "app.things" }).sort({ $natural: 1 }).toArray();
  const places = parts.map(positionOf);
  assert.ok(places.length >= 4, `${places.length} entries`);
  const [first, last] = [places[0]!, places.at(-1)!];
  for (const at of places.slice(0, -1)) assert.deepEqual(await oplog.oldestOpenTransaction(at), first);
  assert.equal(await oplog.oldestOpenTransaction(last), null);
  assert.equal(await oplog.oldestOpenTransaction({ t: first.t, i: first.i - 1 }), null);

  // A majority may have but a part of it when a Full begins.
  const halfway: Oplog = {
    host: oplog.host,
    window: () => oplog.window(),
    newest: () => Promise.resolve(places[2]!),
    committed: () => Promise.resolve(places[2]!),
    find: (at) => oplog.find(at),
    before: (at) => oplog.before(at),
    rollbacks: () => oplog.rollbacks(),
    oldestOpenTransaction: (at) => oplog.oldestOpenTransaction(at),
    readBatches: (from, to, signal) => oplog.readBatches(from, to, signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const start = await findStart(halfway, new AbortController().signal);
  const [before] = await entries.find({ ts: { $lt: parts[0]!["ts"] } }).sort({ $natural: -1 }).limit(1)
    .toArray();
  assert.deepEqual(start, positionOf(before!));
  await assert.rejects(oplog.before({ t: 1, i: 1 }), { code: "oplogGap", hint: /open/ });
});

function positionOf({ ts, t }: Document): OplogPosition {
  return { ...timestampFromBits((ts as BsonTimestamp).toBigInt()), term: Number(t) };
}
