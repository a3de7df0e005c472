/**
 * The end of a replay: a majority has everything, whatever became of the collections that were written to.
 */

import assert from "node:assert/strict";
import { openTarget } from "../../backend/mongo/target.ts";
import { Secret } from "../../backend/secret.ts";
import { commandBytes, entryBytes, place, segmentOf } from "./oplog_entries.ts";
import { dropAll, openReplayTarget, replayInto } from "./replayed.ts";

const command = (t: number, o: Record<string, unknown>) => commandBytes(place(t), "app", o);
const insert = (t: number, ns: string) => entryBytes({ op: "i", ns, o: { _id: t }, at: place(t) });
const view = entryBytes({
  op: "i",
  ns: "app.system.views",
  o: { _id: "app.a", viewOn: "b", pipeline: [] },
  at: place(6),
});

const replays = [
  { name: "nothing", entries: [] },
  { name: "commands only", entries: [command(1, { create: "a" })] },
  {
    name: "a capped collection",
    entries: [command(1, { create: "a", capped: true, size: 4096 }), insert(2, "app.a")],
  },
  {
    name: "a collection that was dropped",
    entries: [command(1, { create: "a" }), insert(2, "app.a"), command(3, { drop: "a" })],
  },
  {
    name: "a collection that a view has taken the place of",
    entries: [
      command(1, { create: "b" }),
      command(2, { create: "a" }),
      insert(3, "app.a"),
      command(4, { drop: "a" }),
      command(5, { create: "system.views" }),
      view,
    ],
  },
];

Deno.test("Replay.finish() waits for a majority, whatever became of what was written to", async () => {
  await using server = await openReplayTarget();
  for (const { name, entries } of replays) {
    await dropAll(server.target, ["app"]);
    // One that has written nothing before.
    await using fresh = await openTarget(new Secret(server.set.uri));
    assert.equal(fresh.oplog.kind, "server", name);
    if (fresh.oplog.kind === "server") {
      await replayInto(fresh.oplog.replay, entries.length === 0 ? [] : [segmentOf(entries)]);
    }
    // The server's own writes, no-ops and sessions, go on all the time: they are nobody's to wait for.
    const { lastWrite: { majorityOpTime } } = await server.target.db("admin").command({ hello: 1 });
    const written = await server.target.db("local").collection("oplog.rs")
      .findOne({ ns: /^app\./ }, { sort: { $natural: -1 } });
    assert.equal(written === null, name === "nothing");
    if (written !== null) assert.ok(majorityOpTime.ts.greaterThanOrEqual(written["ts"]), name);
  }
});
