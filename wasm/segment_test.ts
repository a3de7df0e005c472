import assert from "node:assert/strict";
import { Binary, type Document, serialize } from "bson";
import fc from "fast-check";
import { Blake3, blake3, crc32c } from "./hasher.ts";
import { allocate } from "./pkg/podheitor_mongodb_wasm.js";
import { memory } from "./pkg/podheitor_mongodb_wasm_bg.wasm";
import { packBatch, type Segment, SegmentPool } from "./segment.ts";

/** A batch as a reply holds it: the value of an array of documents. */
function batchOf(documents: readonly Document[]): Uint8Array {
  const reply = serialize({ b: documents });
  return reply.slice(7, reply.length - 1);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** What a full segment held. */
interface Packed {
  readonly bytes: Uint8Array;
  readonly documents: number;
}

/** Checks a segment's digest and checksums against its bytes, and empties it. */
function drain(segment: Segment): Packed {
  const chunks = [...segment.chunks()].map(({ bytes, crc32c }) => ({ bytes: bytes.slice(), crc32c }));
  for (const { bytes, crc32c: checksum } of chunks) assert.equal(checksum, crc32c(bytes));
  for (const { bytes } of chunks.slice(0, -1)) assert.equal(bytes.length, 1 << 20);
  const bytes = new Uint8Array(segment.sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.bytes, at);
    at += chunk.bytes.length;
  }
  assert.equal(at, segment.sizeBytes);
  assert.deepEqual(segment.digest(), blake3(bytes));
  const packed = { bytes, documents: segment.documents };
  segment.clear();
  assert.deepEqual({ size: segment.sizeBytes, documents: segment.documents }, { size: 0, documents: 0 });
  return packed;
}

/** Packs a batch, emptying the segment into `full` whenever it is full. */
function packAll(segment: Segment, batch: Uint8Array, full: Packed[]): void {
  const cursor = { offsetBytes: 4, index: 0 };
  while (!packBatch(segment, batch, cursor)) full.push(drain(segment));
  assert.equal(cursor.offsetBytes, batch.length - 1);
}

/** What segments of that limit must hold: documents one after another, a longer one alone. */
function expected(documents: readonly Uint8Array[], limitBytes: number): Packed[] {
  const groups: Uint8Array[][] = [[]];
  let size = 0;
  for (const document of documents) {
    if (size > 0 && size + document.length > limitBytes) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)!.push(document);
    size += document.length;
  }
  return groups.map((group) => ({ bytes: join(group), documents: group.length }));
}

const document: fc.Arbitrary<Document> = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 4 }).filter((key) => !key.includes("\0") && key !== "__proto__"),
  fc.oneof(fc.integer(), fc.string({ maxLength: 30 }), fc.boolean(), fc.double(), fc.constant(null)),
  { maxKeys: 4 },
);
const batches = fc.array(fc.array(document, { maxLength: 30 }), { maxLength: 5 });

Deno.test("Segment.chunks() hands out views that outlive a thousand hashers", () => {
  // No room may be left over from earlier work, or the pool's own would not be seen.
  for (const before = memory.buffer; memory.buffer === before;) allocate(1 << 12);
  using pool = new SegmentPool(2, 1 << 20);
  const segment = pool.take()!;
  packBatch(segment, batchOf([{ a: 1 }]), { offsetBytes: 4, index: 0 });
  for (const { bytes } of segment.chunks()) {
    const { buffer } = bytes;
    const hashers = Array.from({ length: 1000 }, () => new Blake3());
    for (const hasher of hashers) assert.deepEqual(hasher.update(bytes).digest(), segment.digest());
    assert.equal(bytes.buffer, buffer);
    assert.equal(memory.buffer, buffer);
    assert.equal(bytes.length, segment.sizeBytes);
    for (const hasher of hashers) hasher[Symbol.dispose]();
  }
});

Deno.test("packBatch() packs any documents over segments of any limit", () => {
  fc.assert(fc.property(batches, fc.integer({ min: 1, max: 400 }), (batches, limitBytes) => {
    using pool = new SegmentPool(1, limitBytes);
    const segment = pool.take()!;
    const full: Packed[] = [];
    for (const documents of batches) packAll(segment, batchOf(documents), full);
    full.push(drain(segment));
    pool.give(segment);
    const documents = batches.flat().map((document) => serialize(document));
    assert.deepEqual(full, expected(documents, limitBytes));
  }));
});

