/**
 * What a server as the target of a restore refuses, and what its user needs.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as bson from "bson";
import { MongoClient } from "mongodb";
import { bsonType, joinElements } from "../../backend/bson/document.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { assertRoundTrip, buildIndexes, failsWith, openServer, withoutUuid } from "./mongo_edges.ts";

Deno.test("Target refuses to lose, to destroy or to leave out anything", async (t) => {
  await using server = await openServer();
  const { app, source, target } = server;
  const describe = async (name: string) =>
    (await source.listCollections("app")).find(({ namespace }) => namespace.collection === name)!;
  const one = bson.serialize({ _id: 1 });
  await app.createCollection("things", { capped: true, size: 4096 });
  const things = await describe("things");

  await t.step("findOccupied() names collections with documents, and views", async () => {
    await app.createCollection("empty");
    await app.createCollection("view", { viewOn: "empty", pipeline: [] });
    const [empty, view] = [await describe("empty"), await describe("view")];
    assert.deepEqual(await target.findOccupied([empty, view, things]), [view.namespace]);
    await app.collection("empty").insertOne({});
    assert.deepEqual(await target.findOccupied([empty, view, things]), [empty.namespace, view.namespace]);
    await target.drop(view);
    await target.drop(view);
    await target.drop(empty);
    assert.deepEqual(await target.findOccupied([empty, view, things]), []);
  });

  await t.step("create() puts the backup's options in the place of an empty collection's", async () => {
    await target.drop(things);
    await app.createCollection("things");
    await target.create(things);
    assert.equal(withoutUuid(await describe("things")), withoutUuid(things));
  });

  await t.step("create() leaves a collection with documents alone", async () => {
    await app.collection<{ _id: number }>("things").insertOne({ _id: 7 });
    await assert.rejects(target.create(things), failsWith("restoreTarget", /^Cannot create app\.things: /));
    assert.equal(await app.collection("things").countDocuments(), 1);
    await target.drop(things);
    await target.create(things);
  });

  await t.step("write() fails when a document is there already, or not acceptable", async () => {
    await target.write(things, one);
    await assert.rejects(
      target.write(things, one),
      failsWith("restoreWrite", /took 0 of 1 documents: .*duplicate key/),
    );
    const bad = bson.serialize({ _id: [1] });
    const run = Uint8Array.from([...bson.serialize({ _id: 2 }), ...bad, ...bson.serialize({ _id: 3 })]);
    await assert.rejects(target.write(things, run), failsWith("restoreWrite", /app\.things/));
  });

  await t.step("buildIndexes() fails when an index can't be built", async () => {
    await app.createCollection("twins");
    await app.collection("twins").createIndex({ a: 1 }, { unique: true });
    const twins = await describe("twins");
    await target.drop(twins);
    await target.create(twins);
    await target.write(twins, Uint8Array.from([1, 2].flatMap((_id) => [...bson.serialize({ _id, a: 1 })])));
    await assert.rejects(
      buildIndexes(target, twins),
      failsWith("restoreIndex", /^Cannot build the indexes of app\.twins: index "a_1": .*duplicate key/),
    );
  });

  await t.step("create() refuses metadata that was damaged", async () => {
    const damaged = { ...things, metadata: "{" };
    await assert.rejects(target.create(damaged), failsWith("manifestInvalid", /Extended JSON/));
  });
});

Deno.test("The roles that the documentation names are enough, and fewer are refused", async () => {
  await using set = await ReplicaSet.start({ members: 1, auth: { user: "root", password: "x" } });
  await using client = new MongoClient(set.uri);
  const [app, admin] = [client.db("app"), client.db("admin")];
  const uriOf = async (user: string, roles: string[]) => {
    await admin.command({ createUser: user, pwd: "x", roles });
    return new Secret(set.uri.replace("root:", `${user}:`));
  };
  await app.collection("things").insertMany([{ a: 1, at: new bson.Timestamp({ t: 0, i: 0 }) }, { a: 2 }]);
  await app.collection("things").createIndex({ a: 1 });
  await app.collection<{ _id: string }>("system.js").insertOne({ _id: "f" });
  await app.createCollection("view", { viewOn: "things", pipeline: [] });

  await using source = await openSource(await uriOf("reader", ["backup"]));
  assert.deepEqual(await source.listDatabases(), ["app"]);
  await using target = await openTarget(await uriOf("writer", ["restore", "readWriteAnyDatabase"]));
  await assertRoundTrip(source, target);

  await using stranger = await openTarget(await uriOf("stranger", ["readAnyDatabase"]));
  const [, things] = await source.listCollections("app");
  const refused = failsWith("authentication", /app\.things: not authorized on app/);
  await assert.rejects(stranger.drop(things!), refused);
  await assert.rejects(stranger.write(things!, bson.serialize({ _id: 1 })), refused);
  await assert.rejects(
    buildIndexes(stranger, things!),
    failsWith("authentication", /indexes of app\.things: not authorized/),
  );
});

Deno.test("A replay says which role is missing, and never what is in users' records", async () => {
  await using set = await ReplicaSet.start({ members: 1, auth: { user: "root", password: "x" } });
  await using client = new MongoClient(set.uri);
  const secret = "s3cr3t-hash";
  const operation = (op: string, ns: string, o: bson.Document, o2?: bson.Document) =>
    joinElements([{
      key: "0",
      type: bsonType.document,
      value: bson.serialize({ op, ns, o, ...o2 && { o2 } }),
    }]);
  const replayOf = async (uri: string) => {
    const target = await openTarget(new Secret(uri));
    assert.ok(target.oplog.kind === "server");
    return { replay: target.oplog.replay, [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() };
  };
  await client.db("admin").command({ createUser: "half", pwd: "x", roles: ["readWriteAnyDatabase"] });
  await using half = await replayOf(set.uri.replace("root:", "half:"));
  await assert.rejects(
    half.replay.applyOperations(operation("i", "app.a", { _id: 1, secret }), false),
    (thrown) => {
      assert.ok(
        failsWith(
          "authentication",
          /^Cannot apply oplog entries: the user may not run applyOps, which takes applyOps on the cluster, /,
        )(thrown),
      );
      return String((thrown as { hint: string }).hint).includes("restore and readWriteAnyDatabase");
    },
  );
  await using whole = await replayOf(set.uri);
  const update = operation("u", "admin.podheitor_mongodb_users", { $v: 2, diff: { u: { secret } } }, {
    _id: "a",
  });
  await client.db("admin").createCollection("podheitor_mongodb_users");
  await assert.rejects(whole.replay.applyOperations(update, false), (thrown) => {
    assert.ok(!(thrown as Error).message.includes(secret), String(thrown));
    return failsWith("replay", /^Cannot apply an operation on a user or a role: \w+$/)(thrown);
  });
});
