/**
 * Collections of every ordinary kind, and what must be the same after a restore.
 *
 * @module
 */

import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  type MongoClient,
  ObjectId,
  Timestamp,
} from "mongodb";

/** The databases that {@linkcode loadDataset} makes. */
export const databases = ["app", "shop", "zoo"] as const;

/** Loads the data set; `serverVersion` decides which kinds there are. */
export async function loadDataset(client: MongoClient, serverVersion: number): Promise<void> {
  const app = client.db("app");
  const orders = app.collection<{ _id: number }>("orders");
  for (let from = 0; from < 30_000; from += 10_000) {
    await orders.insertMany(Array.from({ length: 10_000 }, (_, at) => ({
      _id: from + at,
      customer: (from + at) % 97,
      note: `note ${at} ${"x".repeat(at % 60)}`,
      nested: { a: [at, { b: Long.fromNumber(at) }] },
    })));
  }
  await orders.createIndexes([
    { key: { customer: 1, "10": -1, "2": 1 } },
    { key: { note: "text" } },
    { key: { "nested.a": 1 }, sparse: true, name: "odd name" },
    { key: { customer: "hashed" } },
    { key: { place: "2dsphere" } },
    { key: { when: 1 }, expireAfterSeconds: 1e8 },
    { key: { customer: 1 }, name: "partial", partialFilterExpression: { customer: { $gt: 5 } } },
    { key: { "$**": 1 }, name: "wild", wildcardProjection: { nested: 1 } },
  ]);
  await app.createCollection("empty");
  await app.createCollection("log", { capped: true, size: 200_000, max: 3_000 });
  await app.collection("log").insertMany(Array.from({ length: 5_000 }, (_, at) => ({ at })));
  await app.createCollection("german", {
    collation: { locale: "de" },
    validator: { name: { $exists: true } },
    validationLevel: "moderate",
  });
  await app.collection<{ _id: string; name: string }>("german").insertMany([{ _id: "ä", name: "a" }, {
    _id: "z",
    name: "b",
  }]);
  await app.createCollection("some_orders", {
    viewOn: "orders",
    pipeline: [{ $match: { customer: { $lt: 3 } } }],
  });
  await app.collection("every_type").insertMany(everyType());

  const shop = client.db("shop");
  await shop.collection("odd/näme % .bson").insertMany(Array.from({ length: 500 }, (_, at) => ({ at })));
  await shop.collection("big").insertOne({
    bytes: new Binary(new Uint8Array(16 * 1024 * 1024 - 100).fill(7)),
  });
  await shop.collection("pictures").insertMany(
    Array.from(
      { length: 12 },
      (_, at) => ({ at, bytes: new Binary(crypto.getRandomValues(new Uint8Array(60_000))) }),
    ),
  );
  const zoo = client.db("zoo");
  await zoo.collection("animals").insertMany(
    Array.from({ length: 1_000 }, (_, at) => ({ name: `animal ${at}` })),
  );
  await zoo.collection("animals").createIndex({ name: 1 }, {
    unique: true,
    collation: { locale: "en", strength: 2 },
  });
  if (serverVersion >= 5) {
    await zoo.createCollection("weather", {
      timeseries: { timeField: "t", metaField: "station", granularity: "hours" },
    });
    await zoo.collection("weather").insertMany(
      Array.from(
        { length: 500 },
        (_, at) => ({ t: new Date(1_700_000_000_000 + at * 60_000), station: at % 5, value: at }),
      ),
    );
  }
  if (serverVersion >= 6) {
    await zoo.createCollection("clustered", { clusteredIndex: { key: { _id: 1 }, unique: true } });
    await zoo.collection<{ _id: number }>("clustered").insertMany(
      Array.from({ length: 100 }, (_, at) => ({ _id: at })),
    );
  }
}

function everyType(): object[] {
  const values: unknown[] = [
    new Double(1),
    new Double(-0),
    new Double(NaN),
    new Int32(1),
    Long.MAX_VALUE,
    Decimal128.fromString("1E-6176"),
    "text \u0000 with NUL",
    { "": 1, "10": 1, "2": 2, "a.b": { $x: 1 } },
    [1, [2, []]],
    new Binary(new Uint8Array([1, 2, 3]), 0x80),
    new ObjectId("000000000000000000000001"),
    true,
    new Date(-1),
    null,
    new BSONRegExp("^a", "im"),
    new DBRef("x", new ObjectId("000000000000000000000002")),
    new Code("return 1"),
    new Code("return x", { x: 1 }),
    new BSONSymbol("s"),
    new Timestamp({ t: 1, i: 2 }),
    new MinKey(),
    new MaxKey(),
  ];
  return values.map((value, at) => ({ _id: at, value }));
}

/** The servers' own hashes of every collection, and every option and index. What differs by nature between two collections, the UUID, is left out. */
export async function fingerprint(
  client: MongoClient,
  names: readonly string[] = databases,
): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const name of names) {
    const db = client.db(name);
    all[`${name} hashes`] = (await db.command({ dbHash: 1 }))["collections"];
    for (const entry of await db.listCollections().toArray()) {
      const options = "options" in entry ? entry.options : {};
      const indexes = entry.type === "view" || entry.name.startsWith("system.")
        ? []
        : await db.collection(entry.name).indexes();
      all[`${name}.${entry.name}`] = { type: entry.type, options, indexes };
    }
  }
  return JSON.parse(JSON.stringify(all));
}

/** Removes the data set. */
export async function dropDataset(client: MongoClient): Promise<void> {
  for (const name of databases) await client.db(name).dropDatabase();
}
