import assert from "node:assert/strict";
import { BSONSymbol, Decimal128, Double, Int32, Long, serialize } from "bson";
import { type BsonElement, elements, findElement } from "../bson/document.ts";
import { formatNamespace, type Namespace, parseNamespace } from "../namespace.ts";
import { IndexCatalog } from "./index_catalog.ts";

/** In their order, which objects don't keep for names like numbers. */
type Fields = readonly (readonly [string, unknown])[];

const orders = parseNamespace("app.orders");
const unreplayable = { name: "PluginError", code: "oplogUnreplayable" };

function raw(fields: Fields): Uint8Array {
  return serialize(new Map(fields));
}

function index(name: string, key: Fields = [["a", new Int32(1)]], ...options: Fields): Uint8Array {
  return raw([["v", new Int32(2)], ["key", new Map(key)], ["name", name], ...options]);
}

function element(value: unknown): BsonElement {
  return findElement(serialize(new Map([["index", value]])), "index")!;
}

function catalogOf(...indexes: Uint8Array[]): IndexCatalog {
  const catalog = new IndexCatalog();
  catalog.set(orders, indexes, false);
  return catalog;
}

/** What is to be built for a collection, in order and to the byte. */
function built(catalog: IndexCatalog, namespace: Namespace = orders): string[] {
  const found = [...catalog.entries()].filter((entry) =>
    formatNamespace(entry.namespace) === formatNamespace(namespace)
  );
  return found.flatMap(({ indexes }) => indexes.map((one) => one.toHex()));
}

function hexOf(...indexes: Uint8Array[]): string[] {
  return indexes.map((one) => one.toHex());
}

/** `namespace collated? names` of every entry. */
function summary(catalog: IndexCatalog): string[] {
  return [...catalog.entries()].map(({ namespace, isCollated, indexes }) =>
    [
      formatNamespace(namespace),
      isCollated ? "collated" : "plain",
      ...indexes.map((one) => String(fieldsOf(one).get("name"))),
    ].join(" ")
  );
}

function fieldsOf(document: Uint8Array): Map<string, string> {
  return new Map(
    [...elements(document)].map(({ key, type, value }) => [
      key,
      key === "name" ? new TextDecoder().decode(value.subarray(4, -1)) : `${type}:${value.toHex()}`,
    ]),
  );
}

Deno.test("IndexCatalog.add() keeps every byte, the order of creation, and a replaced index in its place", () => {
  const nasty = [
    index("10", [["10", new Int32(1)], ["1", new Int32(-1)]]),
    index("1", [["1", new Int32(-1)], ["10", new Int32(1)]]),
    index("__proto__", [["__proto__", "hashed"]], ["sparse", true]),
    index("constructor", [["a.b", Long.fromNumber(1)]], ["expireAfterSeconds", new Double(NaN)]),
    index("t", [["_fts", "text"], ["_ftsx", new Int32(1)]], ["weights", new Map([["2", 1], ["1", 1]])]),
    index("ü_1", [["ü", new Double(1)]], ["partialFilterExpression", new Map()]),
  ] as const;
  const catalog = new IndexCatalog();
  catalog.set(orders, nasty.slice(0, 3), false);
  for (const one of nasty.slice(3)) catalog.add(orders, one);
  assert.deepEqual(built(catalog), hexOf(...nasty));

  const replaced = index("1", [["x", new Int32(1)]]);
  catalog.add(orders, replaced);
  assert.deepEqual(built(catalog), hexOf(nasty[0], replaced, ...nasty.slice(2)));

  // Dropped and made again, it is the newest.
  catalog.drop(orders, element("10"), false);
  catalog.add(orders, nasty[0]);
  assert.deepEqual(built(catalog), hexOf(replaced, ...nasty.slice(2), nasty[0]));
});

Deno.test("IndexCatalog.add() leaves out the index on _id, and refuses one without a name", () => {
  const catalog = catalogOf(index("_id_", [["_id", new Int32(1)]]), index("_id_hashed", [["_id", "hashed"]]));
  assert.deepEqual(summary(catalog), ["app.orders plain _id_hashed"]);
  for (const nameless of [raw([["key", new Map([["a", 1]])]]), raw([["name", 1]]), index("")]) {
    assert.throws(() => catalog.add(orders, nameless), unreplayable);
  }
  assert.deepEqual(summary(catalog), ["app.orders plain _id_hashed"]);
});

const [a, b, text, proto] = [
  index("a_1", [["a", new Int32(1)]]),
  index("b_1", [["1", new Int32(1)], ["10", new Int32(-1)]]),
  index("text", [["_fts", "text"], ["_ftsx", new Int32(1)]]),
  index("__proto__", [["__proto__", new Decimal128("1")], ["x", new Double(NaN)]]),
] as const;

