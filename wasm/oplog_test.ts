import assert from "node:assert/strict";
import { Binary } from "bson";
import { elements } from "../backend/bson/document.ts";
import { batchOf, entryBytes, place, segmentOf } from "../tests/contract/oplog_entries.ts";
import { EntryInput, OperationBatch, OplogScanner, type Pause, pause } from "./oplog.ts";
import { memory } from "./pkg/podheitor_mongodb_wasm_bg.wasm";
import { type Segment, SegmentPool } from "./segment.ts";

// Its memory is never given back: one is enough for all tests.
const input = new EntryInput();

/** An entry of a model: `at` counts up from 1, and stands for its time. */
interface Entry {
  readonly at: number;
  readonly op: string;
  readonly ns: string;
  readonly size: number;
}

/** Several entries in each second. */
function positionOf(at: number) {
  return place(1000 + Math.floor(at / 3), at % 3, 4);
}

function bytesOf({ at, op, ns, size }: Entry): Uint8Array {
  const o = { _id: at, text: "x".repeat(size) };
  const o2 = op === "u" ? { _id: at } : undefined;
  const more = op === "d" ? { b: true } : {};
  return entryBytes({ op, ns, o, at: positionOf(at), more, ...o2 === undefined ? {} : { o2 } });
}

function contentOf(segment: Segment): string {
  return [...segment.chunks()].map(({ bytes }) => bytes.toHex()).join("");
}

/** Scans what is loaded to its end; `decide` is called at each entry that isn't simply kept or skipped. */
function packAll(scanner: OplogScanner, segment: Segment, decide: (paused: Pause) => void): void {
  for (;;) {
    const paused = scanner.pack(input, segment);
    if (paused === pause.drained) return;
    decide(paused);
  }
}

const kinds = [
  { op: "i", want: pause.drained, kept: 1 },
  { op: "u", want: pause.drained, kept: 1 },
  { op: "d", want: pause.drained, kept: 1 },
  { op: "c", want: pause.command, kept: 0 },
  { op: "n", want: pause.drained, kept: 0 },
  { op: "ci", want: pause.drained, kept: 0 },
  { op: "cu", want: pause.drained, kept: 0 },
  { op: "cd", want: pause.drained, kept: 0 },
  { op: "km", want: pause.drained, kept: 0 },
  { op: "x", want: pause.command, kept: 0 },
];

Deno.test("OplogScanner sorts each kind of entry, one that it doesn't know to the commands", () => {
  using pool = new SegmentPool(1, 10_000);
  const segment = pool.take()!;
  for (const { op, want, kept } of kinds) {
    using scanner = new OplogScanner();
    scanner.keep("app.a");
    input.load(bytesOf({ at: 1, op, ns: "app.a", size: 1 }), "segment");
    assert.equal(scanner.pack(input, segment), want, op);
    assert.equal(segment.documents, kept, op);
    segment.clear();
  }
  pool.give(segment);
});

const boundaries = [
  { name: "the very one", position: place(1000, 1, 4), want: pause.drained },
  { name: "another term", position: place(1000, 1, 5), want: pause.unexpected },
  { name: "a later entry", position: place(1000, 2, 4), want: pause.unexpected },
  { name: "an earlier entry", position: place(1000, 0, 4), want: pause.unexpected },
  { name: "another second", position: place(999, 1, 4), want: pause.unexpected },
];

Deno.test("OplogScanner.expect() wants the boundary's entry by time and term, and skips it", () => {
  using pool = new SegmentPool(1, 10_000);
  const segment = pool.take()!;
  const two = [1, 2].map((at) => bytesOf({ at, op: "i", ns: "app.a", size: 3 }));
  for (const { name, position, want } of boundaries) {
    using scanner = new OplogScanner();
    scanner.keep("app.a");
    scanner.expect(position);
    input.load(batchOf(two), "batch");
    assert.equal(scanner.pack(input, segment), want, name);
    const kept = want === pause.unexpected ? [] : two.slice(1);
    assert.equal(contentOf(segment), segmentOf(kept).toHex(), name);
    assert.deepEqual(
      scanner.found,
      want === pause.unexpected ? place(1000, 1, 4) : place(1000, 2, 4),
      name,
    );
    segment.clear();
  }
  pool.give(segment);
});

Deno.test("OplogScanner refuses an entry out of order in a batch, and skips it in a segment", () => {
  using pool = new SegmentPool(1, 10_000);
  const segment = pool.take()!;
  const [first, second] = [1, 2].map((at) => bytesOf({ at, op: "i", ns: "app.a", size: at }));
  for (const later of [[second!, first!], [first!, first!]]) {
    using scanner = new OplogScanner();
    scanner.keep("app.a");
    input.load(batchOf(later), "batch");
    assert.throws(() => scanner.pack(input, segment), /out of order/);
    assert.throws(() => segment.sizeBytes, /spoilt/);
    segment.clear();
    using again = new OplogScanner();
    again.keep("app.a");
    input.load(segmentOf(later), "segment");
    assert.equal(again.pack(input, segment), pause.drained);
    assert.equal(contentOf(segment), later[0]!.toHex());
    segment.clear();
  }
  pool.give(segment);
});

