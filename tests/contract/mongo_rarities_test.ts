/**
 * What hardly any server has: it comes back as it was, or the job fails with words that an operator can act on.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as bson from "bson";
import type { Db, Document } from "mongodb";
import { parseExtendedJson } from "../../backend/bson/extended_json_parser.ts";
import { findElement } from "../../backend/bson/document.ts";
import { createCommand } from "../../backend/mongo/collection_options.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import type { RestoredCollection, Target } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { backUp, restore } from "./engine_jobs.ts";
import { FakeServer } from "./fake_server.ts";
import { assertRoundTrip, failsWith, openServer, readDocuments } from "./mongo_edges.ts";

type Server = Awaited<ReturnType<typeof openServer>>;

const seriesOf = ({ set }: Server) => Number.parseFloat(set.binary.version);
const int = (number: number) => new bson.Int32(number);
const emptyTimestamp = new bson.Timestamp({ t: 0, i: 0 });

/** A plain collection with nothing to its name, as a manifest describes it. */
function plain(name: string): RestoredCollection {
  const namespace = { database: "app", collection: name };
  const metadata = `{"options":{},"indexes":[],"collectionName":"${name}","type":"collection"}`;
  return { namespace, kind: "collection", data: namespace, metadata };
}

async function write(target: Target, collection: RestoredCollection, document: Document): Promise<void> {
  await target.create(collection);
  await target.write(collection, bson.serialize(document));
}

/** Makes an index as its whole definition says; the driver would know better. */
async function makeIndex(app: Db, name: string, index: Document): Promise<void> {
  await app.collection(name).insertMany([{ a: new Date(0), pos: [1, 2], kind: "x" }]);
  await app.command({ createIndexes: name, indexes: [index] });
}

Deno.test("a TTL index whose time is no number comes back as one that never expires anything, or not at all", async () => {
  await using server = await openServer();
  const { app, source, target } = server;
  const series = seriesOf(server);
  if (target.oplog.kind !== "server") throw new Error("a server that takes no replay");
  const index = { v: int(2), key: { a: int(1) }, name: "ttl", expireAfterSeconds: new bson.Double(NaN) };
  await write(target, plain("expiring"), { _id: 1, a: new Date(0) });
  const built = target.oplog.replay.buildIndexes(plain("expiring").namespace, [bson.serialize(index)], false);
  const seconds = async (name: string) =>
    (await app.collection(name).indexes()).find((one) => one.name === "ttl")?.["expireAfterSeconds"];
  if (series === 5) {
    // To 5.0.4, it would mean at once, and the longest time is too long.
    await assert.rejects(built, failsWith("restoreIndex", /index "ttl": .*acceptable range/));
    assert.equal(await app.collection("expiring").countDocuments(), 1);
    return;
  }
  const remarks = await built;
  if (series < 5) assert.deepEqual(remarks, []);
  else assert.match(remarks.join(), /^The index "ttl" of app\.expiring was built with the longest time/);
  assert.equal(await seconds("expiring"), series < 5 ? NaN : 2 ** 31 - 1);
  await makeIndex(app, "own", index);
  await assertRoundTrip(source, target);
  assert.equal(await seconds("own"), await seconds("expiring"));
});

Deno.test("a geoHaystack index comes back on 4.4, and fails the job with the server's words on one that has none", async () => {
  await using server = await openServer();
  const { app, source, target } = server;
  const index = { key: { pos: "geoHaystack", kind: int(1) }, name: "hay", bucketSize: int(1) };
  if (seriesOf(server) < 5) {
    await makeIndex(app, "places", index);
    return await assertRoundTrip(source, target);
  }
  if (target.oplog.kind !== "server") throw new Error("a server that takes no replay");
  await write(target, plain("places"), { _id: 1, pos: [1, 2], kind: "x" });
  await assert.rejects(
    target.oplog.replay.buildIndexes(
      plain("places").namespace,
      [bson.serialize({ v: int(2), ...index })],
      false,
    ),
    failsWith("restoreIndex", /^Cannot build the indexes of app\.places: index "hay": .*geoHaystack/i),
  );
  assert.equal(await app.collection("places").countDocuments(), 1);
});

