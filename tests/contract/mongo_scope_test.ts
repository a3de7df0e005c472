/** A chain of some collections of a server, whatever is done to them and to their neighbours. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { ReplicaSet } from "../lab/mongod.ts";
import { FolderJobs } from "./folder_jobs.ts";

interface Numbered {
  _id: number;
}

Deno.test("a chain with include= and exclude= is of what they choose, at every instant, and says where it ends", async (t) => {
  await using source = await ReplicaSet.start({ members: 1 });
  await using target = await ReplicaSet.start({ members: 1 });
  await using jobs = await FolderJobs.make();
  await using client = new MongoClient(source.uri, { writeConcern: { w: "majority" } });
  await using restored = new MongoClient(target.uri);
  const app = client.db("app");
  const scope = "include=app.o*,app.view exclude=app.old";
  const from = `uri=${source.uri} ${scope}`;
  const into = `uri=${target.uri} drop=yes`;
  const idsIn = async (of: MongoClient, name: string) =>
    (await of.db("app").collection<Numbered>(name).find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
  const namesIn = async (of: MongoClient) =>
    (await of.db("app").listCollections().toArray()).map(({ name }) => name).filter((name) =>
      name !== "system.views"
    ).sort();

  await app.collection<Numbered>("orders").insertMany([{ _id: 1 }, { _id: 2 }]);
  await app.collection<Numbered>("old").insertOne({ _id: 1 });
  await app.collection<Numbered>("logs").insertOne({ _id: 1 });
  await client.db("other").collection<Numbered>("orders").insertOne({ _id: 1 });
  await app.createCollection("view", { viewOn: "orders", pipeline: [] });
  await app.createCollection("hidden", { viewOn: "orders", pipeline: [] });

  await t.step("a Full reads what is chosen", async () => {
    const log = await jobs.backUp("F", "full", from);
    assert.match(log, /Scope: database=\* include=app\.o\*,app\.view exclude=app\.old users=no/);
    assert.match(log, /Databases: app;/);
    await jobs.restore(into);
    assert.deepEqual(await namesIn(restored), ["orders", "view"]);
    assert.deepEqual(await idsIn(restored, "view"), [1, 2]);
  });

  await t.step("an Incremental has the changes of what is chosen, by whatever way they come", async () => {
    await app.collection<Numbered>("orders").insertOne({ _id: 3 });
    await app.collection<Numbered>("logs").insertOne({ _id: 2 });
    // Into a chosen one and into another one: $out goes by way of a temporary collection.
    await app.collection("logs").aggregate([{ $out: "offers" }]).toArray();
    await app.collection("orders").aggregate([{ $out: "copied" }]).toArray();
    await app.command({ convertToCapped: "offers", size: 100_000 });
    await app.collection("offers").rename("outlet");
    await app.createCollection("hidden2", { viewOn: "orders", pipeline: [] });
    await app.collection("view").drop();
    await app.createCollection("overview", { viewOn: "outlet", pipeline: [] });
    const session = client.startSession();
    await session.withTransaction(async () => {
      await app.collection<Numbered>("orders").insertOne({ _id: 4 }, { session });
      await app.collection<Numbered>("logs").insertOne({ _id: 4 }, { session });
    });
    await session.endSession();
    assert.match(
      await jobs.backUp("I", "inc", from),
      /1 transaction wrote to other collections than those of database=\* include=/,
    );
    await jobs.restore(into);
    assert.deepEqual(await namesIn(restored), ["orders", "outlet", "overview"]);
    for (const name of ["orders", "outlet", "overview"]) {
      assert.deepEqual(await idsIn(restored, name), await idsIn(client, name), name);
    }
  });

  await t.step(
    "a restore's own patterns choose among that, and one that fits nothing is refused",
    async () => {
      await restored.db("app").dropDatabase();
      await jobs.restore(`${into} include=app.orders`);
      assert.deepEqual(await namesIn(restored), ["orders"]);
      await assert.rejects(
        jobs.restore(`${into} include=app.logs`),
        /MONGO-602 Cannot restore include=app\.logs: .*made with database=\* include=app\.o\*,app\.view exclude=app\.old users=no/,
      );
    },
  );

  await t.step("another scope, and a rename over its border, end the chain", async () => {
    await assert.rejects(
      jobs.backUp("I", "wider", `uri=${source.uri} include=app.*`),
      /MONGO-403 .*include=app\.\* users=no now, inc had database=\* include=app\.o\*[^]*Run a Full/,
    );
    await assert.rejects(jobs.backUp("I", "users", `${from} users=yes`), /MONGO-403 .*users=yes now/);
    await app.collection("logs").rename("offshore");
    await assert.rejects(
      jobs.backUp("I", "renamed", from),
      /MONGO-404 .*renaming of app\.logs to app\.offshore: it leads into[^]*Run a Full/,
    );
    await jobs.backUp("F", "again", from);
    await app.collection("offshore").rename("logs");
    await assert.rejects(
      jobs.backUp("I", "back", from),
      /MONGO-404 .*app\.offshore to app\.logs: it leads out of/,
    );
  });
});