/** An insert whose entry has as many bytes as wanted. */
function entryOfSize(at: number, size: number): Uint8Array {
  const of = (length: number) =>
    entryBytes({
      op: "i",
      ns: "app.a",
      o: { _id: at, b: new Binary(new Uint8Array(length).fill(at)) },
      at: positionOf(at),
    });
  const entry = of(size - of(0).length);
  assert.equal(entry.length, size);
  return entry;
}

Deno.test("OplogScanner takes entries up to 16 KiB above 16 MiB, each alone in its segment and its operations", () => {
  using pool = new SegmentPool(1, 1 << 20);
  using batch = new OperationBatch(8 << 20, 4000, "diffs");
  const segment = pool.take()!;
  const sizes = [100, (16 << 20) + 1, (16 << 20) + (16 << 10), 200];
  const scanners = [new OplogScanner(), new OplogScanner()] as const;
  const packed: number[] = [];
  const gathered: number[] = [];
  for (const [at, size] of sizes.entries()) {
    const entry = entryOfSize(at + 1, Math.max(size, 150));
    for (const [which, scanner] of scanners.entries()) {
      scanner.keep("app.a");
      input.load(batchOf([entry]), "batch");
      const scan = () => which === 0 ? scanner.pack(input, segment) : scanner.gather(input, batch);
      while (scan() === pause.full) {
        if (which === 0) [packed[packed.length]] = [segment.documents];
        if (which === 0) segment.clear();
        else gathered.push([...elements(batch.take())].length);
      }
    }
    if (size > 1000) assert.equal(segment.sizeBytes, size);
  }
  assert.deepEqual([...packed, segment.documents], [1, 1, 1, 1]);
  assert.deepEqual([...gathered, batch.count], [1, 1, 1, 1]);
  for (const scanner of scanners) scanner[Symbol.dispose]();
  segment.clear();
  pool.give(segment);
});

Deno.test("EntryInput.load() refuses more bytes than any reply has", () => {
  input.load(new Uint8Array(24 << 20), "segment");
  assert.throws(() => input.load(new Uint8Array((24 << 20) + 1), "segment"), RangeError);
});

Deno.test("EntryInput leaves its memory to the next one, and is of no use then", () => {
  const first = new EntryInput();
  first[Symbol.dispose]();
  const { buffer } = memory;
  for (let round = 0; round < 100; round++) {
    using next = new EntryInput();
    next.load(new Uint8Array(1), "segment");
  }
  assert.equal(memory.buffer, buffer);
  assert.throws(() => first.load(new Uint8Array(1), "segment"), /disposed of/);
});

Deno.test("OplogScanner: one damaged byte of a batch is refused, or changes its own entry only", () => {
  using pool = new SegmentPool(1, 10_000);
  const segment = pool.take()!;
  const good = [1, 2, 3].map((at) => bytesOf({ at, op: "uid"[at - 1]!, ns: "app.a", size: 2 }));
  const batch = batchOf(good);
  const starts = [...elements(batch)].map(({ value }) => value.byteOffset - batch.byteOffset);
  let refused = 0;
  let passed = 0;
  for (let at = 0; at < batch.length; at++) {
    const own = starts.findIndex((start, one) => at >= start && at < start + good[one]!.length);
    for (const byte of [0, 1, 2, 3, 0x7f, 0xff, batch[at]! ^ 1, batch[at]! ^ 0x20, batch[at]! + 1 & 0xff]) {
      if (byte === batch[at]) continue;
      using scanner = new OplogScanner();
      scanner.keep("app.a");
      const damaged = batch.with(at, byte);
      input.load(damaged, "batch");
      const passedBy: string[] = [];
      try {
        packAll(scanner, segment, () => {
          passedBy.push(input.entry().toHex());
          scanner.pass(input);
        });
        passed++;
        const others = contentOf(segment);
        const want = good.map((one, which) =>
          which === own ? damaged.slice(starts[own]!, starts[own]! + one.length).toHex() : one.toHex()
        );
        assert.ok(own >= 0, `byte ${at} of the array itself`);
        // A kind or namespace that isn't known makes it pause; a no-op goes away.
        const outcomes = [want, want.toSpliced(own, 1)].map((list) => list.join(""));
        assert.ok(outcomes.includes(others), `byte ${at} as ${byte}`);
        assert.ok(passedBy.every((entry) => entry === want[own]));
      } catch (thrown) {
        if (thrown instanceof assert.AssertionError) throw thrown;
        assert.match(String(thrown), / at offset \d+/);
        refused++;
      }
      segment.clear();
    }
  }
  assert.ok(refused > 500 && passed > 500, `${refused} refused, ${passed} passed`);
  pool.give(segment);
});