Deno.test("time series whose buckets have mixed schemas come back byte for byte", async () => {
  await using server = await openServer();
  const { app, source, target } = server;
  if (seriesOf(server) < 5) return;
  await app.createCollection("mixed", { timeseries: { timeField: "at", metaField: "m" } });
  await app.collection("mixed").insertMany(
    [1, "one", { n: 1 }, [1]].map((value, at) => ({ at: new Date(1.7e12 + at), m: 1, value })),
  );
  await app.collection("mixed").insertMany(
    [7, "seven"].map((value, at) => ({ at: new Date(1.7e12 + 20 + at), m: 2, value })),
  );
  // A bucket as servers before 5.2 made them: numbers and texts in one.
  const [series] = await source.listCollections("app");
  const id = bson.ObjectId.createFromTime(Math.floor(1.7e9 / 3600) * 3600);
  const time = new Date(1.7e12);
  const bucket = {
    _id: id,
    control: {
      version: int(1),
      min: { at: new Date(Math.floor(1.7e9 / 3600) * 3.6e6), value: int(1) },
      max: { at: new Date(1.7e12 + 1), value: "b" },
    },
    meta: int(9),
    data: { at: { 0: time, 1: new Date(1.7e12 + 1) }, value: { 0: int(1), 1: "b" } },
  };
  await target.write(series!, bson.serialize(bucket));
  assert.equal(await app.collection("mixed").countDocuments({ m: 9 }), 2);
  const before = await readDocuments(source, series!.data!);
  await assertRoundTrip(source, target);
  assert.deepEqual((await readDocuments(source, series!.data!)).sort(), before.sort());
});

Deno.test("a Full refuses a time series without a bucket collection of its own", async () => {
  await using server = await openServer();
  const { app, source } = server;
  if (seriesOf(server) < 5) return;
  await app.createCollection("weather", { timeseries: { timeField: "at" } });
  const series = await app.collection<{ _id: string }>("system.views").findOne({ _id: "app.weather" });
  await app.command({ drop: "system.buckets.weather" });
  await app.client.db("admin").command({ applyOps: [{ op: "i", ns: "app.system.views", o: series }] });
  await assert.rejects(
    backUp(source),
    failsWith(
      "unsupportedServer",
      /^Cannot back up app\.weather: it is a time series without a bucket collection/,
    ),
  );
});

Deno.test("createCommand() sends a time series' options as listed, those of newer servers too", () => {
  const timeseries =
    '{"timeField":"at","bucketMaxSpanSeconds":{"$numberInt":"300"},"bucketRoundingSeconds":{"$numberInt":"300"}}';
  const metadata = `{"options":{"timeseries":${timeseries}},"indexes":[],"type":"timeseries"}`;
  const sent = bson.serialize(createCommand("weather", { metadata }));
  const listed = findElement(parseExtendedJson(metadata), "options")!.value;
  assert.equal(
    findElement(sent, "timeseries")!.value.toHex(),
    findElement(listed, "timeseries")!.value.toHex(),
  );
});

Deno.test("the manifest has a collection's UUID, and the restored one has another", async () => {
  await using server = await openServer();
  const { app, source, set } = server;
  await app.collection<{ _id: number }>("orders").insertOne({ _id: 1 }, { writeConcern: { w: "majority" } });
  const [before] = await source.listCollections("app");
  const { sink, manifest } = await backUp(source);
  const [database] = manifest.databases;
  assert.equal(database!.collections[0]!.uuid, before!.uuid);
  await app.dropDatabase({ writeConcern: { w: "majority" } });
  await restore(sink, await openTarget(new Secret(set.uri)));
  const [after] = await source.listCollections("app");
  assert.match(`${before!.uuid} ${after!.uuid}`, /^[0-9a-f]{32} [0-9a-f]{32}$/);
  assert.notEqual(after!.uuid, before!.uuid);
});

Deno.test("an empty timestamp beside a key that begins with a $ further down comes back, or fails the restore on a server before 5.0", async () => {
  await using server = await openServer();
  const { source, target } = server;
  const document = { _id: 1, at: emptyTimestamp, deep: { $x: 1 } };
  const written = write(target, plain("odd"), document);
  if (seriesOf(server) < 5) {
    return await assert.rejects(written, failsWith("restoreWrite", /^Cannot write to app\.odd: .*\$x/));
  }
  await written;
  assert.deepEqual(await readDocuments(source, plain("odd").namespace), [bson.serialize(document).toHex()]);
});

Deno.test("an empty timestamp in a document without an _id fails the restore with the way out", async () => {
  await using server = await openServer();
  await assert.rejects(
    write(server.target, plain("odd"), { at: emptyTimestamp }),
    failsWith("restoreWrite", /^Cannot write a document that has an empty timestamp and no _id/),
  );
});

Deno.test("a Full refuses a kind of collection that isn't known (fake server)", async () => {
  const entry = { name: "shape", type: "graph", options: {} };
  const cursor = { id: bson.Long.ZERO, ns: "app.$cmd.listCollections", firstBatch: [entry] };
  await using server = new FakeServer({
    hello: {
      isWritablePrimary: true,
      ismaster: true,
      helloOk: true,
      minWireVersion: 0,
      maxWireVersion: 21,
      logicalSessionTimeoutMinutes: 30,
    },
    buildInfo: { version: "8.0.0" },
    listCollections: { cursor },
  });
  await using source = await openSource(new Secret(server.uri));
  await assert.rejects(
    source.listCollections("app"),
    failsWith("unsupportedServer", /^Cannot back up app\.shape: it is of the unknown type "graph"/),
  );
});
