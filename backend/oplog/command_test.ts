import assert from "node:assert/strict";
import { Binary, type Document, Int32, Long, serialize, Timestamp as BsonTimestamp } from "bson";
import { commandBytes, entryBytes, place } from "../../tests/contract/oplog_entries.ts";
import { mayBeUpheaval, type OplogCommand, readCommand, refuseUpheaval, touchedBy } from "./command.ts";
import { readEntry } from "./entry.ts";

const at = place(1_700_000_000);
const uuid = new Binary(new Uint8Array(16).fill(3), 4);
const index = { v: new Int32(2), key: { x: new Int32(1) }, name: "x_1" };
const second = { v: new Int32(2), key: { y: new Int32(-1) }, name: "y_-1", unique: true };
const a = { database: "app", collection: "a" };

/** A command with its raw parts as hexadecimal digits. */
function readable(command: OplogCommand): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(command).map(([key, value]) => {
      if (value instanceof Uint8Array) return [key, value.toHex()];
      if (Array.isArray(value)) return [key, value.map((one: Uint8Array) => one.toHex())];
      return [key, key === "which" ? { type: value.type, value: value.value.toHex() } : value];
    }),
  );
}

function read(o: Document, database = "app"): Record<string, unknown> {
  return readable(readCommand(readEntry(commandBytes(at, database, o))));
}

function hex(document: Document): string {
  return serialize(document).toHex();
}

/** A list as the raw array that an oplog has it as. */
function arrayHex(list: readonly Document[]): string {
  const wrapped = serialize({ a: list });
  return wrapped.slice(7, wrapped.length - 1).toHex();
}

const idIndex = { v: new Int32(2), key: { _id: new Int32(1) }, name: "_id_" };

