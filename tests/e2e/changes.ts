/**
 * What happens to the data set between two backups: every kind of write and of change to the catalog.
 *
 * @module
 */

import { Binary, type Db, type MongoClient } from "mongodb";
import { databases } from "./dataset.ts";

/** The data set's databases, and one that comes, goes and comes again. */
export const changedDatabases = [...databases, "made"] as const;

interface Numbered {
  _id: number;
}

/** Documents come, change and go, one by one, many at once and in a transaction. */
export async function changeDocuments(client: MongoClient, serverVersion: number): Promise<void> {
  const { app, shop, zoo } = open(client);
  const orders = app.collection<Numbered>("orders");
  await orders.insertMany(
    Array.from({ length: 2_000 }, (_, at) => ({ _id: 100_000 + at, customer: at % 7, list: [1, 2, 3, 4] })),
  );
  await orders.updateMany({ customer: 3 }, { $set: { "nested.c": "changed" }, $inc: { count: 1 } });
  await orders.updateMany({ list: { $exists: true } }, { $push: { list: 9 }, $inc: { count: 1 } });
  await orders.updateMany({ list: 2 }, { $pull: { list: 2 } });
  await orders.updateOne({ _id: 700 }, { $unset: { note: 1 }, $rename: { nested: "renamed" } });
  await orders.deleteMany({ _id: { $lt: 500 } });
  await orders.replaceOne({ _id: 600 }, { replaced: true, "10": 1, "2": 2 });
  await orders.findOneAndUpdate({ _id: 500_000 }, { $set: { upserted: true } }, { upsert: true });
  await orders.bulkWrite([
    { insertOne: { document: { _id: 500_001 } } },
    { updateOne: { filter: { _id: 601 }, update: [{ $set: { computed: { $add: ["$customer", 1] } } }] } },
    { deleteOne: { filter: { _id: 602 } } },
  ]);
  await orders.createIndex({ upserted: 1 }, { sparse: true });
  await client.withSession((session) =>
    session.withTransaction(async () => {
      await orders.insertOne({ _id: 600_000 }, { session });
      await orders.updateOne({ _id: 603 }, { $set: { by: "transaction" } }, { session });
      await shop.collection("odd/näme % .bson").deleteMany({ at: { $lt: 10 } }, { session });
      await zoo.collection("animals").insertOne({ name: "in a transaction" }, { session });
    })
  );
  await client.withSession(async (session) => {
    session.startTransaction();
    await orders.deleteMany({ _id: { $gte: 1_000, $lt: 1_100 } }, { session });
    await session.abortTransaction();
  });
  await app.collection("log").insertMany(Array.from({ length: 500 }, (_, at) => ({ at, later: true })));
  if (serverVersion >= 5) {
    await zoo.collection("weather").insertMany(
      Array.from({ length: 200 }, (_, at) => ({
        t: new Date(1_700_020_000_000 + at * 60_000),
        station: at % 6,
        value: -at,
      })),
    );
  }
  if (serverVersion >= 6) {
    await zoo.collection("weather").deleteMany({ station: 4 });
    await zoo.collection<Numbered>("clustered").deleteMany({ _id: { $lt: 50 } });
  }
  await settle(client);
}