Deno.test("IndexCatalog.drop() takes a name, all, a list of names, or a key pattern", () => {
  const pattern = (...fields: Fields) => new Map(fields);
  const rows: { which: unknown; want: Uint8Array[] }[] = [
    { which: "a_1", want: [b, text, proto] },
    { which: "__proto__", want: [a, b, text] },
    { which: "*", want: [] },
    { which: ["a_1", "text"], want: [b, proto] },
    { which: [], want: [a, b, text, proto] },
    { which: pattern(["a", new Int32(1)]), want: [b, text, proto] },
    { which: pattern(["a", Long.fromNumber(1)]), want: [b, text, proto] },
    { which: pattern(["a", new Double(1)]), want: [b, text, proto] },
    { which: pattern(["1", new Double(1)], ["10", Long.fromNumber(-1)]), want: [a, text, proto] },
    { which: pattern(["_fts", "text"], ["_ftsx", new Double(1)]), want: [a, b, proto] },
    // Byte for byte the same is the same, also where no numbers are equal.
    { which: pattern(["__proto__", new Decimal128("1")], ["x", new Double(NaN)]), want: [a, b, text] },
  ];
  for (const { which, want } of rows) {
    for (const lenient of [false, true]) {
      const catalog = catalogOf(a, b, text, proto);
      catalog.drop(orders, element(which), lenient);
      assert.deepEqual(built(catalog), hexOf(...want), String(which));
    }
  }
});

Deno.test("IndexCatalog.drop() refuses an index that it doesn't know, unless it may be gone", () => {
  const unknown: unknown[] = [
    "c_1",
    "",
    "_id_",
    "hasOwnProperty",
    ["c_1"],
    [1],
    1,
    null,
    new Map(),
    new Map([["a", -1]]),
    new Map<string, unknown>([["a", "1"]]),
    new Map([["b", 1]]),
    new Map([["a", 1], ["b", 1]]),
    new Map<string, unknown>([["_fts", "2dsphere"], ["_ftsx", 1]]),
    new Map<string, unknown>([["_fts", new BSONSymbol("text")], ["_ftsx", 1]]),
    // The other order is another index.
    new Map([["10", -1], ["1", 1]]),
    new Map<string, unknown>([["__proto__", new Decimal128("1")], ["x", 1]]),
  ];
  for (const which of unknown) {
    const catalog = catalogOf(a, b, text, proto);
    assert.throws(() => catalog.drop(orders, element(which), false), unreplayable, String(which));
    catalog.drop(orders, element(which), true);
    assert.deepEqual(built(catalog), hexOf(a, b, text, proto), String(which));
  }
  const catalog = catalogOf();
  assert.throws(() => catalog.drop(orders, element("c_1"), false), {
    message: "Cannot replay a change of the index c_1 of app.orders: there is no such index",
  });
  catalog.drop(orders, element("*"), false);
});

Deno.test("IndexCatalog.modify() changes an index as a collMod did", () => {
  const expireAfterSeconds = (value: unknown) => ["expireAfterSeconds", value] as const;
  const rows: { options: Fields; change: Fields; want: Fields }[] = [
    { options: [], change: [], want: [] },
    { options: [], change: [["hidden", true]], want: [["hidden", true]] },
    { options: [["hidden", true]], change: [["hidden", false]], want: [] },
    { options: [["hidden", true], ["sparse", true]], change: [["hidden", false]], want: [["sparse", true]] },
    { options: [], change: [["hidden", false]], want: [] },
    { options: [], change: [["prepareUnique", true]], want: [["prepareUnique", true]] },
    { options: [["prepareUnique", true]], change: [["prepareUnique", false]], want: [] },
    { options: [["prepareUnique", true]], change: [["unique", true]], want: [["unique", true]] },
    { options: [["unique", false]], change: [["unique", true]], want: [["unique", true]] },
    { options: [], change: [["unique", true], ["prepareUnique", true]], want: [["unique", true]] },
    { options: [["unique", true]], change: [["unique", false]], want: [["unique", true]] },
    { options: [["unique", true]], change: [["forceNonUnique", true]], want: [] },
    { options: [["unique", true]], change: [["forceNonUnique", false]], want: [["unique", true]] },
    // What was a TTL index and what becomes one; the value as it came, whatever it is.
    ...[new Int32(5), Long.fromBits(-1, 0x7fffffff), new Double(NaN), new Double(1e300)].flatMap((value) => [
      { options: [], change: [expireAfterSeconds(value)], want: [expireAfterSeconds(value)] },
      {
        options: [expireAfterSeconds(new Int32(9)), ["sparse", true] as const],
        change: [expireAfterSeconds(value)],
        want: [expireAfterSeconds(value), ["sparse", true] as const],
      },
    ]),
    {
      options: [["hidden", true]],
      change: [["hidden", false], expireAfterSeconds(new Int32(7)), ["prepareUnique", true]],
      want: [expireAfterSeconds(new Int32(7)), ["prepareUnique", true]],
    },
  ];
  const key: Fields = [["10", new Int32(1)], ["1", new Int32(-1)]];
  const selectors: Fields = [
    ["name", "__proto__"],
    ["keyPattern", new Map(key)],
    ["keyPattern", new Map<string, unknown>([["10", new Double(1)], ["1", Long.fromNumber(-1)]])],
  ];
  for (const { options, change, want } of rows) {
    for (const selector of selectors) {
      const catalog = catalogOf(a, index("__proto__", key, ...options), b);
      catalog.modify(orders, raw([selector, ...change]), false);
      assert.deepEqual(built(catalog), hexOf(a, index("__proto__", key, ...want), b), JSON.stringify(change));
    }
  }
});

