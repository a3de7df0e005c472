/** The scanner against a plain program that does the same with objects. */

import assert from "node:assert/strict";
import { type Document, serialize, Timestamp } from "bson";
import fc from "fast-check";
import { elements } from "../backend/bson/document.ts";
import { batchOf, entryBytes, place, segmentOf } from "../tests/contract/oplog_entries.ts";
import { EntryInput, OperationBatch, OplogScanner, type Pause, pause } from "./oplog.ts";
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

/** What some documents have, and a server would change. */
const empty = new Timestamp({ t: 0, i: 0 });

function objectOf({ at, size }: Pick<Entry, "at" | "size">): Document {
  return { _id: at, text: "x".repeat(size), ...size % 4 === 0 ? { "a.b": empty, c: 1, "": empty } : {} };
}

function bytesOf({ at, op, ns, size }: Entry): Uint8Array {
  const o = objectOf({ at, size });
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

/** What becomes of each namespace of the model. */
const decisions = {
  "app.kept": "keep",
  "app.renamed": "rename",
  "app.capped": "without deletes",
  "app.asked": "ask",
  "other.skipped": "skip",
} as const;
type Name = keyof typeof decisions;

function decide(scanner: OplogScanner, name: Name): void {
  const decision = decisions[name];
  if (decision === "keep") scanner.keep(name);
  else if (decision === "rename") scanner.keep(name, "copy.other");
  else if (decision === "without deletes") scanner.keep(name, name, "without deletes");
  else if (decision === "ask") scanner.ask(name);
  else scanner.skip(name);
}

/** What a plain program would do with an entry. */
function fate({ op, ns }: Entry): "gone" | "kept" | "asked" {
  if (["n", "ci", "cu", "cd", "km"].includes(op)) return "gone";
  if (!["i", "u", "d"].includes(op)) return "asked";
  const decision = decisions[ns as Name];
  if (decision === "ask") return "asked";
  return decision === "skip" || (decision === "without deletes" && op === "d") ? "gone" : "kept";
}

const entries: fc.Arbitrary<Entry[]> = fc.array(
  fc.record({
    op: fc.constantFrom("i", "i", "u", "d", "n", "c", "ci", "cu", "cd", "km", "xi"),
    ns: fc.constantFrom<Name>(...Object.keys(decisions) as Name[]),
    size: fc.nat(40),
  }),
  { maxLength: 40 },
).map((list) => list.map((one, at) => ({ ...one, at: at + 1 })));

/** Cuts a list at any places. */
function cut<T>(list: readonly T[], places: readonly number[]): T[][] {
  const ends = [...new Set(places.map((one) => one % (list.length + 1))), list.length].sort((a, b) => a - b);
  let from = 0;
  return ends.map((end) => list.slice(from, from = end));
}
const cuts = fc.array(fc.nat(100), { maxLength: 6 });

Deno.test("OplogScanner.pack() keeps what a plain program would, over any batches and segments", () => {
  fc.assert(
    fc.property(entries, cuts, fc.integer({ min: 1, max: 900 }), (entries, places, limitBytes) => {
      using pool = new SegmentPool(1, limitBytes);
      using scanner = new OplogScanner();
      const segment = pool.take()!;
      const full: { content: string; first: number; last: number }[] = [];
      const number = ({ t, i }: { t: number; i: number }) => (t - 1000) * 3 + i;
      const drain = () => {
        const span = scanner.takeSpan();
        const content = contentOf(segment);
        if (span !== null) full.push({ content, first: number(span.first), last: number(span.last) });
        assert.equal(span === null, content === "");
        segment.clear();
      };
      const asked: number[] = [];
      for (const batch of cut(entries, places)) {
        input.load(batchOf(batch.map(bytesOf)), "batch");
        packAll(scanner, segment, (paused) => {
          if (paused === pause.full) return drain();
          const entry = entries[number(scanner.found) - 1]!;
          assert.equal(input.entry().toHex(), bytesOf(entry).toHex());
          if (paused === pause.undecided) return decide(scanner, entry.ns as Name);
          assert.equal(paused, pause.command);
          asked.push(entry.at);
          scanner.pass(input);
        });
        assert.equal(batch.length === 0 || number(scanner.last) === batch.at(-1)!.at, true);
      }
      drain();

      const kept = entries.filter((entry) => fate(entry) === "kept");
      const groups: Entry[][] = [];
      let size = Infinity;
      for (const entry of kept) {
        const { length } = bytesOf(entry);
        if (size + length > limitBytes) [size] = [0, groups.push([])];
        groups.at(-1)!.push(entry);
        size += length;
      }
      assert.deepEqual(
        full,
        groups.map((group) => ({
          content: segmentOf(group.map(bytesOf)).toHex(),
          first: group[0]!.at,
          last: group.at(-1)!.at,
        })),
      );
      assert.deepEqual(asked, entries.filter((entry) => fate(entry) === "asked").map(({ at }) => at));
      const counts = Map.groupBy(kept, ({ ns }) => ns);
      assert.deepEqual(
        scanner.counts().sort((a, b) => a.namespace < b.namespace ? -1 : 1),
        [...counts].map(([namespace, list]) => ({
          namespace,
          entries: list.length,
          bytes: list.reduce((sum, entry) => sum + bytesOf(entry).length, 0),
        })).sort((a, b) => a.namespace < b.namespace ? -1 : 1),
      );
      pool.give(segment);
    }),
    { numRuns: 200 },
  );
});

Deno.test("OplogScanner.gather() makes the operations that a plain program would, up to the limit, from any segments", () => {
  const limits = fc.record({
    bytes: fc.integer({ min: 1, max: 1500 }),
    count: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(entries, cuts, limits, fc.nat(45), (entries, places, { bytes, count }, limit) => {
      using scanner = new OplogScanner();
      using batch = new OperationBatch(bytes, count, "diffs");
      scanner.limitTo(positionOf(limit));
      const gathered: string[] = [];
      const flush = () => {
        const operations = [...elements(batch.take())];
        assert.equal(batch.count, 0);
        assert.ok(operations.length <= Math.max(count, 2));
        const size = operations.reduce((sum, { value }) => sum + value.length, 0);
        assert.ok(
          operations.length <= 2 || size <= bytes,
          `${operations.length} operations of ${size} bytes`,
        );
        gathered.push(...operations.map(({ value }) => value.toHex()));
      };
      let beyond: number | null = null;
      for (const segment of cut(entries, places)) {
        if (beyond !== null) break;
        input.load(segmentOf(segment.map(bytesOf)), "segment");
        for (let paused: Pause; (paused = scanner.gather(input, batch)) !== pause.drained;) {
          const { t, i } = scanner.found;
          const entry = entries[(t - 1000) * 3 + i - 1]!;
          if (paused === pause.beyond) {
            beyond = entry.at;
            break;
          }
          if (paused === pause.full) flush();
          else if (paused === pause.undecided) decide(scanner, entry.ns as Name);
          else scanner.pass(input);
        }
      }
      if (batch.count > 0) flush();
      const kept = entries.filter((entry) => entry.at <= limit && fate(entry) === "kept");
      assert.deepEqual(
        gathered,
        kept.flatMap(({ at, op, ns: from, size }) => {
          const ns = from === "app.renamed" ? "copy.other" : from;
          const [o, o2] = [objectOf({ at, size }), { _id: at }];
          const first = { op, ns, o, ...op === "u" ? { o2 } : {}, ...op === "d" ? { b: true } : {} };
          const diff = { $v: 2, diff: { u: { "a.b": empty, "": empty } } };
          const isFollowed = op !== "d" && "" in o;
          return [first, ...isFollowed ? [{ op: "u", ns, o: diff, o2 }] : []].map((one) =>
            serialize(one).toHex()
          );
        }),
      );
      assert.equal(beyond, entries.find(({ at }) => at > limit)?.at ?? null);
    }),
    { numRuns: 200 },
  );
});