Deno.test("packBatch() keeps segments apart that are filled in turns", () => {
  fc.assert(fc.property(batches, batches, fc.integer({ min: 50, max: 400 }), (left, right, limitBytes) => {
    using pool = new SegmentPool(2, limitBytes);
    const sides = [left, right].map((batches) => ({ batches, segment: pool.take()!, full: [] as Packed[] }));
    for (let turn = 0; turn < Math.max(left.length, right.length); turn++) {
      const cursors = sides.map(({ batches }) => ({
        batch: batchOf(batches[turn] ?? []),
        cursor: { offsetBytes: 4, index: 0 },
        drained: false,
      }));
      while (cursors.some(({ drained }) => !drained)) {
        sides.forEach(({ segment, full }, side) => {
          const work = cursors[side]!;
          if (work.drained) return;
          work.drained = packBatch(segment, work.batch, work.cursor);
          if (!work.drained) full.push(drain(segment));
        });
      }
    }
    for (const { batches, segment, full } of sides) {
      full.push(drain(segment));
      assert.deepEqual(full, expected(batches.flat().map((document) => serialize(document)), limitBytes));
      pool.give(segment);
    }
  }));
});

Deno.test("packBatch() packs documents of megabytes, a 16 MiB one beside a small limit", () => {
  using pool = new SegmentPool(1, 3 << 20);
  const segment = pool.take()!;
  const sizes = [1_500_000, 1_400_000, 10, 700_000, (16 << 20) - 30, 5];
  const documents = sizes.map((size, at) => ({ b: new Binary(new Uint8Array(size).fill(at + 1)) }));
  const full: Packed[] = [];
  packAll(segment, batchOf(documents.slice(0, 4)), full);
  packAll(segment, batchOf(documents.slice(4)), full);
  full.push(drain(segment));
  assert.deepEqual(full.map(({ documents }) => documents), [3, 1, 1, 1]);
  const serialized = documents.map((document) => blake3(serialize(document)).toHex());
  assert.equal(blake3(full[2]!.bytes).toHex(), serialized[4]);
  assert.equal(blake3(full[3]!.bytes).toHex(), serialized[5]);
});

const one = serialize({ a: 1 });

/** A good batch of three documents `{a: 1}`; its elements begin at 4, 19 and 34, its terminator is the last byte. */
const good = batchOf([{ a: 1 }, { a: 1 }, { a: 1 }]);

function changed(at: number, byte: number): Uint8Array {
  return good.with(at < 0 ? good.length + at : at, byte);
}