Deno.test("IndexCatalog.modify() refuses what it doesn't know", () => {
  const catalog = catalogOf(a);
  for (const lenient of [false, true]) {
    for (const name of ["a_1", "gone"]) {
      assert.throws(
        () => catalog.modify(orders, raw([["name", name], ["hidden", true], ["newest", 1]]), lenient),
        {
          ...unreplayable,
          message:
            'Cannot replay a collMod on an index of app.orders: it changes "newest", which isn\'t known',
        },
      );
    }
  }
  const selectors: Fields = [
    ["name", "gone"],
    ["name", 1],
    ["keyPattern", new Map([["b", 1]])],
    ["keyPattern", 1],
    ["hidden", false],
  ];
  for (const selector of selectors) {
    const change = raw([selector, ["hidden", true]]);
    assert.throws(() => catalog.modify(orders, change, false), unreplayable, String(selector));
    catalog.modify(orders, change, true);
  }
  assert.deepEqual(built(catalog), hexOf(a));
});

Deno.test("IndexCatalog follows collections that are made, dropped and renamed", () => {
  const other = parseNamespace("app.other.name");
  const steps: { name: string; take(catalog: IndexCatalog): void; want: string[] }[] = [
    { name: "create", take: (catalog) => catalog.create(orders, true), want: ["app.other.name plain b_1"] },
    {
      name: "add to what was made anew",
      take: (catalog) => (catalog.create(orders, true), catalog.add(orders, text)),
      want: ["app.orders collated text", "app.other.name plain b_1"],
    },
    { name: "drop", take: (catalog) => catalog.forget(orders), want: ["app.other.name plain b_1"] },
    {
      name: "rename onto another one",
      take: (catalog) => catalog.rename(orders, other),
      want: ["app.other.name collated a_1 text"],
    },
    {
      name: "rename of one without indexes",
      take: (catalog) => catalog.rename(parseNamespace("app.plain"), other),
      want: ["app.orders collated a_1 text"],
    },
    {
      name: "rename, and what follows goes to the new name",
      take: (catalog) => {
        catalog.rename(orders, parseNamespace("zoo.new"));
        catalog.add(parseNamespace("zoo.new"), b);
        catalog.add(orders, b);
      },
      want: ["app.orders plain b_1", "app.other.name plain b_1", "zoo.new collated a_1 text b_1"],
    },
    {
      name: "abort of a known index and an unknown one",
      take: (catalog) => catalog.abort(orders, [b, a]),
      want: ["app.orders collated text", "app.other.name plain b_1"],
    },
    {
      name: "what only looks",
      take: (catalog) => {
        const unknown = parseNamespace("app.unknown");
        catalog.abort(unknown, [a]);
        catalog.drop(unknown, element("*"), false);
        catalog.modify(unknown, raw([["name", "a_1"]]), true);
      },
      want: ["app.orders collated a_1 text", "app.other.name plain b_1"],
    },
  ];
  for (const { name, take, want } of steps) {
    const catalog = new IndexCatalog();
    catalog.set(other, [b], false);
    catalog.set(orders, [a, text], true);
    take(catalog);
    assert.deepEqual(summary(catalog), want, name);
  }
});

Deno.test("IndexCatalog.entries() is sorted by name", () => {
  const catalog = new IndexCatalog();
  const names = ["b.z", "a.é", "a.10", "a.1", "a.Z", "ab.c", "a.system.buckets.x", "a.a.b", "a.a"];
  for (const name of names) catalog.add(parseNamespace(name), a);
  catalog.create(parseNamespace("a.empty"), true);
  assert.deepEqual(summary(catalog), names.toSorted().map((name) => `${name} plain a_1`));
});
