import assert from "node:assert/strict";
import { Double, serialize } from "bson";
import { formatExtendedJson } from "../bson/extended_json.ts";
import { findElement, stringValue } from "../bson/document.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { formatNamespace, parseNamespace } from "../namespace.ts";
import { NamespaceMap } from "../options/namespace_pattern.ts";
import type { RestoredCollection } from "../ports.ts";
import { mapCollection, mapNamespace, mapViewRecord, userNamespace, viewNamespace } from "./selection.ts";

const names = new NamespaceMap(["app.orders", "app.w", "app.far", "other.*"], [
  "app.copy",
  "new.w2",
  "far.far",
  "app.o_*",
]);
const same = new NamespaceMap([], []);

const namespaces = [
  { from: "app.orders", user: "app.orders", to: "app.copy" },
  { from: "app.system.buckets.w", user: "app.w", to: "new.system.buckets.w2" },
  { from: "app.other", user: "app.other", to: "app.other" },
  { from: "other.system.buckets.x.y", user: "other.x.y", to: "app.system.buckets.o_x.y" },
  { from: "app.system.js", user: "app.system.js", to: "app.system.js" },
];

Deno.test("mapNamespace() renames a time series' buckets with it, and userNamespace() gives its own name", () => {
  for (const { from, user, to } of namespaces) {
    assert.equal(formatNamespace(userNamespace(parseNamespace(from))), user);
    assert.equal(formatNamespace(mapNamespace(parseNamespace(from), names)), to);
  }
});

function collectionOf(
  name: string,
  kind: RestoredCollection["kind"],
  options: object = {},
): RestoredCollection {
  const namespace = parseNamespace(name);
  const data = kind === "view"
    ? null
    : kind === "timeseries"
    ? { ...namespace, collection: `system.buckets.${namespace.collection}` }
    : namespace;
  const metadata = formatExtendedJson(
    serialize({
      options,
      indexes: [{ key: { a: new Double(1) }, name: "a" }],
      uuid: "0",
      collectionName: namespace.collection,
    }),
  );
  return { namespace, kind, data, metadata };
}

function mappedParts(collection: RestoredCollection, map = names) {
  const { namespace, data, metadata } = mapCollection(collection, map);
  const document = parseExtendedJson(metadata);
  const viewOn = findElement(findElement(document, "options")!.value, "viewOn");
  return {
    name: formatNamespace(namespace),
    data: data === null ? null : formatNamespace(data),
    collectionName: stringValue(findElement(document, "collectionName")!.value),
    viewOn: viewOn === undefined ? null : stringValue(viewOn.value),
  };
}

Deno.test("mapCollection() renames a collection in its metadata too, and nothing else there", () => {
  const collection = collectionOf("app.orders", "collection", { capped: true });
  assert.deepEqual(mappedParts(collection), {
    name: "app.copy",
    data: "app.copy",
    collectionName: "copy",
    viewOn: null,
  });
  const mapped = mapCollection(collection, names);
  assert.equal(mapped.metadata, collection.metadata.replace('"orders"', '"copy"'));
  assert.deepEqual(mapCollection(collection, same), collection);
});

Deno.test("mapCollection() renames a time series and where its data goes", () => {
  assert.deepEqual(mappedParts(collectionOf("app.w", "timeseries")), {
    name: "new.w2",
    data: "new.system.buckets.w2",
    collectionName: "w2",
    viewOn: null,
  });
});

Deno.test("mapCollection() gives an encrypted collection another database, but no other name", () => {
  const encryptedFields = { escCollection: "enxcol_.orders.esc", fields: [] };
  const orders = collectionOf("app.orders", "collection", { encryptedFields });
  assert.throws(() => mapCollection(orders, names), {
    code: "restoreRequest",
    message: /Cannot rename app\.orders: it has encryptedFields/,
  });
  const elsewhere = new NamespaceMap(["app.*"], ["copy.*"]);
  assert.equal(mappedParts(orders, elsewhere).name, "copy.orders");
});

Deno.test("mapCollection() makes a view look at the new name of what it looked at", () => {
  const view = collectionOf("app.v", "view", {
    viewOn: "orders",
    pipeline: [{ $match: { "10": 1, "2": 2 } }],
  });
  assert.deepEqual(mappedParts(view), { name: "app.v", data: null, collectionName: "v", viewOn: "copy" });
  assert.equal(mapCollection(view, names).metadata, view.metadata.replace('"orders"', '"copy"'));
  assert.deepEqual(mapCollection(view, same), view);
  const onView = collectionOf("other.v", "view", { viewOn: "x", pipeline: [] });
  assert.deepEqual(mappedParts(onView), {
    name: "app.o_v",
    data: null,
    collectionName: "o_v",
    viewOn: "o_x",
  });
});

Deno.test("mapCollection() and mapViewRecord() make a view's pipeline read the new names too", () => {
  const definition = (other: string, base: string) => ({
    viewOn: base,
    pipeline: [{ $lookup: { from: other, as: "x" } }],
  });
  const view = collectionOf("app.v", "view", definition("orders", "other"));
  assert.equal(
    mapCollection(view, names).metadata,
    collectionOf("app.v", "view", definition("copy", "other")).metadata,
  );
  const record = serialize({ _id: "app.v", ...definition("orders", "orders") });
  const wanted = serialize({ _id: "app.v", ...definition("copy", "copy") });
  assert.equal(mapViewRecord(record, names).toHex(), Buffer.from(wanted).toString("hex"));
  assert.throws(() => mapCollection(collectionOf("app.v", "view", definition("far", "orders")), names), {
    code: "restoreRequest",
    message: /what it looks at, app\.far, would go to another database/,
  });
});

Deno.test("mapCollection() and mapViewRecord() refuse to tear a view from what it looks at", () => {
  const refusal = {
    code: "restoreRequest",
    message: /Cannot rename app\.v: .*app\.far, would go to another database/,
  };
  assert.throws(() => mapCollection(collectionOf("app.v", "view", { viewOn: "far" }), names), refusal);
  assert.throws(() => mapViewRecord(serialize({ _id: "app.v", viewOn: "far" }), names), refusal);
});

Deno.test("mapViewRecord() renames a view's record and what it looks at, and leaves the rest", () => {
  const pipeline = [{ $match: { orders: new Double(1) } }];
  const record = serialize({ _id: "other.v", viewOn: "x", pipeline });
  assert.equal(
    mapViewRecord(record, names).toHex(),
    serialize({ _id: "app.o_v", viewOn: "o_x", pipeline }).toHex(),
  );
  assert.equal(
    mapViewRecord(serialize({ _id: "other.v" }), names).toHex(),
    serialize({ _id: "app.o_v" }).toHex(),
  );
  assert.equal(mapViewRecord(record, same).toHex(), record.toHex());
});

Deno.test("viewNamespace() reads whose record it is, and null where it is no view's", () => {
  assert.deepEqual(viewNamespace(serialize({ _id: "app.a.b" })), { database: "app", collection: "a.b" });
  assert.equal(viewNamespace(serialize({ _id: 5 })), null);
  assert.equal(viewNamespace(serialize({ x: 5 })), null);
});