/** Commands as servers from 4.4 to 8.0 write them. */
const commands: readonly { name: string; o: Document; want: Record<string, unknown> }[] = [
  {
    name: "create",
    o: { create: "a", idIndex },
    want: { kind: "create", namespace: a, isCollated: false },
  },
  {
    name: "create with a collation",
    o: { create: "a", collation: { locale: "de", version: "57.1" }, idIndex },
    want: { kind: "create", namespace: a, isCollated: true },
  },
  {
    name: "create of buckets",
    o: {
      create: "system.buckets.w",
      validator: {},
      clusteredIndex: true,
      timeseries: { timeField: "at", granularity: "seconds" },
    },
    want: {
      kind: "create",
      namespace: { database: "app", collection: "system.buckets.w" },
      isCollated: false,
    },
  },
  {
    name: "create of 8.0",
    o: { create: "a", recordIdsReplicated: true, idIndex },
    want: { kind: "create", namespace: a, isCollated: false },
  },
  { name: "drop", o: { drop: "a" }, want: { kind: "drop", namespace: a } },
  {
    name: "dropDatabase",
    o: { dropDatabase: new Int32(1) },
    want: { kind: "dropDatabase", database: "app" },
  },
  {
    name: "createIndexes of an empty collection",
    o: { createIndexes: "a", ...index },
    want: { kind: "addIndexes", namespace: a, indexes: [hex(index)] },
  },
  {
    name: "commitIndexBuild of several",
    o: { commitIndexBuild: "a", indexBuildUUID: uuid, indexes: [index, second] },
    want: { kind: "addIndexes", namespace: a, indexes: [hex(index), hex(second)] },
  },
  {
    name: "abortIndexBuild",
    o: {
      abortIndexBuild: "a",
      indexBuildUUID: uuid,
      indexes: [second],
      cause: { ok: false, code: new Int32(11000) },
    },
    want: { kind: "abortIndexes", namespace: a, indexes: [hex(second)] },
  },
  {
    name: "startIndexBuild",
    o: { startIndexBuild: "a", indexBuildUUID: uuid, indexes: [index] },
    want: { kind: "ignored" },
  },
  { name: "setMultikeyMetadata", o: { setMultikeyMetadata: "a", paths: [] }, want: { kind: "ignored" } },
  { name: "dropIdent", o: { dropIdent: "index-1" }, want: { kind: "ignored" } },
  { name: "dbCheck", o: { dbCheck: "app.a", type: "batch", md5: "" }, want: { kind: "ignored" } },
  ...["dropIndexes", "dropIndex", "deleteIndexes", "deleteIndex"].map((name) => ({
    name,
    o: { [name]: "a", index: "x_1" },
    want: { kind: "dropIndexes", namespace: a, which: { type: 2, value: "04000000785f3100" } },
  })),
  {
    name: "dropIndexes by key",
    o: { dropIndexes: "a", index: { x: 1 } },
    want: { kind: "dropIndexes", namespace: a, which: { type: 3, value: hex({ x: 1 }) } },
  },
  {
    name: "renameCollection",
    o: { renameCollection: "app.a", to: "app.b.c", stayTemp: false },
    want: { kind: "rename", from: a, to: { database: "app", collection: "b.c" }, dropTarget: false },
  },
  {
    name: "renameCollection over another one, which goes by its UUID",
    o: { renameCollection: "app.a", to: "app.b", stayTemp: false, dropTarget: uuid },
    want: { kind: "rename", from: a, to: { database: "app", collection: "b" }, dropTarget: true },
  },
  {
    name: "renameCollection with dropTarget of old",
    o: { renameCollection: "app.a", to: "app.b", dropTarget: false },
    want: { kind: "rename", from: a, to: { database: "app", collection: "b" }, dropTarget: false },
  },
  {
    name: "collMod of a validator",
    o: { collMod: "a", validator: { x: 1 }, validationLevel: "strict" },
    want: {
      kind: "collMod",
      namespace: a,
      index: null,
      rest: hex({ collMod: "a", validator: { x: 1 }, validationLevel: "strict" }),
    },
  },
  {
    name: "collMod of an index",
    o: { collMod: "a", index: { name: "x_1", expireAfterSeconds: Long.fromNumber(60) } },
    want: {
      kind: "collMod",
      namespace: a,
      index: hex({ name: "x_1", expireAfterSeconds: Long.fromNumber(60) }),
      rest: null,
    },
  },
  {
    name: "collMod of both",
    o: { collMod: "a", index: { keyPattern: { x: 1 }, hidden: true }, validationAction: "warn" },
    want: {
      kind: "collMod",
      namespace: a,
      index: hex({ keyPattern: { x: 1 }, hidden: true }),
      rest: hex({ collMod: "a", validationAction: "warn" }),
    },
  },
  {
    name: "collMod of nothing that servers still know",
    o: { collMod: "a", usePowerOf2Sizes: true, noPadding: false },
    want: { kind: "collMod", namespace: a, index: null, rest: null },
  },
  {
    name: "collMod of something old and something else",
    o: { collMod: "a", noPadding: false, expireAfterSeconds: 5 },
    want: { kind: "collMod", namespace: a, index: null, rest: hex({ collMod: "a", expireAfterSeconds: 5 }) },
  },
  { name: "convertToCapped", o: { convertToCapped: "a", size: 4096 }, want: { kind: "other", namespace: a } },
  { name: "emptycapped", o: { emptycapped: "a" }, want: { kind: "other", namespace: a } },
  {
    name: "applyOps",
    o: { applyOps: [{ op: "n" }] },
    want: { kind: "applyOps", operations: arrayHex([{ op: "n" }]), partial: false, prepare: false },
  },
  {
    name: "applyOps, the part of a transaction",
    o: { applyOps: [], partialTxn: true },
    want: { kind: "applyOps", operations: arrayHex([]), partial: true, prepare: false },
  },
  {
    name: "applyOps that prepares",
    o: { applyOps: [], prepare: true, count: Long.fromNumber(3) },
    want: { kind: "applyOps", operations: arrayHex([]), partial: false, prepare: true },
  },
  {
    name: "commitTransaction",
    o: { commitTransaction: 1, commitTimestamp: new BsonTimestamp({ t: 1, i: 1 }), prepared: true },
    want: { kind: "commitTransaction" },
  },
  { name: "abortTransaction", o: { abortTransaction: 1 }, want: { kind: "abortTransaction" } },
];

