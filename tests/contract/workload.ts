/**
 * Random work on a server: whatever an application or an administrator may do, one step after another.
 *
 * @module
 */

import {
  Binary,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from "bson";
import fc from "fast-check";
import { type ClientSession, type Db, type MongoClient, MongoServerError } from "mongodb";

/** One step: a row of the table below, and numbers that say on what. */
export interface Step {
  readonly does: string;
  readonly on: number;
  readonly id: number;
  readonly value: number;
  readonly isOdd: boolean;
}

/** The databases that a workload uses. */
export const databases = ["app", "shop"] as const;

const names = ["a", "b", "c", "c.d", "k"] as const;

/** Ids that are equal, or nearly, or compared in odd ways. */
const ids: readonly unknown[] = [
  ...Array.from({ length: 8 }, (_, at) => new Int32(at)),
  { a: new Int32(1), b: new Int32(2) },
  { b: new Int32(2), a: new Int32(1) },
  { b: new Double(2), a: Long.fromNumber(1) },
  { "10": 1, "2": 2 },
  new Double(NaN),
  new Double(-0.5),
  Decimal128.fromString("NaN"),
  Decimal128.fromString("1.50"),
  null,
  "",
  "ä\u0001\u{1f600}",
  Long.fromString("9007199254740993"),
  new Date(-1),
  true,
  new ObjectId("0123456789abcdef01234567"),
  new Binary(new Uint8Array(16).fill(1), 4),
  new MinKey(),
  new MaxKey(),
  new Timestamp({ t: 1, i: 1 }),
  { deep: { er: [1, { x: null }] } },
];

/** Where a step works. */
class Place {
  readonly client: MongoClient;
  readonly db: Db;
  readonly name: string;
  readonly other: string;
  readonly step: Step;

  constructor(client: MongoClient, step: Step) {
    this.client = client;
    this.step = step;
    this.db = client.db(databases[step.on % 7 === 0 ? 1 : 0]);
    this.name = names[step.on % names.length]!;
    this.other = names[(step.on + 1 + step.value) % names.length]!;
  }

  get collection() {
    return this.db.collection<Document>(this.name);
  }

  /** One that is often there, so that its indexes are changed and dropped as well. */
  get indexed() {
    return this.db.collection<Document>("b");
  }

  get id(): unknown {
    return ids[this.step.id % ids.length];
  }

  /** Picks one document, or one that isn't there. */
  get filter(): Document {
    return this.step.isOdd ? { n: this.step.value % 6 } : { _id: this.id };
  }

  document(shift = 0): Document {
    const { value, id, isOdd } = this.step;
    return {
      _id: ids[(id + shift) % ids.length],
      n: new Int32((value + shift) % 6),
      d: new Double(value),
      list: [{ k: new Int32(shift), v: value }, { k: new Int32(2), v: [1, 2, { x: "y" }] }],
      deep: { a: { b: isOdd }, "10": 1, "2": new Int32(2) },
      text: "x".repeat(value % 300),
    };
  }
}

type Work = (place: Place) => Promise<unknown>;

const updates: readonly (Document | Document[])[] = [
  { $set: { "deep.a.c": new Int32(1), z: new Double(NaN) } },
  { $inc: { n: new Int32(1), d: new Double(0.1) } },
  { $push: { list: { $each: [{ k: new Int32(2), v: 7 }], $slice: -4, $position: 1 } } },
  { $unset: { text: "", "deep.a.b": "" } },
  { $rename: { d: "e" } },
  { $pull: { list: { k: new Int32(2) } } },
  { $set: { "list.0.v": "first" }, $min: { n: new Int32(0) } },
  { $currentDate: { at: true, ts: { $type: "timestamp" } } },
  [{ $set: { sum: { $add: ["$n", 1] }, now: "$$NOW" } }, { $unset: "deep" }],
];

/** What is done in one transaction, by its steps' numbers. */
async function change(place: Place, session: ClientSession, at: number): Promise<void> {
  const { collection, step } = place;
  const shop = place.client.db("shop").collection<Document>("orders");
  if (at % 4 === 0) {
    await collection.insertMany([0, 1, 2].map((shift) => ({ n: shift, in: step.value })), { session });
  } else if (at % 4 === 1) {
    await collection.updateMany({ n: step.value % 6 }, { $inc: { touched: 1 } }, { session });
  } else if (at % 4 === 2) await collection.deleteOne(place.filter, { session });
  else await shop.insertOne({ of: step.value, at }, { session });
}

async function transaction(place: Place): Promise<void> {
  await using first = place.client.startSession();
  await using second = place.client.startSession();
  const { value, isOdd } = place.step;
  first.startTransaction();
  second.startTransaction();
  for (let at = 0; at <= value % 5; at++) {
    await change(place, first, at);
    await change(new Place(place.client, { ...place.step, on: place.step.on + 2 }), second, at + 1);
  }
  if (isOdd) await first.abortTransaction();
  else await first.commitTransaction();
  await second.commitTransaction();
}

/** Every kind of step. */
const work: Record<string, Work> = {
  insert: (place) => place.collection.insertOne(place.document()),
  "insert many": (place) =>
    place.collection.insertMany([0, 1, 2, 3, 4].map((shift) => place.document(shift)), {
      ordered: place.step.isOdd,
    }),
  "insert hundreds": (place) =>
    place.collection.insertMany(
      Array.from({ length: 60 }, (_, at) => ({ n: at % 6, at: place.step.value })),
    ),
  "insert a large one": (place) =>
    place.collection.insertOne({ n: 1, large: new Binary(new Uint8Array(300_000)) }),
  update: (place) => place.collection.updateOne(place.filter, updates[place.step.value % updates.length]!),
  "update many": (place) => place.collection.updateMany({}, updates[place.step.value % updates.length]!),
  "update in arrays": (place) =>
    place.collection.updateMany({}, { $set: { "list.$[one].v": place.step.value } }, {
      arrayFilters: [{ "one.k": 2 }],
    }),
  upsert: (place) =>
    place.collection.updateOne(place.filter, { $setOnInsert: { made: true }, $inc: { n: 1 } }, {
      upsert: true,
    }),
  replace: (place) => {
    const { _id, ...rest } = place.document(1);
    return place.collection.replaceOne(place.filter, rest, { upsert: place.step.isOdd });
  },
  "find and modify": (place) =>
    place.collection.findOneAndUpdate(place.filter, { $inc: { n: 1 } }, { upsert: true }),
  delete: (place) => place.collection.deleteOne(place.filter),
  "delete many": (place) => place.collection.deleteMany({ n: { $lt: place.step.value % 4 } }),
  bulk: (place) =>
    place.collection.bulkWrite([
      { insertOne: { document: place.document(2) } },
      { updateMany: { filter: { n: 1 }, update: { $mul: { d: 2 } } } },
      { deleteOne: { filter: place.filter } },
      { updateOne: { filter: { n: 99 }, update: { $set: { bulk: 1 } }, upsert: true } },
    ], { ordered: place.step.isOdd }),
  transaction,
  create: (place) =>
    place.db.createCollection(place.name, place.step.isOdd ? { collation: { locale: "de" } } : {}),
  "create with a validator": (place) =>
    place.db.createCollection(place.name, { validator: { never: true }, validationAction: "warn" }),
  "create capped": (place) => place.db.createCollection("k", { capped: true, size: 4096, max: 7 }),
  "fill capped": (place) =>
    place.db.collection("k").insertMany(Array.from({ length: 9 }, (_, at) => ({ at, v: place.step.value }))),
  "convert to capped": (place) => place.db.command({ convertToCapped: place.name, size: 8192 }),
  drop: (place) => place.collection.drop(),
  "drop the database": (place) => place.client.db(databases[1]).dropDatabase(),
  rename: (place) => place.collection.rename(place.other, { dropTarget: place.step.isOdd }),
  "rename away": (place) =>
    place.client.db("admin").command({
      renameCollection: `${place.db.databaseName}.${place.name}`,
      to: `${databases[1]}.${place.other}`,
      dropTarget: true,
    }),
  out: (place) =>
    place.collection.aggregate([{ $match: { n: { $gt: 1 } } }, { $out: place.other }]).toArray(),
  merge: (place) => place.collection.aggregate([{ $limit: 5 }, { $merge: { into: place.other } }]).toArray(),
  "change the collection": (place) =>
    place.db.command({
      collMod: place.name,
      validator: { n: { $ne: place.step.value } },
      validationLevel: place.step.isOdd ? "moderate" : "off",
    }),
  index: (place) =>
    place.indexed.createIndexes([
      { key: { n: 1, "deep.a": -1 }, name: "n", hidden: place.step.isOdd },
      { key: { at: 1 }, name: "ttl", expireAfterSeconds: 100_000_000 + place.step.value },
    ]),
  "index more": (place) =>
    place.collection.createIndex({ [`f${place.step.value % 3}`]: place.step.isOdd ? "hashed" : 1 }, {
      ...place.step.isOdd ? {} : { sparse: true, collation: { locale: "en", strength: 2 } },
    }),
  "unique index": (place) => place.collection.createIndex({ text: 1, d: 1 }, { unique: true, name: "u" }),
  "change an index": (place) =>
    place.db.command({
      collMod: place.indexed.collectionName,
      index: place.step.isOdd
        ? { name: "ttl", expireAfterSeconds: 100_000_000 + place.step.value * 3 }
        : { keyPattern: { n: 1, "deep.a": -1 }, hidden: place.step.value % 2 === 0 },
    }),
  "drop an index": (place) => place.indexed.dropIndex(place.step.isOdd ? "n" : "ttl"),
  "drop all indexes": (place) => place.collection.dropIndexes(),
  view: (place) =>
    place.db.createCollection("v", { viewOn: place.name, pipeline: [{ $match: { n: place.step.value } }] }),
  "change a view": (place) => place.db.command({ collMod: "v", viewOn: place.other, pipeline: [] }),
  "drop a view": (place) => place.db.collection("v").drop(),
  "time series": (place) =>
    place.db.createCollection("w", {
      timeseries: { timeField: "at", metaField: "m", granularity: "minutes" },
    }),
  measure: (place) =>
    place.db.collection("w").insertMany(
      Array.from(
        { length: 5 },
        (_, at) => ({ at: new Date(1.7e12 + place.step.value * 1e5 + at), m: at % 2, v: at }),
      ),
    ),
  "index a time series": (place) =>
    place.db.collection("w").createIndex({ m: 1, at: place.step.isOdd ? 1 : -1 }),
  "drop a time series": (place) => place.db.collection("w").drop(),
  "apply operations": (place) => {
    const ns = `${place.db.databaseName}.${place.name}`;
    const insert = { op: "i", ns, o: place.document() };
    const remove = { op: "d", ns, o: { _id: place.id } };
    const nested = { op: "c", ns: "admin.$cmd", o: { applyOps: [insert, remove] } };
    // Makes the document where there is none, up to 6.0.
    const update = {
      op: "u",
      ns,
      o2: { _id: place.step.value },
      o: { n: 3, applied: true },
    };
    return place.client.db("admin").command({ applyOps: [insert, place.step.isOdd ? nested : update] });
  },
};

/** Most of the time documents are written; so that there is something to be changed. */
const frequent = [
  "insert",
  "insert many",
  "update",
  "update many",
  "upsert",
  "delete",
  "bulk",
  "transaction",
];

/** Random steps. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    does: fc.oneof(fc.constantFrom(...frequent), fc.constantFrom(...Object.keys(work))),
    on: fc.nat(30),
    id: fc.nat(40),
    value: fc.nat(60),
    isOdd: fc.boolean(),
  }),
  { minLength: 25, maxLength: 60, size: "max" },
);

/** Does one step after another. What the server refuses is left out, as an application would be told. */
export async function runSteps(client: MongoClient, steps: readonly Step[]): Promise<Map<string, number>> {
  const done = new Map<string, number>();
  for (const step of steps) {
    try {
      await work[step.does]!(new Place(client, step));
      done.set(step.does, (done.get(step.does) ?? 0) + 1);
    } catch (cause) {
      if (!(cause instanceof MongoServerError)) throw cause;
    }
  }
  return done;
}

/** Every kind of step that there is. */
export const stepKinds: readonly string[] = Object.keys(work);

/** Every kind of step a few times over, so that each has something to work on. */
export const tour: readonly Step[] = [0, 1, 2].flatMap((round) =>
  stepKinds.flatMap((does, at) => {
    const step = { does, on: 1 + (at + round) % 5, id: at, value: 3 * round + at, isOdd: round % 2 === 0 };
    if (!does.startsWith("create")) return [step];
    return [{ ...step, does: "drop", on: does === "create capped" ? names.indexOf("k") : step.on }, step];
  })
);
