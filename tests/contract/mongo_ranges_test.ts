/**
 * Collections read in ranges of `_id`, on a real server: all ranges together are the natural scan, each document once.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  Binary,
  BSONSymbol,
  Code,
  type Db,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  MongoClient,
  ObjectId,
  Timestamp,
} from "mongodb";
import fc from "fast-check";
import { elements, findElement } from "../../backend/bson/document.ts";
import type { Collection, KeyRange, Source } from "../../backend/ports.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { failsWith, openServer, readDocuments } from "./mongo_edges.ts";

const never = new AbortController().signal;
const deep = { a: { b: [1, { c: null }], "": "x" } };

/** No two of them are the same key; the server refuses arrays, regular expressions and undefined. */
const keys: readonly unknown[] = [
  new MinKey(),
  null,
  new Double(NaN),
  new Double(-Infinity),
  Decimal128.fromString("-9.999999999999999999999999999999999E+6144"),
  new Double(-Number.MAX_VALUE),
  Long.MIN_VALUE,
  new Double(-1.5),
  new Int32(-1),
  Decimal128.fromString("-1E-6176"),
  new Double(-0),
  new Double(5e-324),
  Decimal128.fromString("0.1"),
  new Double(0.1),
  new Int32(1),
  Decimal128.fromString("1.000000000000000000000000000000001"),
  Long.fromString("9007199254740993"),
  new Double(9007199254740992),
  Long.MAX_VALUE,
  new Double(2 ** 63),
  Decimal128.fromString("Infinity"),
  "",
  "a",
  "a\0b",
  "B",
  "ä",
  "𐍈",
  "z".repeat(2000),
  new BSONSymbol("symbol"),
  {},
  { a: new Int32(1) },
  { a: "1" },
  { b: new Int32(0) },
  deep,
  { _id: new Int32(5) },
  new Binary(new Uint8Array(0)),
  new Binary(new Uint8Array([1]), 0x80),
  new Binary(new Uint8Array([0, 1])),
  new Binary(new Uint8Array(16).fill(7), 4),
  new Binary(new Uint8Array(900).fill(255)),
  new ObjectId("000000000000000000000000"),
  new ObjectId("ffffffffffffffffffffffff"),
  false,
  true,
  new Date(-62_135_596_800_000),
  new Date(0),
  new Date(8_640_000_000_000_000),
  new Timestamp({ t: 0, i: 1 }),
  new Timestamp({ t: 4_294_967_295, i: 4_294_967_295 }),
  new Code("f"),
  new Code("f", { x: 1 }),
  new MaxKey(),
];

async function describe(source: Source, collection: string): Promise<Collection> {
  const found = (await source.listCollections("app")).find((one) => one.namespace.collection === collection);
  assert.ok(found !== undefined, collection);
  return found;
}

async function readRange(source: Source, { namespace }: Collection, range: KeyRange): Promise<string[]> {
  const documents: string[] = [];
  for await (const batch of source.readBatches(namespace, never, range)) {
    for (const { value } of elements(batch)) documents.push(value.toHex());
  }
  return documents;
}

/** Ranges of a collection, as many as expected, and neighbours. */
async function split(source: Source, name: string, parts: number, atLeast: number) {
  const collection = await describe(source, name);
  const ranges = await source.splitRanges(collection, parts);
  assert.ok(ranges.length >= atLeast && ranges.length <= parts, `${ranges.length} ranges of ${parts}`);
  assert.equal(ranges[0]!.min, null);
  assert.equal(ranges.at(-1)!.max, null);
  for (const [at, range] of ranges.slice(1).entries()) {
    assert.deepEqual(range.min, ranges[at]!.max);
    assert.deepEqual([...elements(range.min!)].map(({ key }) => key), ["_id"]);
  }
  return { collection, ranges };
}

/** The documents of each range. */
async function readInRanges(source: Source, { collection, ranges }: Awaited<ReturnType<typeof split>>) {
  return await Promise.all(ranges.map((range) => readRange(source, collection, range)));
}

