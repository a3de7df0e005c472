import assert from "node:assert/strict";
import fc from "fast-check";
import { formatNamespace } from "./namespace.ts";

Deno.test("formatNamespace() joins database and collection with a dot", () => {
  const rows = [
    { input: { database: "shop", collection: "orders" }, want: "shop.orders" },
    { input: { database: "shop", collection: "orders.2026.archive" }, want: "shop.orders.2026.archive" },
    { input: { database: "größe", collection: " x" }, want: "größe. x" },
  ];
  for (const { input, want } of rows) assert.equal(formatNamespace(input), want);
});

Deno.test("formatNamespace() never gives two namespaces one name", () => {
  const database = fc.string({ minLength: 1 }).filter((name) => !name.includes("."));
  const namespace = fc.record({ database, collection: fc.string({ minLength: 1 }) });
  fc.assert(fc.property(namespace, namespace, (a, b) => {
    const same = a.database === b.database && a.collection === b.collection;
    assert.equal(formatNamespace(a) === formatNamespace(b), same);
  }));
  fc.assert(fc.property(namespace, ({ database, collection }) => {
    const name = formatNamespace({ database, collection });
    const dot = name.indexOf(".");
    assert.deepEqual([name.slice(0, dot), name.slice(dot + 1)], [database, collection]);
  }));
});