Deno.test("readCommand() reads every command in the shape that servers write it", () => {
  for (const { name, o, want } of commands) assert.deepEqual(read(o), want, name);
});

const refused: readonly { name: string; o: Document }[] = [
  {
    name: "upgradeDowngradeViewlessTimeseries",
    o: { upgradeDowngradeViewlessTimeseries: "a", isUpgrade: true },
  },
  { name: "importCollection", o: { importCollection: "app.a" } },
  { name: "cloneCollectionAsCapped", o: { cloneCollectionAsCapped: "a" } },
  { name: "modifyCollectionShardingIndexCatalog", o: { modifyCollectionShardingIndexCatalog: "app.a" } },
  { name: "toString", o: { toString: "a" } },
  { name: "a command", o: {} },
];

Deno.test("readCommand() refuses a command that it doesn't know, by its name", () => {
  for (const { name, o } of refused) {
    assert.throws(() => read(o), {
      code: "oplogUnreplayable",
      message: new RegExp(`Cannot replay ${name} on app`),
      hint: /Full/,
    }, name);
  }
});

Deno.test("readCommand() refuses a known command without what it needs", () => {
  const lacking = [
    { renameCollection: "app.a" },
    { dropIndexes: "a" },
    { commitIndexBuild: "a", indexBuildUUID: uuid },
    { abortIndexBuild: "a" },
    { applyOps: 5 },
  ];
  for (const o of lacking) assert.throws(() => read(o), { code: "oplogUnreplayable" }, JSON.stringify(o));
});

const touching: readonly { o: Document; want: string[] }[] = [
  { o: { create: "a" }, want: ["app.a"] },
  { o: { renameCollection: "app.a", to: "other.b" }, want: ["app.a", "other.b"] },
  { o: { dropDatabase: 1 }, want: ["app."] },
  { o: { collMod: "a", validator: {} }, want: ["app.a"] },
  { o: { dropIndexes: "a", index: "*" }, want: ["app.a"] },
  { o: { convertToCapped: "a", size: 1 }, want: ["app.a"] },
  { o: { dbCheck: "a" }, want: [] },
  { o: { commitTransaction: 1 }, want: [] },
];

Deno.test("touchedBy() names what a command touches, both names of a renaming", () => {
  for (const { o, want } of touching) {
    const touched = touchedBy(readCommand(readEntry(commandBytes(at, "app", o))));
    assert.deepEqual(touched.map(({ database, collection }) => `${database}.${collection}`), want);
  }
});

const upheavals: readonly { ns: string; o: Document; o2?: Document; refused: RegExp | null }[] = [
  {
    ns: "admin.system.version",
    o: { $v: 2, diff: { u: { version: "7.0" } } },
    o2: { _id: "featureCompatibilityVersion" },
    refused: /feature compatibility version was changed/,
  },
  {
    ns: "admin.system.version",
    o: { _id: "featureCompatibilityVersion", version: "7.0" },
    refused: /admin\.system\.version/,
  },
  { ns: "admin.system.version", o: { _id: "authSchema", currentVersion: 5 }, refused: null },
  { ns: "config.reshardingOperations", o: { _id: 1 }, refused: /a collection was resharded/ },
  { ns: "config.localReshardingOperations.donor", o: { _id: 1 }, refused: /resharded/ },
  { ns: "config.transactions", o: { _id: 1 }, refused: null },
  { ns: "app.system.version", o: { _id: "featureCompatibilityVersion" }, refused: null },
];

Deno.test("refuseUpheaval() refuses what no slice may hold, and nothing else of the same places", () => {
  for (const { ns, o, o2, refused } of upheavals) {
    const entry = readEntry(entryBytes({ op: "u", ns, o, at, ...o2 === undefined ? {} : { o2 } }));
    if (refused === null) refuseUpheaval(entry);
    else {
      assert.ok(mayBeUpheaval(entry.namespace), ns);
      assert.throws(() => refuseUpheaval(entry), {
        code: "oplogUnreplayable",
        message: refused,
        hint: /Full/,
      });
    }
  }
  assert.equal(mayBeUpheaval({ database: "app", collection: "a" }), false);
});