/** Collections, indexes, views and databases come, change and go. */
export async function changeCatalog(client: MongoClient, serverVersion: number): Promise<void> {
  const { app, zoo } = open(client);
  const later = await app.createCollection("later", {
    collation: { locale: "fr" },
    validator: { a: { $type: "int" } },
  });
  await later.insertMany([{ a: 1 }, { a: 2 }]);
  await later.createIndex({ a: 1 }, { unique: true });
  await app.collection("every_type").rename("types");
  await app.collection("temporary").insertMany([{ a: 1 }, { a: 2 }]);
  await app.collection("temporary").rename("german", { dropTarget: true });
  await app.command({ collMod: "orders", validator: { _id: { $gte: 0 } }, validationLevel: "moderate" });
  await app.command({ collMod: "orders", index: { name: "when_1", expireAfterSeconds: 2e8 } });
  await app.command({ collMod: "orders", index: { name: "partial", hidden: true } });
  await app.command({
    collMod: "some_orders",
    viewOn: "orders",
    pipeline: [{ $match: { customer: { $gt: 90 } } }],
  });
  await app.createCollection("other_view", { viewOn: "log", pipeline: [{ $project: { _id: 0 } }] });
  await app.dropCollection("empty");
  await app.collection("orders").dropIndex("odd name");
  await app.collection("orders").createIndex({ "nested.c": 1 }, { name: "odd name" });
  const made = client.db("made");
  await made.collection("first").insertOne({ a: 1 });
  await made.dropDatabase();
  await made.collection("second").insertOne({ a: 2 });
  await app.createCollection("small_log", { capped: true, size: 4_096, max: 10 });
  await app.collection("small_log").insertMany(Array.from({ length: 25 }, (_, at) => ({ at })));
  if (serverVersion >= 5) {
    await zoo.createCollection("wind", { timeseries: { timeField: "t" }, expireAfterSeconds: 1e9 });
    await zoo.collection("wind").insertOne({ t: new Date(1_700_000_000_000), speed: 3 });
  }
  await settle(client);
}

/** Old and new collections go on to change. */
export async function changeMore(client: MongoClient): Promise<void> {
  const { app, zoo, made } = open(client);
  await app.collection("types").deleteMany({ _id: { $lt: 3 } } as Record<string, unknown>);
  await app.collection("later").insertMany([{ a: 3 }, { a: 4 }]);
  await app.collection("later").updateMany({}, [{ $set: { b: "$a" } }]);
  await app.collection("small_log").insertOne({ at: 25 });
  await app.dropCollection("other_view");
  const animals = zoo.collection("animals");
  await animals.dropIndexes();
  await animals.insertMany([{ name: "twin" }, { name: "Twin" }]);
  await animals.deleteOne({ name: "Twin" });
  await animals.createIndex({ name: 1 }, { unique: true, collation: { locale: "en", strength: 2 } });
  await made.collection("second").insertMany([{ a: 3 }, { a: 4 }]);
  await settle(client);
}

/** What moves much at once. */
export async function changeMuch(client: MongoClient): Promise<void> {
  const { app, shop, zoo, made } = open(client);
  const big = shop.collection("big");
  // More than one entry of the oplog can hold.
  await client.withSession((session) =>
    session.withTransaction(async () => {
      for (const fill of [1, 2, 3]) {
        await big.insertOne({ bytes: new Binary(new Uint8Array(7 << 20).fill(fill)) }, { session });
      }
      await app.collection("orders").updateMany({ customer: 5 }, { $set: { late: true } }, { session });
    })
  );
  await app.collection("orders").aggregate([{ $match: { customer: 5 } }, { $out: "fives" }]).toArray();
  await app.collection("orders").aggregate([{ $match: { customer: 6 } }, { $out: "fives" }]).toArray();
  await made.dropDatabase();
  await made.collection("second").insertOne({ a: "again" });
  await app.dropCollection("later");
  await app.collection("later").insertOne({ a: "another one of that name" });
  await zoo.command({ convertToCapped: "animals", size: 100_000 });
  await settle(client);
}

/** Removes the data set and all that became of it. */
export async function dropChanged(client: MongoClient): Promise<void> {
  for (const name of changedDatabases) await client.db(name).dropDatabase();
}

/** Resolves when all members have what was written. */
async function settle(client: MongoClient): Promise<void> {
  await client.db("app").collection<Numbered>("orders").updateOne({ _id: 999 }, { $inc: { settled: 1 } }, {
    writeConcern: { w: 3 },
  });
}

function open(client: MongoClient): Record<typeof changedDatabases[number], Db> {
  const [app, shop, zoo, made] = changedDatabases.map((name) => client.db(name)) as [Db, Db, Db, Db];
  return { app, shop, zoo, made };
}
