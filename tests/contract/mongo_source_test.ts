/**
 * A server as the source of a backup, on a real replica set.
 *
 * @module
 */

import assert from "node:assert/strict";
import { calculateObjectSize } from "bson";
import { Binary, Int32, MongoClient, ObjectId } from "mongodb";
import { elements, findElement } from "../../backend/bson/document.ts";
import { openSource } from "../../backend/mongo/source.ts";
import type { Collection, Source } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { until } from "../lab/condition.ts";
import { type Member, ReplicaSet } from "../lab/mongod.ts";
import { failsWith, readDocuments } from "./mongo_edges.ts";

const never = new AbortController().signal;
const large = { database: "big", collection: "large" };
const largeDocuments = 48;

/** Four batches of 16 MiB at least. */
async function fillLarge(client: MongoClient): Promise<void> {
  const { database, collection } = large;
  await client.db(database).dropDatabase({ writeConcern: { w: "majority" } });
  const filler = new Uint8Array(1_400_000);
  for (let at = 0; at < largeDocuments; at += 8) {
    const documents = Array.from(
      { length: 8 },
      (_, more) => ({ _id: new Int32(at + more), filler: new Binary(filler) }),
    );
    await client.db(database).collection<{ _id: Int32 }>(collection).insertMany(documents, {
      writeConcern: { w: "majority" },
    });
  }
}

/** Reads the large collection; `interfere` comes when the cursor is open and at most one batch ahead of the reader. */
async function readLarge(source: Source, interfere: () => Promise<unknown>, signal = never): Promise<number> {
  let documents = 0;
  let batches = 0;
  for await (const batch of source.readBatches(large, signal)) {
    if (batches++ === 1) await interfere();
    documents += [...elements(batch)].length;
  }
  return documents;
}

async function openCursors(client: MongoClient): Promise<number> {
  const { metrics } = await client.db("admin").command({ serverStatus: 1 });
  return Number(metrics.cursor.open.total);
}

const isIncomplete = failsWith("incompleteRead", /^Cannot read big\.large to its end: /);

Deno.test("Source.readBatches() on one server", async (t) => {
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = new MongoClient(set.uri);
  await using source = await openSource(new Secret(set.uri));
  const admin = client.db("admin");
  const { database, collection } = large;

  await t.step(
    "gives every document in natural order, in batches as large as the server makes them",
    async () => {
      await fillLarge(client);
      const ids: unknown[] = [];
      let batches = 0;
      for await (const batch of source.readBatches(large, never)) {
        for (const { value } of elements(batch)) ids.push(findElement(value, "_id")?.value[0]);
        batches++;
      }
      assert.deepEqual(ids, Array.from({ length: largeDocuments }, (_, at) => at));
      assert.ok(batches >= 5 && batches <= 6, `${batches} batches`);
    },
  );

  await t.step("gives nothing for a collection without documents", async () => {
    await client.db(database).createCollection("empty");
    assert.deepEqual(await readDocuments(source, { database, collection: "empty" }), []);
  });

  const losses = [
    { name: "killed by an operator", interfere: () => admin.command({ killAllSessions: [] }) },
    { name: "on a dropped collection", interfere: () => client.db(database).collection(collection).drop() },
    {
      name: "on a renamed collection",
      interfere: () => client.db(database).collection(collection).rename("renamed"),
    },
    { name: "on a dropped database", interfere: () => client.db(database).dropDatabase() },
  ];
  for (const { name, interfere } of losses) {
    await t.step(`fails when its cursor is ${name}`, async () => {
      await fillLarge(client);
      await assert.rejects(readLarge(source, interfere), isIncomplete);
    });
  }

  await t.step("ends with the signal's reason when it is aborted, and leaves no cursor behind", async () => {
    await fillLarge(client);
    const before = await openCursors(client);
    const stop = new AbortController();
    const reason = new Error("stopped");
    const reading = readLarge(source, () => Promise.resolve(stop.abort(reason)), stop.signal);
    await assert.rejects(reading, (thrown) => thrown === reason);
    await until("the server to close the cursor", 10_000, async () => await openCursors(client) <= before);
    await assert.rejects(
      readLarge(source, () => Promise.resolve(), stop.signal),
      (thrown) => thrown === reason,
    );
  });

  await t.step("leaves no cursor behind when its reader stops early", async () => {
    const before = await openCursors(client);
    for await (const batch of source.readBatches(large, never)) {
      if (batch.length > 5) break;
    }
    await until("the server to close the cursor", 10_000, async () => await openCursors(client) <= before);
  });

  await t.step("fails when it lags behind the end of a capped collection", async () => {
    await fillLarge(client);
    await client.db(database).command({ convertToCapped: collection, size: 70_000_000 });
    const wrapAround = async () => {
      const filler = new Binary(new Uint8Array(1_400_000));
      for (let at = 0; at < 60; at++) await client.db(database).collection(collection).insertOne({ filler });
    };
    await assert.rejects(readLarge(source, wrapAround), isIncomplete);
  });

  await t.step("counts documents by metadata and by reading", async () => {
    await fillLarge(client);
    for (const exact of [false, true]) {
      assert.equal(await source.countDocuments(large, exact), largeDocuments);
    }
    assert.equal(await source.countDocuments({ database, collection: "none" }, true), 0);
  });

  await t.step("knows the newest majority-committed entry of the oplog", async () => {
    await client.db("app").collection("things").insertOne({ last: true }, {
      writeConcern: { w: "majority" },
    });
    const [newest] = await client.db("local").collection("oplog.rs").find({ op: "i", ns: "app.things" }).sort(
      { $natural: -1 },
    ).limit(1).toArray();
    const tip = await source.oplog!.committed();
    assert.ok(tip.t >= newest!["ts"].t && tip.term === Number(newest!["t"]), JSON.stringify(tip));
  });
});

