/**
 * A server as the target of a restore: what a source read goes back, and is read again without a difference.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as bson from "bson";
import type { Document } from "mongodb";
import { bsonType, elements, findElement, joinElements } from "../../backend/bson/document.ts";
import { assertRoundTrip, bytesOf, openServer, readDocuments } from "./mongo_edges.ts";

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
    collation: { locale: "de" },
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
  if ("weather" in kinds) {
    await app.collection("weather").insertMany(weather);
    await app.collection("weather").createIndexes([
      { key: { where: 1, at: -1 }, name: "collated" },
      { key: { where: 1 }, name: "simple", collation: { locale: "simple" } },
    ]);
  }
  for (const name of ["plain", "capped", "collated", "clustered", "system.js"]) {
    if (name in kinds) {
      await app.collection(name).insertMany(
        Array.from({ length: 50 }, (_, at) => ({ a: (at * 31) % 50, b: `Ä${at}` })),
      );
    }
  }
  // A document that its collection's validator would refuse today.
  await app.command({ insert: "validated", documents: [{ b: "text" }], bypassDocumentValidation: true });
  await app.command({ collMod: "validated", validationAction: "error", validationLevel: "strict" });

  const find = async (name: string) =>
    (await source.listCollections("app")).find(({ namespace }) => namespace.collection === name)!;
  assert.deepEqual([target.inOrder(await find("capped")), target.inOrder(await find("plain"))], [
    true,
    false,
  ]);
  // The option that new servers refuse is the one that doesn't come back.
  const retired = await find("retired");
  assert.match(retired.metadata, /"options":{"autoIndexId":true}/);
  await target.drop(retired);
  await target.create(retired);
  assert.match((await find("retired")).metadata, /"options":{}/);

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
    { key: { "g.h.i": 1 }, name: "odd name: äöü $ 'x\"" },
    { key: { j: 1 }, name: "empty partial", partialFilterExpression: {} },
    { key: { k: 1 }, name: `long ${"x".repeat(300)}` },
    { key: { _id: 1, a: 1 }, name: "_id and more" },
    { key: { "l.m": "hashed" }, name: "hashed dotted" },
    { key: { place: "2dsphere", a: 1 }, name: "old sphere", "2dsphereIndexVersion": int(2) },
    {
      key: { n: 1 },
      name: "stored otherwise",
      storageEngine: { wiredTiger: { configString: "block_compressor=zlib" } },
    },
    { key: { o: 1 }, name: "ttl of a double", expireAfterSeconds: new bson.Double(1.5) },
    { key: { p: 1 }, name: "prepared" },
  ];
  await app.createCollection("indexed", { collation: { locale: "de" } });
  const simple = new Set([
    "text",
    "flat",
    "wildcard",
    "sphere",
    "hashed",
    "hashed _id",
    "hashed dotted",
    "old sphere",
  ]);
  await app.command({
    createIndexes: "indexed",
    indexes: indexes.map((index) =>
      simple.has(index["name"]) ? { ...index, collation: { locale: "simple" } } : index
    ),
  });
  await app.collection("indexed").insertMany(
    Array.from({ length: 20 }, (_, at) => ({ a: at, b: at, text: `Wort ${at}` })),
  );
  if (Number(server.set.binary.version.split(".")[0]) >= 6) {
    // With keys that come twice in it already.
    await app.command({ collMod: "indexed", index: { name: "prepared", prepareUnique: true } });
  }
  await app.command({ createIndexes: "old", indexes: [{ key: { f: 1 }, name: "first version", v: int(1) }] });
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
      a: new bson.BSONRegExp("^x/[", "imsx"),
      b: new bson.Code("f()"),
      c: new bson.Code("g()", { x: zero }),
      d: new bson.BSONSymbol("s"),
    },
    { a: new bson.MinKey(), b: new bson.MaxKey(), c: null, d: [], e: {}, f: "", g: "\0", h: "\u{1f600}" },
    new Map<string, unknown>([["10", 1], ["2", 2], ["", 3], ["a.b", 4], ["__proto__", 5]]),
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
  const id = { key: "_id", type: bsonType.int32, value: Uint8Array.of(at, 0, 0, 0) };
  return findElement(document, "_id") === undefined ? joinElements([id, ...elements(document)]) : document;
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
    const documents = oddDocuments.map((document) => document.toHex());
    await target.write(collection!, bytesOf(documents));
    assert.deepEqual(await readDocuments(source, collection!.namespace), documents);
  });
}
