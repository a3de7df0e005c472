/** A restore under other names, beside what is in use: through a real Bacula, with all that the oplog brings, and without a trace in the original. */

import assert from "node:assert/strict";
import type { Document, MongoClient } from "mongodb";
import type { JobResult } from "../lab/bacula.ts";
import { loadDataset } from "./dataset.ts";
import { System } from "./system.ts";

/** Fields of the form at the restore's prompt. */
const field = { drop: 2, include: 6, nsFrom: 8, nsTo: 9, indexBuild: 11, writeConcern: 13 } as const;

/** Hash, identity, options and indexes of every collection of a database, by name. */
async function look(client: MongoClient, database: string): Promise<Record<string, Document>> {
  const db = client.db(database);
  const hashes: Document = (await db.command({ dbHash: 1 }))["collections"];
  const found: Record<string, Document> = {};
  for (const { name, type, options, info } of (await db.listCollections().toArray()) as Document[]) {
    const hasIndexes = type !== "view" && !name.startsWith("system.");
    const indexes = hasIndexes ? await db.collection(name).indexes() : [];
    indexes.sort((a, b) => (a.name! < b.name! ? -1 : 1));
    found[name] = { type, options, uuid: info.uuid?.toString("hex") ?? null, hash: hashes[name], indexes };
  }
  return found;
}

/** What is the same of two collections with the same content. */
function contentOf({ uuid: _, ...content }: Document): Document {
  return content;
}

Deno.test("a restore beside what is in use", async (t) => {
  await using system = await System.start({
    commands: (uri) => ({ Mongo: `podheitor-mongodb: mode=dump uri=${uri} segment_size=1M` }),
  });
  const { lab, client, serverVersion } = system;
  const app = client.db("app");
  const orders = app.collection<{ _id: number }>("orders");
  const good = (job: JobResult) => assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
  let wanted: Record<string, Document> = {};
  let live: Record<string, Document> = {};

  const isSaved = await t.step("a Full, changes, an Incremental, and more changes behind it", async () => {
    await loadDataset(client, serverVersion);
    if (serverVersion >= 5) {
      await app.createCollection("weather", { timeseries: { timeField: "at", metaField: "where" } });
      await app.collection("weather").insertMany([{ at: new Date(1.7e12), where: 1, degrees: 2 }]);
      await app.collection("weather").createIndex({ where: 1, at: -1 });
    }
    good(await lab.run("Mongo", "Full"));
    await orders.insertMany(Array.from({ length: 500 }, (_, at) => ({ _id: 1_000_000 + at, late: true })));
    await orders.updateMany({ _id: { $lt: 300 } }, { $set: { changed: 1 } });
    await orders.deleteMany({ _id: { $gte: 300, $lt: 400 } });
    await orders.createIndex({ late: 1, customer: -1 }, { name: "made later" });
    await orders.dropIndex("odd name");
    await app.createCollection("late_orders", { viewOn: "orders", pipeline: [{ $match: { late: true } }] });
    if (serverVersion >= 5) {
      await app.collection("weather").insertMany([{ at: new Date(1.7e12 + 5e8), where: 2, degrees: 3 }]);
    }
    wanted = await look(client, "app");
    good(await lab.run("Mongo", "Incremental"));
    await orders.deleteMany({ customer: 5 });
    await orders.dropIndex("made later");
    live = await look(client, "app");
  });
  if (!isSaved) return;

  await t.step("one collection comes back under another name, and the live one is not touched", async () => {
    const fields = [[field.include, "app.orders"], [field.nsFrom, "app.orders"], [
      field.nsTo,
      "app.orders_restored",
    ]] as const;
    const job = await lab.restore({ from: "Mongo", pluginOptions: { fields } });
    good(job);
    assert.match(job.log, /Restored 1 collection, 30,000 documents/);
    const { orders_restored: restored, ...others } = await look(client, "app");
    assert.deepEqual(others, live);
    assert.deepEqual(contentOf(restored!), contentOf(wanted["orders"]!));
    await app.collection("orders_restored").drop();
  });

  await t.step("a database comes back under another name, with its views and time series", async () => {
    const fields = [[field.include, "app.*"], [field.nsFrom, "app.*"], [field.nsTo, "app_copy.*"]] as const;
    good(await lab.restore({ from: "Mongo", pluginOptions: { fields } }));
    assert.deepEqual(await look(client, "app"), live);
    const copy = await look(client, "app_copy");
    // The records of views have the database in their names.
    const plain = (all: Record<string, Document>) =>
      Object.entries(all).filter(([name]) => name !== "system.views").map((
        [name, one],
      ) => [name, contentOf(one)]).sort();
    assert.deepEqual(plain(copy), plain(wanted));
    const late = client.db("app_copy").collection("late_orders");
    assert.equal(await late.countDocuments(), 500);
  });

  await t.step(
    "a write concern that the set can't meet is refused before drop=yes removes anything",
    async () => {
      const job = await lab.restore({
        from: "Mongo",
        pluginOptions: { fields: [[field.drop, "yes"], [field.writeConcern, "4"]] },
      });
      assert.notEqual(job.status, "T");
      assert.match(job.log, /MONGO-601 Cannot restore with write_concern=4: /);
      assert.deepEqual(await look(client, "app"), live);
    },
  );

  await t.step(
    "index_build=none brings the data alone, and the log says how to build the indexes",
    async () => {
      const fields = [
        [field.include, "app.orders"],
        [field.nsFrom, "app.orders"],
        [field.nsTo, "app.orders_bare"],
        [field.indexBuild, "none"],
        [field.writeConcern, "1"],
      ] as const;
      const job = await lab.restore({ from: "Mongo", pluginOptions: { fields } });
      good(job);
      const bare = (await look(client, "app"))["orders_bare"]!;
      assert.deepEqual(bare["indexes"].map(({ name }: Document) => name), ["_id_"]);
      assert.equal(bare["hash"], wanted["orders"]!["hash"]);
      assert.match(job.log, /A majority of the set has what was restored/);
      assert.match(job.log, /index_build=none: 8 indexes of 1 collection were not built/);
      assert.match(
        job.log,
        /db\.getSiblingDB\("app"\)\.runCommand\(EJSON\.parse\('\{"createIndexes":"orders_bare"/,
      );
    },
  );
});