Deno.test("Source.readBatches() through a step-down, and when its member dies", async () => {
  await using set = await ReplicaSet.start();
  await using client = new MongoClient(set.uri);
  await fillLarge(client);
  const memberOf = (source: Source) =>
    set.members.find(({ port }) => source.deployment.source.endsWith(`:${port}`)) as Member;

  await using source = await openSource(new Secret(set.uri));
  const becomesPrimary = async () => {
    await set.command(memberOf(source), { replSetStepUp: 1 });
    await until(
      "the source to be primary",
      30_000,
      async () => (await set.primary()).port === memberOf(source).port,
    );
  };
  assert.equal(await readLarge(source, becomesPrimary), largeDocuments);
  assert.equal(await readLarge(source, () => set.stepDown()), largeDocuments);

  await assert.rejects(readLarge(source, () => set.kill(memberOf(source), "SIGKILL")), isIncomplete);
});

Deno.test("Source.listDatabases() and listCollections() list users' data and nothing else", async (t) => {
  await using set = await ReplicaSet.start({ members: 1, auth: { user: "root", password: "x" } });
  await using client = new MongoClient(set.uri);
  await using source = await openSource(new Secret(set.uri));
  const hasTimeSeries = !set.binary.version.startsWith("4.");
  const names = (collections: readonly Collection[]) =>
    collections.map(({ namespace, kind }) => [namespace.collection, kind]);

  await t.step("admin, config and local are left out while they hold only the server's own", async () => {
    assert.deepEqual(await source.listDatabases(), []);
  });

  const app = client.db("app");
  await app.command({ profile: 2 });
  await app.collection("orders").insertOne({ a: 1 });
  await app.collection<{ _id: string }>("system.js").insertOne({ _id: "f" });
  await app.createCollection("large orders", { viewOn: "orders", pipeline: [{ $match: { a: { $gt: 5 } } }] });
  if (hasTimeSeries) await app.createCollection("weather", { timeseries: { timeField: "at" } });
  await client.db("Zoo").createCollection("äöü/ :%");

  await t.step(
    "databases and collections are sorted, and what the server makes by itself is left out",
    async () => {
      assert.deepEqual(await source.listDatabases(), ["Zoo", "app"]);
      assert.deepEqual(names(await source.listCollections("Zoo")), [["äöü/ :%", "collection"]]);
      assert.deepEqual(names(await source.listCollections("app")), [
        ["large orders", "view"],
        ["orders", "collection"],
        ["system.js", "collection"],
        ...hasTimeSeries ? [["weather", "timeseries"]] : [],
      ]);
    },
  );

  await t.step("admin is listed once a user keeps data there", async () => {
    await client.db("admin").collection("mine").insertOne({ a: 1 });
    assert.deepEqual(await source.listDatabases(), ["Zoo", "admin", "app"]);
    assert.deepEqual(names(await source.listCollections("admin")), [["mine", "collection"]]);
  });

  await t.step("a collection has its UUID, size and metadata", async () => {
    const orders = (await source.listCollections("app")).find(({ namespace }) =>
      namespace.collection === "orders"
    )!;
    const [info] = await app.listCollections({ name: "orders" }, { nameOnly: false }).toArray();
    assert.equal(orders.uuid, info!.info!.uuid!.toString("hex").replaceAll("-", ""));
    assert.equal(orders.sizeHintBytes, calculateObjectSize((await app.collection("orders").findOne())!));
    assert.equal(
      orders.metadata,
      '{"options":{},"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}],' +
        `"uuid":"${orders.uuid}","collectionName":"orders","type":"collection"}`,
    );
  });

  await t.step(
    "whoever may read knows sizes, also those of time series and of many collections",
    async () => {
      const many = Array.from({ length: 50 }, (_, at) => ({ name: `many-${at}`, bytes: at * 100 }));
      for (const { name, bytes } of many) {
        await client.db("many").collection(name).insertOne({ text: "x".repeat(bytes) });
      }
      if (hasTimeSeries) {
        await client.db("many").createCollection("weather", {
          timeseries: { timeField: "at" },
        });
      }
      if (hasTimeSeries) {
        await client.db("many").collection("weather").insertOne({
          at: new Date(),
          value: 1,
        });
      }
      const actions = ["find", "listCollections", "listIndexes"];
      const resources = ["", "system.buckets.weather"].map((collection) => ({ db: "many", collection }));
      await client.db("admin").command({
        createRole: "reader",
        privileges: resources.map((resource) => ({ resource, actions })),
        roles: [],
      });
      await client.db("admin").command({ createUser: "reader", pwd: "z", roles: ["reader"] });
      await using reader = await openSource(new Secret(set.uri.replace("root:x", "reader:z")));
      const listed = await reader.listCollections("many");
      const sizes = new Map(
        listed.map(({ namespace, sizeHintBytes }) => [namespace.collection, sizeHintBytes]),
      );
      const smallest = calculateObjectSize({ _id: new ObjectId(), text: "" });
      for (const { name, bytes } of many) assert.equal(sizes.get(name), smallest + bytes, name);
      if (hasTimeSeries) assert.ok(sizes.get("weather")! > 0);
      assert.deepEqual([...sizes.keys()], [...sizes.keys()].sort());
    },
  );

  await t.step("a user without the privilege to list is refused, with the server's own words", async () => {
    await client.db("admin").command({ createUser: "guest", pwd: "y", roles: [{ role: "read", db: "app" }] });
    await using guest = await openSource(new Secret(set.uri.replace("root:x", "guest:y")));
    const refused = (message: RegExp) => failsWith("authentication", message);
    await assert.rejects(
      guest.listDatabases(),
      refused(/list the databases: Insufficient permissions/),
    );
    await assert.rejects(
      guest.listCollections("Zoo"),
      refused(/list the collections of Zoo: .*not authorized on Zoo/),
    );
    await assert.rejects(
      readDocuments(guest, { database: "Zoo", collection: "x" }),
      refused(/read Zoo\.x to its end: .*not authorized on Zoo/),
    );
    const orders = (await guest.listCollections("app")).find(({ namespace }) =>
      namespace.collection === "orders"
    );
    assert.ok(orders !== undefined);
  });
});

Deno.test("Source.listCollections() refuses buckets whose time series is gone", async () => {
  await using set = await ReplicaSet.start({ members: 1 });
  // 4.4 has no time series, and so nothing to refuse.
  if (set.binary.version.startsWith("4.")) return;
  await using client = new MongoClient(set.uri);
  await using source = await openSource(new Secret(set.uri));
  await client.db("app").createCollection("weather", { timeseries: { timeField: "at" } });
  const remove = { op: "d", ns: "app.system.views", o: { _id: "app.weather" } };
  await client.db("admin").command({ applyOps: [remove] });
  await assert.rejects(source.listCollections("app"), {
    code: "unsupportedServer",
    message: /system\.buckets\.weather/,
  });
});
