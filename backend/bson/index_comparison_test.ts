import assert from "node:assert/strict";
import { type Document, Double, Int32, Long, serialize } from "bson";
import { compareIndexes } from "./index_comparison.ts";

const index = { v: new Int32(2), key: { a: new Int32(1), b: -1 }, name: "a_1_b_-1" };

function compare(wanted: Document, found: Document) {
  return compareIndexes(serialize(wanted), serialize(found));
}

Deno.test("compareIndexes() names every field that isn't the same", () => {
  const partial = (value: unknown) => ({ ...index, partialFilterExpression: { n: { $gt: value } } });
  for (
    const { wanted, found, want } of [
      { wanted: index, found: index, want: [] },
      { wanted: { ...index, unique: true }, found: index, want: ["unique"] },
      { wanted: index, found: { ...index, unique: true }, want: ["unique"] },
      { wanted: index, found: { ...index, key: { b: -1, a: new Int32(1) } }, want: ["key"] },
      { wanted: index, found: { ...index, key: { a: new Double(1), b: -1 } }, want: ["key"] },
      { wanted: partial(new Int32(1)), found: partial(new Double(1)), want: ["partialFilterExpression"] },
      { wanted: { ...index, v: new Int32(1) }, found: index, want: ["v"] },
      {
        wanted: { ...index, expireAfterSeconds: new Int32(9) },
        found: { ...index, expireAfterSeconds: new Int32(8) },
        want: ["expireAfterSeconds"],
      },
      { wanted: { ...index, collation: { locale: "de" } }, found: index, want: ["collation"] },
      { wanted: index, found: { ...index, collation: { locale: "de" } }, want: ["collation"] },
    ]
  ) {
    assert.deepEqual(
      compare(wanted, found),
      { differing: want, retired: [] },
      JSON.stringify([wanted, found]),
    );
  }
});

Deno.test("compareIndexes() takes for the same what a server itself writes otherwise", () => {
  const { key, name } = index;
  const seconds = (number: unknown) => ({ ...index, expireAfterSeconds: number });
  for (
    const [wanted, found] of [
      [{ ...index, ns: "app.a" }, index],
      [{ v: new Int32(0), key, name }, index],
      [{ name, key, v: index.v }, index],
      [{ ...index, background: true, dropDups: true }, index],
      [{ ...index, collation: { locale: "simple" } }, index],
      [{ ...index, key: { a: true, b: -1 } }, index],
      [seconds(Long.fromNumber(9)), seconds(new Int32(9))],
      [seconds(new Double(NaN)), seconds(new Int32(2 ** 31 - 1))],
      [{ v: index.v, key: { t: "2dsphere" }, name: "t" }, {
        v: index.v,
        key: { t: "2dsphere" },
        name: "t",
        "2dsphereIndexVersion": 1,
      }],
    ] as [Document, Document][]
  ) assert.deepEqual(compare(wanted, found), { differing: [], retired: [] }, JSON.stringify(wanted));
  assert.deepEqual(compare({ ...index, safe: true }, index), { differing: [], retired: ["safe"] });
});
