import assert from "node:assert/strict";
import { deserialize, type Document, serialize } from "bson";
import fc from "fast-check";
import { updatedDocument } from "./update.ts";

function updated(document: Document, update: Document): Document | null {
  const bytes = updatedDocument(serialize(document), serialize(update));
  return bytes === null ? null : deserialize(bytes);
}

const diff = (diff: Document) => ({ $v: 2, diff });

Deno.test("updatedDocument() follows diffs as a server does, also where the data is newer than they are", () => {
  const before = { _id: 1, a: 1, b: { c: 1, d: [1, 2, 3] }, e: 2 };
  const lists = { _id: 1, l: [0, { k: 1, v: [1] }, 2] };
  for (
    const { document = before, change, want } of [
      { change: { d: { a: false } }, want: { _id: 1, b: before.b, e: 2 } },
      { change: { u: { a: 9 } }, want: { ...before, a: 9 } },
      { change: { u: { z: 9 } }, want: { ...before, z: 9 } },
      { change: { i: { z: 9 } }, want: { ...before, z: 9 } },
      { change: { i: { a: 9 } }, want: { _id: 1, b: before.b, e: 2, a: 9 } },
      { change: { sb: { u: { c: 5 } } }, want: { ...before, b: { ...before.b, c: 5 } } },
      { change: { sa: { u: { c: 5 } } }, want: { ...before, a: null } },
      { change: { sx: { u: { c: 5 } } }, want: before },
      { change: { sb: { sd: { a: true, l: 2 } } }, want: { ...before, b: { c: 1, d: [1, 2] } } },
      { change: { sb: { sd: { a: true, u1: "x" } } }, want: { ...before, b: { c: 1, d: [1, "x", 3] } } },
      { change: { sb: { sd: { a: true, u4: 5 } } }, want: { ...before, b: { c: 1, d: [1, 2, 3, null, 5] } } },
      { change: { sb: { sd: { a: true, l: 1, u2: 5 } } }, want: { ...before, b: { c: 1, d: [1, null, 5] } } },
      {
        document: lists,
        change: { sl: { a: true, s1: { u: { k: 2 } } } },
        want: { _id: 1, l: [0, { k: 2, v: [1] }, 2] },
      },
      {
        document: lists,
        change: { sl: { a: true, s0: { u: { k: 2 } } } },
        want: { _id: 1, l: [null, lists.l[1], 2] },
      },
      {
        document: lists,
        change: { sl: { a: true, s1: { sv: { a: true, u1: 7 } } } },
        want: { _id: 1, l: [0, { k: 1, v: [1, 7] }, 2] },
      },
    ] as { document?: Document; change: Document; want: Document }[]
  ) {
    const found = updated(document, diff(change));
    assert.deepEqual(found, want, JSON.stringify(change));
    assert.deepEqual(Object.keys(found!), Object.keys(want), JSON.stringify(change));
  }
});

Deno.test("updatedDocument() replaces whole documents, and says nothing of forms that it doesn't know", () => {
  assert.deepEqual(updated({ _id: 1, a: 1 }, { b: 2 }), { _id: 1, b: 2 });
  assert.deepEqual(updated({ _id: 1, a: 1 }, { b: 2, _id: 1 }), { _id: 1, b: 2 });
  for (
    const update of [
      { $v: 1, $set: { a: 2 } },
      { $set: { a: 2 } },
      { $v: 2, $set: { a: 2 } },
      diff({ b: { a: 1 } }),
      diff({ sa: { a: true, x1: 2 } }),
    ]
  ) {
    assert.equal(updated({ _id: 1, a: [1] }, update), null, JSON.stringify(update));
  }
});

Deno.test("updatedDocument() has the updated and inserted fields, not the deleted ones, and every other as it was", () => {
  const name = fc.constantFrom("a", "b", "c", "10", "2", "", "sa");
  const fields = fc.dictionary(name, fc.oneof(fc.integer(), fc.string(), fc.constant(null)), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(fields, fields, fields, fc.uniqueArray(name), (document, updates, inserts, deleted) => {
      const [u, i] = [{ ...updates }, { ...inserts }];
      for (const key of Object.keys(u)) delete i[key];
      const d = Object.fromEntries(
        deleted.filter((key) => !(key in u) && !(key in i)).map((key) => [key, false]),
      );
      const want = { ...document, ...u, ...i };
      for (const key of Object.keys(d)) delete want[key];
      const sections = Object.entries({ d, u, i }).filter(([, section]) => Object.keys(section).length > 0);
      assert.deepEqual(updated(document, diff(Object.fromEntries(sections))), want);
    }),
  );
});
