/**
 * Empty timestamps in an oplog, replayed into a real server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serialize, Timestamp } from "bson";
import { bsonType, elements } from "../../backend/bson/document.ts";
import { commandBytes, entryBytes, place, segmentOf } from "./oplog_entries.ts";
import {
  captureSince,
  dropAll,
  endOf,
  openReplayTarget,
  openServers,
  readState,
  replayInto,
} from "./replayed.ts";
import { databases } from "./workload.ts";

const empty = new Timestamp({ t: 0, i: 0 });

Deno.test("Replay leaves empty timestamps at the top level what they are on the source", async () => {
  await using servers = await openServers();
  const { source, target, oplog, replay } = servers;
  const from = await endOf(oplog);
  const things = source.db(databases[0]!).collection<{ _id: number }>("things");
  await things.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
  const put = async (_id: number, more: object) => {
    await things.updateOne({ _id }, [{ $replaceWith: { $literal: { _id, ...more } } }]);
  };
  await put(1, { first: empty, nested: { empty }, last: empty });
  await put(2, { padding: "x".repeat(500) });
  await put(2, { padding: "x".repeat(500), later: empty });
  await source.withSession((session) =>
    session.withTransaction(async () => {
      await things.updateOne({ _id: 3 }, [{ $replaceWith: { $literal: { _id: 3, empty } } }], { session });
    })
  );
  const segments = await captureSince(oplog, from);
  for (const options of [{}, { operationsMax: 1 }]) {
    await dropAll(target, databases);
    await replayInto(replay, segments, options);
    assert.deepEqual(await readState(target, databases), await readState(source, databases));
  }
});

Deno.test("Replay leaves empty timestamps of any name as they are, or stops", async () => {
  await using server = await openReplayTarget();
  const { set, target, replay } = server;
  const document = { _id: 1, "a.b": empty, "": empty, nested: { empty } };
  const segment = segmentOf([
    commandBytes(place(1000), "app", { create: "things" }),
    entryBytes({ op: "i", ns: "app.things", o: document, at: place(1001) }),
  ]);
  const replayed = replayInto(replay, [segment]);
  if (Number.parseFloat(set.binary.version) < 5) {
    return await assert.rejects(replayed, {
      code: "oplogUnreplayable",
      message: /^Cannot replay the entry behind 1000\.1 .*that this server can't set/,
    });
  }
  await replayed;
  const reply = await target.db("app").command({ find: "things" }, { raw: true });
  const [batch] = [...elements(reply["cursor"])].filter(({ key }) => key === "firstBatch");
  const [found] = [...elements(batch!.value)].filter(({ type }) => type === bsonType.document);
  assert.equal(found!.value.toHex(), serialize(document).toHex());
});