async function assertPartition(source: Source, name: string, parts: number, atLeast = parts): Promise<void> {
  const read = await readInRanges(source, await split(source, name, parts, atLeast));
  const natural = await readDocuments(source, { database: "app", collection: name });
  const once = new Set(natural);
  const found = read.flat();
  assert.deepEqual(found.filter((document) => !once.delete(document)), [], "read twice");
  assert.deepEqual([...once].map((document) => document.slice(0, 80)), [], "read in no range");
}

/** Makes a collection anew with these keys, in this order. */
async function fill(app: Db, name: string, ids: readonly unknown[], options: Document = {}): Promise<void> {
  await app.dropCollection(name).catch(() => {});
  await app.createCollection(name, options);
  const documents = ids.map((_id, at) => ({ _id, at } as Document));
  await app.collection(name).insertMany(documents, { ignoreUndefined: false });
}

Deno.test("Source.splitRanges() and readBatches() give each document once, whatever its _id", async (t) => {
  await using server = await openServer();
  const { app, source, set } = server;
  const [major, minor] = set.binary.version.split(".").map(Number);

  await t.step("keys of every type, in every number of parts", async () => {
    await fill(app, "keys", keys);
    for (const parts of [2, 3, 7, keys.length, 200]) {
      // MaxKey has no range of its own.
      await assertPartition(source, "keys", parts, Math.min(parts, keys.length - 1));
    }
  });

  await t.step("any choice of keys, in any number of parts", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...keys], { minLength: 2 }),
        fc.integer({ min: 2, max: 60 }),
        async (chosen, parts) => {
          await fill(app, "chosen", chosen);
          await assertPartition(source, "chosen", parts, 1);
        },
      ),
      { numRuns: 40 },
    );
  });

  await t.step("zero is one key, whichever number it is written as", async () => {
    for (const zero of [new Double(-0), new Double(0), new Int32(0), Decimal128.fromString("-0.00")]) {
      await fill(app, "zero", [zero, new Int32(-1), new Int32(1), "x"]);
      await assertPartition(source, "zero", 4);
    }
  });

  await t.step("nothing, and a single document, are one range", async () => {
    for (const ids of [[], [new MaxKey()]]) {
      await app.dropCollection("few").catch(() => {});
      await app.createCollection("few");
      if (ids.length > 0) await app.collection("few").insertOne({ _id: ids[0] } as Document);
      await assertPartition(source, "few", 8, 1);
    }
  });

  const many = Array.from({ length: 60_000 }, (_, at) => at);

  await t.step("a sample's ranges are about as large as each other", async () => {
    await fill(app, "many", [...keys.filter((key) => !(key instanceof Int32)), ...many.map((at) => at + 2)]);
    await assertPartition(source, "many", 8);
    const shares = (await readInRanges(source, await split(source, "many", 8, 8))).map(({ length }) =>
      length / (many.length / 8)
    );
    assert.ok(shares.every((share) => share > 0.4 && share < 2), shares.join());
  });

  await t.step("strings in a collection with a collation, and what else it holds", async () => {
    const words = many.map((at) => `${"aäAÄzZéß"[at % 8]}${at * 7919 % 60_000}${at % 3 ? "x" : "É"}`);
    // The server indexes no symbols with a collation.
    const others = keys.filter((key) => typeof key !== "string" && !(key instanceof BSONSymbol));
    const collation = { locale: "de", strength: 2 };
    await fill(app, "collated", [...new Set(words), ...others], { collation });
    await assertPartition(source, "collated", 8);
    // Too few to be sampled, and their index can't tell their keys.
    await fill(app, "collated_few", ["a", "b", "c", ...others], { collation });
    await assertPartition(source, "collated_few", 8, 1);
    assert.equal((await source.splitRanges(await describe(source, "collated_few"), 8)).length, 1);
  });

  if (major! > 5 || (major === 5 && minor! >= 3)) {
    await t.step("a clustered collection", async () => {
      const clusteredIndex = { key: { _id: 1 }, unique: true };
      for (const collation of [{}, { collation: { locale: "de", strength: 2 } }]) {
        const others = keys.filter((key) => !(key instanceof Int32) && !(key instanceof BSONSymbol));
        const ids = [...others, ...many.map((at) => at + 2)];
        await fill(app, "clustered", ids, { clusteredIndex, ...collation });
        await assertPartition(source, "clustered", 8);
      }
      await fill(app, "clustered_few", keys, { clusteredIndex });
      await assertPartition(source, "clustered_few", 8, 1);
    });
  }

  await t.step("what has an order or an owner of its own is one range", async () => {
    await fill(app, "capped", [1, 2, 3, 4], { capped: true, size: 100_000 });
    await app.createCollection("view", { viewOn: "keys", pipeline: [] });
    await app.collection<{ _id: string }>("system.js").insertMany([{ _id: "f" }, { _id: "g" }]);
    const names = ["capped", "view", "system.js"];
    if (major! > 4) {
      await app.createCollection("weather", { timeseries: { timeField: "at" } });
      await app.collection("weather").insertMany(
        [0, 1, 2].map((day) => ({ at: new Date(day * 86_400_000 * 9) })),
      );
      names.push("weather");
    }
    for (const name of names) {
      const ranges = await source.splitRanges(await describe(source, name), 4);
      assert.deepEqual(ranges, [{ min: null, max: null }], name);
    }
  });

  await t.step("a range whose bounds are in the wrong order is refused by the server", async () => {
    const collection = await describe(source, "keys");
    const ranges = await source.splitRanges(collection, 3);
    const { min, max } = ranges[1]!;
    for (const wrong of [{ min: max, max: min }, { min, max: min }]) {
      await assert.rejects(readRange(source, collection, wrong), failsWith("incompleteRead", /app\.keys/));
    }
  });

  await t.step("what is there all the time comes once, while others insert and delete", async () => {
    const stays = many.map((at) => at * 2);
    await fill(app, "busy", stays);
    const collection = app.collection<{ _id: number }>("busy");
    const ranges = await split(source, "busy", 16, 16);
    const stop = new AbortController();
    let changes = 0;
    const write = async (seed: number) => {
      for (let at = seed; !stop.signal.aborted; at = (at * 48_271) % 2_147_483_647, changes++) {
        const from = (at % 60_000) * 2 + 1;
        const ids = Array.from({ length: 50 }, (_, more) => ({ _id: from + more * 2 * seed }));
        await collection.insertMany(ids, { ordered: false }).catch(() => {});
        await collection.deleteMany({ _id: { $in: ids.map(({ _id }) => _id) } });
      }
    };
    const writers = [3, 5, 7].map(write);
    try {
      for (let round = 0, amidChanges = 0; amidChanges < 5; round++) {
        assert.ok(round < 100, "nobody wrote");
        const before = changes;
        const read = (await readInRanges(source, ranges)).flat();
        const ids = read.map((hex) => {
          const id = findElement(Uint8Array.fromHex(hex), "_id")!.value;
          return new DataView(id.buffer, id.byteOffset).getInt32(0, true);
        });
        assert.deepEqual(ids.filter((id) => id % 2 === 0).sort((a, b) => a - b), stays);
        assert.equal(new Set(ids).size, ids.length);
        if (changes > before) amidChanges++;
      }
    } finally {
      stop.abort();
      await Promise.all(writers);
    }
  });
});

Deno.test("Source.splitRanges() gives one range when the server can't find bounds in time", async () => {
  await using set = await ReplicaSet.start({
    members: 1,
    extraArgs: ["--setParameter", "enableTestCommands=1"],
  });
  await using client = new MongoClient(set.uri);
  await using source = await openSource(new Secret(set.uri));
  const app = client.db("app");
  await fill(app, "keys", keys);
  const collection = await describe(source, "keys");
  await app.command({ profile: 2 });
  assert.equal((await source.splitRanges(collection, 4)).length, 4);
  await app.command({ profile: 0 });
  const profiled = await app.collection("system.profile").find({ ns: "app.keys" }).toArray();
  const searches = profiled.filter(({ command }) => "aggregate" in command || "find" in command);
  assert.ok(searches.length > 4);
  assert.deepEqual(searches.filter(({ command }) => !(command.maxTimeMS > 0)), []);
  const failpoint = { configureFailPoint: "maxTimeAlwaysTimeOut", mode: "alwaysOn" };
  await set.command(set.members[0]!, failpoint);
  assert.deepEqual(await source.splitRanges(collection, 4), [{ min: null, max: null }]);
});
