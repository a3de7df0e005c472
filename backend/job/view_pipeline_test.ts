import { strictEqual } from "node:assert/strict";
import { BSONRegExp, Double, Int32, serialize } from "bson";
import fc from "fast-check";
import { findElement } from "../bson/document.ts";
import { renameInPipeline } from "./view_pipeline.ts";

function bytesOf(pipeline: unknown[]): Uint8Array {
  return findElement(serialize({ pipeline }), "pipeline")!.value;
}

const cases: { name: string; from: unknown[]; want: unknown[] }[] = [
  {
    name: "$lookup, also within its pipeline",
    from: [{ $lookup: { from: "a", as: "a", pipeline: [{ $lookup: { from: "b", as: "from" } }] } }],
    want: [{ $lookup: { from: "new a", as: "a", pipeline: [{ $lookup: { from: "new b", as: "from" } }] } }],
  },
  {
    name: "$graphLookup",
    from: [{ $graphLookup: { from: "a", startWith: "$from", as: "x" } }],
    want: [{ $graphLookup: { from: "new a", startWith: "$from", as: "x" } }],
  },
  {
    name: "$unionWith in both of its forms",
    from: [{ $unionWith: "a" }, { $unionWith: { coll: "b", pipeline: [{ $unionWith: "c" }] } }],
    want: [{ $unionWith: "new a" }, { $unionWith: { coll: "new b", pipeline: [{ $unionWith: "new c" }] } }],
  },
  {
    name: "what stands within $facet",
    from: [{ $facet: { from: [{ $unionWith: "a" }], coll: [{ $match: { from: "a" } }] } }],
    want: [{ $facet: { from: [{ $unionWith: "new a" }], coll: [{ $match: { from: "a" } }] } }],
  },
  {
    name: "nothing else",
    from: [
      { $match: { from: "a", "10": new Int32(1), "2": new Double(1), re: new BSONRegExp("a", "i") } },
      { $documents: [{ $unionWith: "a" }] },
      { $lookup: { from: { db: "local", coll: "a" }, as: "x" } },
      { $project: { coll: 1, $lookup: "from" } },
    ],
    want: [
      { $match: { from: "a", "10": new Int32(1), "2": new Double(1), re: new BSONRegExp("a", "i") } },
      { $documents: [{ $unionWith: "a" }] },
      { $lookup: { from: { db: "local", coll: "a" }, as: "x" } },
      { $project: { coll: 1, $lookup: "from" } },
    ],
  },
];

for (const { name, from, want } of cases) {
  Deno.test(`renameInPipeline: ${name}`, () => {
    const renamed = renameInPipeline(bytesOf(from), (collection) => `new ${collection}`);
    strictEqual(renamed.toHex(), bytesOf(want).toHex());
  });
}

Deno.test("renameInPipeline: with the same names, whatever it is stays byte for byte", () => {
  const stage = fc.dictionary(
    fc.constantFrom("$lookup", "$unionWith", "$facet", "$graphLookup", "$match", "from", "pipeline"),
    fc.oneof(
      fc.string(),
      fc.record({ from: fc.string(), coll: fc.string(), pipeline: fc.constant([{ $unionWith: "x" }]) }),
      fc.dictionary(fc.constantFrom("a", "b"), fc.constant([{ $lookup: { from: "y", as: "z" } }])),
    ),
  );
  fc.assert(fc.property(fc.array(stage), (stages) => {
    const bytes = bytesOf(stages);
    strictEqual(renameInPipeline(bytes, (name) => name).toHex(), bytes.toHex());
  }));
});
