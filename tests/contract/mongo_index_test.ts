/**
 * Indexes that old servers wrote or that can't be built, and a set of which a member is down.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as bson from "bson";
import { type Document, MongoClient } from "mongodb";
import { listIndexes } from "../../backend/job/index_build.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import { WriteAcknowledgement } from "../../backend/mongo/write_acknowledgement.ts";
import type { RestoredCollection, Target } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { MemoryLog } from "./memory.ts";
import { failsWith, openServer } from "./mongo_edges.ts";

const things = { database: "app", collection: "things" };
const int = (number: number) => new bson.Int32(number);

/** Builds indexes given as documents. */
async function build({ oplog }: Target, ...indexes: Document[]): Promise<readonly string[]> {
  if (oplog.kind !== "server") throw new Error("no server");
  return await oplog.replay.buildIndexes(things, indexes.map((index) => bson.serialize(index)), false);
}

Deno.test("ReplayTarget.buildIndexes() builds what old servers wrote, and says what isn't to the letter the same", async () => {
  await using server = await openServer();
  const { app, target } = server;
  await app.collection("things").insertMany([{ a: 1, t: "word" }, { a: 2, t: "other words" }]);
  const remarks = await build(
    target,
    { v: int(1), key: { a: int(1) }, name: "first version", ns: "app.things" },
    { v: int(2), key: { b: int(1) }, name: "no filter", partialFilterExpression: {} },
    { v: int(2), key: { _fts: "text", _ftsx: int(1) }, name: "text", weights: { t: int(1) } },
    { v: int(2), key: { p: "2dsphere" }, name: "sphere" },
    { v: int(1), key: { c: true, d: int(-1) }, name: "yes" },
    { v: int(2), key: { e: int(1) }, name: "odd", safe: true, background: true, dropDups: true },
  );
  assert.deepEqual(remarks, [
    'The index "yes" of app.things was built with 1 as the direction of keys that only old servers could have: it means the same',
    'The index "odd" of app.things was built without what this server doesn\'t know: safe',
  ]);
  const built = Object.fromEntries(
    (await app.collection("things").indexes()).map(({ name, ...index }) => [name, index as Document]),
  );
  assert.deepEqual(built["first version"], { v: 1, key: { a: 1 } });
  assert.deepEqual(built["no filter"], { v: 2, key: { b: 1 }, partialFilterExpression: {} });
  assert.equal(built["text"]!["textIndexVersion"], 1);
  assert.equal(built["sphere"]!["2dsphereIndexVersion"], 1);
  assert.deepEqual(built["yes"], { v: 1, key: { c: 1, d: -1 } });
  assert.deepEqual(built["odd"]!["key"], { e: 1 });
});

Deno.test("ReplayTarget.buildIndexes() builds the others where one can't be built, and names it with the reason", async () => {
  await using server = await openServer();
  const { app, target } = server;
  await app.collection("things").insertMany([{ a: 1, b: 1 }, { a: 1, b: 2 }]);
  const index = (name: string, more: Document = {}) => ({
    v: int(2),
    key: { [name]: int(1) },
    name,
    ...more,
  });
  await assert.rejects(
    build(
      target,
      index("b", { unique: true }),
      index("a", { unique: true }),
      index("c"),
      index("d", { v: int(9) }),
    ),
    failsWith(
      "restoreIndex",
      /^Cannot build the indexes of app\.things: index "a": .*duplicate key.*; index "d": .*v/,
    ),
  );
  const names = (await app.collection("things").indexes()).map(({ name }) => name).sort();
  assert.deepEqual(names, ["_id_", "b", "c"]);
});

Deno.test("listIndexes() gives commands that build the same indexes on a server", async () => {
  await using server = await openServer();
  const { app, source } = server;
  await app.createCollection("things", { collation: { locale: "de" } });
  await app.collection("things").createIndexes([
    { key: { "it's": 1 }, name: "quoted '\\\" name", partialFilterExpression: { n: { $gt: bson.Long.ONE } } },
    { key: { t: "text" }, collation: { locale: "simple" } },
    { key: { c: 1 }, name: "simple", collation: { locale: "simple" } },
  ]);
  const [listed] = await source.listCollections("app");
  const { indexes } = bson.EJSON.parse(listed!.metadata, { relaxed: false });
  const wanted = await app.collection("things").indexes();
  await app.command({ dropIndexes: "things", index: "*" });
  const log = new MemoryLog();
  const raw = indexes.slice(1).map((index: Document) => bson.serialize(index));
  listIndexes([{ namespace: things, isCollated: true, indexes: raw }], log);
  for (const line of log.lines.slice(1)) {
    const [, text] = /EJSON\.parse\('(.*)'\)\)$/.exec(line)!;
    await app.command(bson.EJSON.parse(text!.replace(/\\(.)/g, "$1"), { relaxed: false }));
  }
  assert.deepEqual(await app.collection("things").indexes(), wanted);
});

Deno.test("A member that is down holds up no index, and a write concern that can't be met is refused at once", async () => {
  await using set = await ReplicaSet.start();
  await using client = await new MongoClient(set.uri).connect();
  const app = client.db("app");
  const collection: RestoredCollection = {
    namespace: things,
    kind: "collection",
    data: things,
    metadata: "{}",
  };
  const primary = await set.primary();
  const down = set.members.find((member) => member !== primary)!;
  await set.kill(down, "SIGKILL");

  await using target = await openTarget(new Secret(set.uri));
  await target.check([collection]);
  await target.create(collection);
  await target.write(collection, bson.serialize({ _id: 1, a: 1 }));
  assert.deepEqual(await build(target, { v: int(2), key: { a: int(1) }, name: "a" }), []);

  const timeouts = { checkMs: 300, patienceMs: 300 };
  const refused = (concern: number, reason: RegExp) =>
    assert.rejects(
      new WriteAcknowledgement(concern, timeouts).check(app),
      failsWith("restoreTarget", reason),
    );
  await refused(4, /write_concern=4: .*[Nn]ot enough data-bearing nodes/);
  await refused(3, /write_concern=3: within 0\.3 s .*(timed out|timeout)/);
  await new WriteAcknowledgement(2, timeouts).check(app);
  assert.equal(await new WriteAcknowledgement(1, timeouts).settle(app), true);

  // The primary alone knows for some seconds no better than to take writes.
  await set.kill(set.members.find((member) => member !== primary && member !== down)!, "SIGSTOP");
  const alone = new WriteAcknowledgement(1, timeouts);
  await alone.check(app);
  await app.collection("things").insertOne({ a: 2 }, { writeConcern: { w: 1 } });
  assert.equal(await alone.settle(app), false);
});

Deno.test("A standalone server has indexes built, and is asked for no other member's word", async () => {
  await using server = await ReplicaSet.standalone();
  await using client = await new MongoClient(server.uri).connect();
  await using target = await openTarget(new Secret(server.uri));
  const collection: RestoredCollection = {
    namespace: things,
    kind: "collection",
    data: things,
    metadata: "{}",
  };
  await target.check([collection]);
  await target.create(collection);
  assert.deepEqual(await build(target, { v: int(2), key: { a: int(1) }, name: "a" }), []);
  assert.equal(await new WriteAcknowledgement("majority").settle(client.db("app")), true);
  await assert.rejects(
    new WriteAcknowledgement(2).check(client.db("app")),
    failsWith("restoreTarget", /write_concern=2: .*not replicated/),
  );
});