const malformed = [
  {
    name: "length too large",
    batch: changed(0, good.length + 1),
    fault: /length is not its bytes' at offset 0/,
  },
  { name: "length negative", batch: changed(3, 0x80), fault: /length is not its bytes' at offset 0/ },
  { name: "no terminator", batch: changed(-1, 7), fault: /without its terminator at offset 49/ },
  { name: "cut short", batch: good.slice(0, 30), fault: /length is not its bytes' at offset 0/ },
  { name: "a string for a document", batch: changed(19, 2), fault: /not a document at offset 19/ },
  { name: "the array ends early", batch: changed(19, 0), fault: /not a document at offset 19/ },
  { name: "a wrong key", batch: changed(20, 0x32), fault: /not the next number at offset 20/ },
  { name: "a longer key", batch: changed(21, 0x31), fault: /not the next number at offset 20/ },
  { name: "a document's length too small", batch: changed(22, 4), fault: /impossible length at offset 22/ },
  { name: "a document over its array", batch: changed(37, 99), fault: /impossible length at offset 37/ },
  { name: "a document without its end", batch: changed(33, 1), fault: /impossible length at offset 22/ },
];

Deno.test("packBatch() refuses malformed batches, and the segment everything until it is cleared", () => {
  using pool = new SegmentPool(1, 1000);
  const segment = pool.take()!;
  for (const { name, batch, fault } of malformed) {
    assert.throws(() => packBatch(segment, batch, { offsetBytes: 4, index: 0 }), fault, name);
    const spoilt = /spoilt by a malformed batch/;
    assert.throws(() => packBatch(segment, good, { offsetBytes: 4, index: 0 }), spoilt, name);
    assert.throws(() => segment.digest(), spoilt, name);
    assert.throws(() => [...segment.chunks()], spoilt, name);
    assert.throws(() => segment.sizeBytes, spoilt, name);
    assert.throws(() => segment.documents, spoilt, name);
    segment.clear();
    assert.equal(packBatch(segment, good, { offsetBytes: 4, index: 0 }), true, name);
    assert.deepEqual(drain(segment), { bytes: join([one, one, one]), documents: 3 }, name);
  }
});

Deno.test("packBatch() still checks an array's frame and keys when it goes on in its middle", () => {
  using pool = new SegmentPool(1, 20);
  const segment = pool.take()!;
  for (const { name, batch, fault } of malformed) {
    const cursor = { offsetBytes: 4, index: 0 };
    assert.equal(packBatch(segment, good, cursor), false);
    assert.deepEqual(cursor, { offsetBytes: 19, index: 1 });
    segment.clear();
    assert.throws(
      () => {
        while (!packBatch(segment, batch, cursor)) segment.clear();
      },
      fault,
      name,
    );
    segment.clear();
  }
  assert.throws(() => packBatch(segment, good, { offsetBytes: 19, index: 2 }), /not the next number/);
});

Deno.test("packBatch() refuses a cursor outside the batch and a batch above any reply, and packs on after it", () => {
  using pool = new SegmentPool(1, 1000);
  const segment = pool.take()!;
  for (const offsetBytes of [-1, 3, good.length, 2 ** 32 + 4]) {
    assert.throws(() => packBatch(segment, good, { offsetBytes, index: 0 }), RangeError);
  }
  assert.throws(
    () => packBatch(segment, new Uint8Array((24 << 20) + 1), { offsetBytes: 4, index: 0 }),
    RangeError,
  );
  packBatch(segment, good, { offsetBytes: 4, index: 0 });
  assert.equal(drain(segment).documents, 3);
});

Deno.test("SegmentPool hands out as many segments as it has, and again those that came back", () => {
  using pool = new SegmentPool(2, 1000);
  const [first, second] = [pool.take()!, pool.take()!];
  assert.notEqual(first, second);
  assert.equal(pool.take(), undefined);
  pool.give(first);
  assert.equal(pool.take(), first);
});

Deno.test("SegmentPool.give() refuses a foreign segment, one that is home, and one that isn't empty", () => {
  using pool = new SegmentPool(1, 1000);
  using other = new SegmentPool(1, 1000);
  const segment = pool.take()!;
  assert.throws(() => other.give(segment), /isn't out of/);
  packBatch(segment, good, { offsetBytes: 4, index: 0 });
  assert.throws(() => pool.give(segment), /documents in it/);
  segment.clear();
  pool.give(segment);
  assert.throws(() => pool.give(segment), /isn't out of/);
});

Deno.test("SegmentPool frees what is home when disposed of, and the rest when it comes home", () => {
  const pool = new SegmentPool(2, 1000);
  const [out, home] = [pool.take()!, pool.take()!];
  pool.give(home);
  pool[Symbol.dispose]();
  assert.equal(pool.take(), undefined);
  assert.throws(() => home.documents, /null pointer/);
  packBatch(out, good, { offsetBytes: 4, index: 0 });
  assert.equal(drain(out).documents, 3);
  pool.give(out);
  assert.throws(() => out.documents, /null pointer/);
});

Deno.test("SegmentPool refuses numbers that make no sense", () => {
  for (
    const [segments, limitBytes] of [[0, 1000], [1.5, 1000], [1, 0], [1, -5], [1, NaN], [1, 2 ** 31], [
      200,
      1000,
    ]]
  ) {
    assert.throws(() => new SegmentPool(segments!, limitBytes!), RangeError, `${segments} of ${limitBytes}`);
  }
});
