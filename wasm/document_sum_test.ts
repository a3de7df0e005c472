import assert from "node:assert/strict";
import { type Document, serialize } from "bson";
import fc from "fast-check";
import { addDigests, DocumentSum } from "./document_sum.ts";
import { blake3 } from "./hasher.ts";

/** Few shapes, so that equal documents come often. */
const documents = fc.array(fc.record({ _id: fc.nat(4), a: fc.string({ maxLength: 2 }) }), { maxLength: 30 });

/** Documents, the same ones in another order, and places to cut both. */
const orders = documents.chain((list) =>
  fc.record({
    list: fc.constant(list),
    shuffled: fc.shuffledSubarray(list, { minLength: list.length }),
    cuts: fc.array(fc.nat(list.length), { maxLength: 5 }).map((cuts) => cuts.sort((a, b) => a - b)),
  })
);

/** What the digest says of itself, in big numbers. */
function model(list: readonly Document[]): { documents: number; digest: string } {
  const sum = list.reduce<bigint>((sum, one) => {
    const hash = blake3(serialize(one)).toReversed().toHex();
    return (sum + BigInt(`0x${hash}`)) % 2n ** 256n;
  }, 0n);
  const digest = Uint8Array.fromHex(sum.toString(16).padStart(64, "0")).reverse().toHex();
  return { documents: list.length, digest };
}

function sumOf(add: (sum: DocumentSum) => void): { documents: number; digest: string } {
  using sum = new DocumentSum();
  add(sum);
  return { documents: sum.documents, digest: sum.digest() };
}

function packed(list: readonly Document[]): Uint8Array {
  return Buffer.concat(list.map((one) => serialize(one)));
}

/** A raw array: a document whose keys count. */
function batch(list: readonly Document[]): Uint8Array {
  return serialize(Object.fromEntries(list.entries()));
}

Deno.test("a sum is what the big numbers say, in any order, in batches or packed, however they are cut", () => {
  fc.assert(fc.property(orders, ({ list, shuffled, cuts }) => {
    const want = model(list);
    const pieces = [0, ...cuts].map((from, at) => shuffled.slice(from, cuts[at] ?? shuffled.length));
    assert.deepEqual(sumOf((sum) => pieces.forEach((piece) => sum.addBatch(batch(piece)))), want);
    assert.deepEqual(sumOf((sum) => pieces.forEach((piece) => sum.addPacked(packed(piece)))), want);
  }));
});

Deno.test("addDigests() of parts is the digest of the whole", () => {
  fc.assert(fc.property(documents, fc.array(fc.nat(30), { maxLength: 4 }), (list, cuts) => {
    const digestOf = (some: readonly Document[]) => {
      using sum = new DocumentSum();
      for (const one of some) sum.addPacked(serialize(one));
      return sum.digest();
    };
    const ends = [0, ...cuts.map((cut) => Math.min(cut, list.length)).sort((a, b) => a - b), list.length];
    const parts = ends.slice(1).map((end, at) => list.slice(ends[at], end));
    assert.equal(addDigests(parts.map(digestOf)), digestOf(list));
  }));
});

Deno.test("a document that was changed, lost or doubled gives another sum", () => {
  fc.assert(fc.property(documents.filter(({ length }) => length > 0), fc.nat(), (list, pick) => {
    const at = pick % list.length;
    const digest = sumOf((sum) => sum.addBatch(batch(list))).digest;
    for (
      const other of [
        list.with(at, { ...list[at]!, a: `${list[at]!.a}!` }),
        list.toSpliced(at, 1),
        [...list, list[at]!],
        [...list, list[at]!, list[at]!],
      ]
    ) assert.notEqual(sumOf((sum) => sum.addPacked(packed(other))).digest, digest);
  }));
});

Deno.test("malformed bytes are refused, and leave the sum as it was", () => {
  using sum = new DocumentSum();
  const good = packed([{ a: 1 }, { a: 2 }]);
  sum.addPacked(good);
  const before = sum.digest();
  for (
    const bad of [good.subarray(0, -1), Uint8Array.of(...good, 5), Uint8Array.of(...good, 4, 0, 0, 0, 0)]
  ) {
    assert.throws(() => sum.addPacked(bad), /impossible length/);
  }
  assert.throws(() => sum.addBatch(serialize({ "0": { a: 1 }, "2": { a: 1 } })), /next number/);
  assert.throws(() => sum.addBatch(new Uint8Array((24 << 20) + 1)), RangeError);
  assert.deepEqual([sum.documents, sum.digest()], [2, before]);
});
