/**
 * A server as the target of a restore: what a source read goes back, and is read again without a difference.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as bson from "bson";
import { type Document, MongoClient } from "mongodb";
import { bsonType, joinElements } from "../../backend/bson/document.ts";
import { type ErrorCode, PluginError } from "../../backend/errors.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import type { Collection, Source, Target } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { readDocuments } from "./mongo_reading.ts";

/** A server with a source and a target on it, for as long as a test. */
async function openServer(series?: "4.4") {
  await using resources = new AsyncDisposableStack();
  const set = resources.use(
    await ReplicaSet.start({ members: 1, ...series === undefined ? {} : { version: series } }),
  );
  const client = resources.use(new MongoClient(set.uri));
  const source: Source = resources.use(await openSource(new Secret(set.uri)));
  const target: Target = resources.use(await openTarget(new Secret(set.uri)));
  const app = client.db("app");
  const kept = resources.move();
  return { set, app, source, target, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const bytesOf = (documents: readonly string[]) => Uint8Array.fromHex(documents.join(""));

/** Metadata without what a restore makes anew. */
const withoutUuid = ({ metadata }: Collection) => metadata.replace(/"uuid":"[0-9a-f]*"/, "");

async function readDatabase(source: Source): Promise<{ collection: Collection; documents: string[] }[]> {
  const read = [];
  for (const collection of await source.listCollections("app")) {
    read.push({
      collection,
      documents: collection.data === null ? [] : await readDocuments(source, collection.data),
    });
  }
  return read;
}

async function restore(target: Target, collection: Collection, documents: readonly string[]): Promise<void> {
  await target.create(collection);
  if (documents.length > 0) await target.write(collection, bytesOf(documents));
  await target.finish(collection);
}

/** Restores what the database holds over itself and holds the result against it. */
async function assertRoundTrip(source: Source, target: Target): Promise<void> {
  const before = await readDatabase(source);
  for (const { collection } of before) await target.drop(collection);
  assert.deepEqual(await source.listCollections("app"), []);
  for (const { collection, documents } of before) await restore(target, collection, documents);
  const after = await readDatabase(source);
  assert.deepEqual(
    after.map(({ collection }) => withoutUuid(collection)),
    before.map(({ collection }) => withoutUuid(collection)),
  );
  for (const [at, { collection, documents }] of before.entries()) {
    const found = after[at]!.documents;
    assert.deepEqual(
      target.inOrder(collection) ? found : found.toSorted(),
      target.inOrder(collection) ? documents : documents.toSorted(),
    );
  }
}

const int = (number: number) => new bson.Int32(number);

/** Creates with any option that a server knows; null where a server doesn't. */
const plainKinds: Record<string, Document> = {
  plain: {},
  retired: { autoIndexId: true },
  capped: { capped: true, size: 65536, max: 1000 },
  collated: { collation: { locale: "de", strength: 2, numericOrdering: true } },
  validated: {
    validator: new Map<string, unknown>([["b", { $type: "int" }], ["10", { $exists: false }], ["2", {
      $ne: bson.Long.fromNumber(1),
    }]]),
    validationLevel: "moderate",
    validationAction: "warn",
  },
  tuned: { storageEngine: { wiredTiger: { configString: "block_compressor=zlib" } } },
  view: {
    viewOn: "plain",
    pipeline: [{ $match: { "10": 1, "2": { $gt: new bson.Double(1) } } }, { $project: { _id: 0 } }],
    collation: { locale: "fr" },
  },
  "system.js": {},
  "name / with: % äöü *?": {},
};

const newerKinds: Record<string, Document> = {
  clustered: {
    clusteredIndex: { key: { _id: 1 }, unique: true, name: "my key" },
    expireAfterSeconds: bson.Long.fromNumber(1_000_000_000),
  },
  images: { changeStreamPreAndPostImages: { enabled: true } },
  weather: {
    timeseries: { timeField: "at", metaField: "where", granularity: "hours" },
    expireAfterSeconds: bson.Long.fromNumber(1_000_000_000),
  },
};

Deno.test("Target makes collections of every kind with the very options that they had", async () => {
  await using server = await openServer();
  const { app, source, target, set } = server;
  const kinds = Number(set.binary.version.split(".")[0]) >= 6 ? { ...plainKinds, ...newerKinds } : plainKinds;
  for (const [name, options] of Object.entries(kinds)) await app.command({ create: name, ...options });
  const weather = Array.from(
    { length: 300 },
    (_, at) => ({ at: new Date(1.7e12 + at * 1e6), where: at % 7, degrees: at / 3 }),
  );
  if ("weather" in kinds) await app.collection("weather").insertMany(weather);
  for (const name of ["plain", "capped", "collated", "clustered"]) {
    if (name in kinds) {
      await app.collection(name).insertMany(
        Array.from({ length: 50 }, (_, at) => ({ a: (at * 31) % 50, b: `Ä${at}` })),
      );
    }
  }
  // A document that its collection's validator would refuse today.
  await app.command({ insert: "validated", documents: [{ b: "text" }], bypassDocumentValidation: true });
  await app.command({ collMod: "validated", validationAction: "error", validationLevel: "strict" });

  // The option that new servers refuse is the one that doesn't come back.
  const retired = (await source.listCollections("app")).find(({ namespace }) =>
    namespace.collection === "retired"
  )!;
  assert.match(retired.metadata, /"options":{"autoIndexId":true}/);
  await target.drop(retired);
  await target.create(retired);

  await assertRoundTrip(source, target);
  if ("weather" in kinds) assert.equal(await app.collection("weather").countDocuments(), weather.length);
  await assert.rejects(app.collection("validated").insertOne({ b: "text" }), /validation/);
});

Deno.test("Target builds indexes of every kind with the very keys and options that they had", async () => {
  await using server = await openServer();
  const { app, source, target } = server;
  const indexes: Document[] = [
    {
      key: new Map<string, unknown>([["10", int(1)], ["2", int(-1)], ["a", int(1)]]),
      name: "number-like keys",
    },
    { key: { a: new bson.Double(1) }, name: "double", unique: true, sparse: true },
    {
      key: { b: bson.Long.fromNumber(-1) },
      name: "long",
      partialFilterExpression: { b: { $gt: new bson.Double(5) } },
    },
    { key: { at: 1 }, name: "ttl", expireAfterSeconds: int(100_000_000) },
    {
      key: { text: "text", more: "text" },
      name: "text",
      weights: { text: 3, more: 7 },
      default_language: "german",
      language_override: "lang",
    },
    { key: { place: "2dsphere" }, name: "sphere" },
    { key: { flat: "2d" }, name: "flat", bits: int(20), min: -10, max: 10 },
    { key: { h: "hashed", a: 1 }, name: "hashed" },
    { key: { _id: "hashed" }, name: "hashed _id" },
    { key: { "$**": 1 }, name: "wildcard", wildcardProjection: { "x.y": 1, z: 1 } },
    { key: { c: 1 }, name: "collated", collation: { locale: "sv", strength: 1 } },
    { key: { d: 1 }, name: "simple", collation: { locale: "simple" } },
    { key: { e: 1 }, name: "hidden", hidden: true },
    { key: { f: 1 }, name: "old", v: int(1) },
    { key: { "g.h.i": 1 }, name: "odd name: äöü $ 'x\"" },
  ];
  await app.createCollection("indexed", { collation: { locale: "de" } });
  const simple = new Set(["text", "flat", "wildcard", "sphere", "old", "hashed", "hashed _id"]);
  await app.command({
    createIndexes: "indexed",
    indexes: indexes.map((index) =>
      simple.has(index["name"]) ? { ...index, collation: { locale: "simple" } } : index
    ),
  });
  await app.collection("indexed").insertMany(
    Array.from({ length: 20 }, (_, at) => ({ a: at, b: at, text: `Wort ${at}` })),
  );
  await assertRoundTrip(source, target);
  assert.equal((await app.collection("indexed").indexes()).length, indexes.length + 1);
});

const zero = new bson.Timestamp({ t: 0, i: 0 });

/** Raw documents that a driver would not write, or not write again as they are. */
const oddDocuments: Uint8Array[] = [
  ...[
    {
      a: new bson.Double(1),
      b: int(1),
      c: bson.Long.fromNumber(1),
      d: bson.Decimal128.fromString("1.000"),
      e: new bson.Double(-0),
    },
    {
      a: Infinity,
      b: -Infinity,
      c: NaN,
      d: bson.Decimal128.fromString("-NaN"),
      e: bson.Long.MAX_VALUE,
      f: bson.Long.MIN_VALUE,
    },
    ...[0, 1, 2, 3, 4, 5, 6, 128, 255].map((subType) => ({
      a: new bson.Binary(Uint8Array.of(1, 2, 3), subType),
    })),
    {
      a: new bson.BSONRegExp("^x/\\", "imsx"),
      b: new bson.Code("f()"),
      c: new bson.Code("g()", { x: zero }),
      d: new bson.BSONSymbol("s"),
    },
    { a: new bson.MinKey(), b: new bson.MaxKey(), c: null, d: [], e: {}, f: "", g: "\0", h: "\u{1f600}" },
    new Map<string, unknown>([["10", 1], ["2", 2], ["", 3], ["a.b", 4], ["$c", 5], ["__proto__", 6]]),
    { a: zero, b: { c: zero }, d: [zero], "": zero },
    { _id: zero, z: zero },
    { _id: "text", at: zero },
    { _id: { a: 1, b: zero }, at: zero },
    { _id: null, at: zero },
    { _id: new bson.Double(NaN), at: zero },
  ].map((document) => bson.serialize(document)),
  joinElements([
    { key: "twice", type: bsonType.boolean, value: Uint8Array.of(1) },
    { key: "twice", type: bsonType.boolean, value: Uint8Array.of(0) },
    { key: "undefined", type: bsonType.undefined, value: new Uint8Array() },
    {
      key: "pointer",
      type: bsonType.dbPointer,
      value: Uint8Array.of(2, 0, 0, 0, 0x63, 0, ...new Uint8Array(12).fill(7)),
    },
    { key: "far", type: bsonType.date, value: new Uint8Array(8).fill(0x7f) },
    { key: "NaN", type: bsonType.double, value: Uint8Array.of(1, 2, 3, 4, 5, 6, 0xf8, 0x7f) },
  ]),
].map((document, at) => {
  if (bson.deserialize(document)["_id"] !== undefined) return document;
  const id = joinElements([{ key: "_id", type: bsonType.int32, value: Uint8Array.of(at, 0, 0, 0) }]);
  const length = new Uint8Array(4);
  const body = Uint8Array.from([...id.subarray(4, -1), ...document.subarray(4)]);
  new DataView(length.buffer).setInt32(0, body.length + 4, true);
  return Uint8Array.from([...length, ...body]);
});

for (
  const [kind, options] of Object.entries({
    plain: {},
    capped: { capped: true, size: 1 << 20 },
    collated: { collation: { locale: "en", strength: 1 } },
  })
) {
  Deno.test(`Target.write() writes every byte of a document of a ${kind} collection, empty timestamps too`, async () => {
    await using server = await openServer();
    const { app, source, target } = server;
    await app.createCollection("odd", { ...options, validator: { never: true } });
    const [collection] = await source.listCollections("app");
    const documents = oddDocuments.filter((document) => bson.deserialize(document)["_id"] !== null).map((
      document,
    ) => document.toHex());
    await target.write(collection!, bytesOf(documents));
    assert.deepEqual(await readDocuments(source, collection!.namespace), documents);
  });
}

function failsWith(code: ErrorCode, message: RegExp): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof PluginError, String(thrown));
    assert.equal(thrown.code, code, thrown.report);
    assert.match(thrown.message, message);
    return true;
  };
}

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

  await t.step("finish() fails when an index can't be built", async () => {
    await app.createCollection("twins");
    await app.collection("twins").createIndex({ a: 1 }, { unique: true });
    const twins = await describe("twins");
    await target.drop(twins);
    await target.create(twins);
    await target.write(twins, Uint8Array.from([1, 2].flatMap((_id) => [...bson.serialize({ _id, a: 1 })])));
    await assert.rejects(
      target.finish(twins),
      failsWith("restoreWrite", /^Cannot build the indexes of app\.twins: .*duplicate key/),
    );
  });

  await t.step("a user without the privilege to write is refused", async () => {
    const damaged = { ...things, metadata: "{" };
    await assert.rejects(target.create(damaged), failsWith("manifestInvalid", /Extended JSON/));
  });
});
