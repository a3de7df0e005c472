import assert from "node:assert/strict";
import { Decimal128, Double, Int32, Long, ObjectId, serialize, Timestamp as BsonTimestamp } from "bson";
import fc from "fast-check";
import { commandBytes, entryBytes, place, transactionFields } from "../../tests/contract/oplog_entries.ts";
import { elements, joinElements } from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import { isTruthy, readEntry } from "./entry.ts";

const at = place(1_700_000_000, 5, 3);

Deno.test("readEntry() reads what everybody must know of an entry, its objects raw", () => {
  const o = { $v: 2, diff: { u: { a: new Int32(1) } } };
  const entry = readEntry(entryBytes({ op: "u", ns: "app.a.b", o, o2: { _id: 7 }, at }));
  assert.equal(entry.op, "u");
  assert.deepEqual(entry.namespace, { database: "app", collection: "a.b" });
  assert.equal(entry.object.toHex(), serialize(o).toHex());
  assert.equal(entry.object2?.value.toHex(), serialize({ _id: 7 }).toHex());
  assert.deepEqual(entry.at, { t: at.t, i: at.i });
  assert.deepEqual([entry.transaction, entry.continues], [null, false]);
});

Deno.test("readEntry() reads an operation within applyOps, which has no time", () => {
  const operation = readEntry(serialize({ op: "i", ns: "app.a", o: { _id: 1 } }));
  assert.deepEqual([operation.at, operation.object2], [null, undefined]);
});

const applyOps = { applyOps: [] };

const transactions = [
  { name: "a transaction's only part", more: transactionFields(4, null), want: "some", continues: false },
  {
    name: "a later part",
    more: transactionFields(4, place(1_699_999_999)),
    want: "some",
    continues: true,
  },
  {
    name: "inserts in one entry",
    more: { ...transactionFields(4, null), multiOpType: new Int32(1) },
    want: "none",
    continues: false,
  },
  {
    name: "inserts in one entry, the second of a retryable write",
    more: { ...transactionFields(4, place(1_699_999_999)), multiOpType: new Int32(1) },
    want: "none",
    continues: true,
  },
  {
    name: "another kind of several operations",
    more: { ...transactionFields(4, null), multiOpType: new Int32(0) },
    want: "some",
    continues: false,
  },
  { name: "neither session nor number", more: {}, want: "none", continues: false },
  { name: "a session alone", more: { lsid: { id: 1 } }, want: "none", continues: false },
];

Deno.test("readEntry() tells a transaction's command from a retryable write's", () => {
  for (const { name, more, want, continues } of transactions) {
    const entry = readEntry(commandBytes(at, "admin", applyOps, more));
    assert.equal(entry.transaction === null ? "none" : "some", want, name);
    assert.equal(entry.continues, continues, name);
  }
  // A single retryable write has all three fields, and is none either.
  const more = transactionFields(4, null);
  assert.equal(readEntry(entryBytes({ op: "i", ns: "app.a", o: {}, at, more })).transaction, null);
});

Deno.test("readEntry() gives transactions keys by session and number", () => {
  const keyOf = (number: number, session: number, previous = place(1)) =>
    readEntry(commandBytes(at, "admin", applyOps, transactionFields(number, previous, session))).transaction;
  assert.equal(keyOf(1, 1), keyOf(1, 1, place(2)));
  assert.equal(new Set([keyOf(1, 1), keyOf(2, 1), keyOf(1, 2), keyOf(12, 1)]).size, 4);
});

Deno.test("readEntry() refuses an entry without op, ns or o", () => {
  const whole = [...elements(entryBytes({ op: "i", ns: "app.a", o: {}, at }))];
  for (const missing of ["op", "ns", "o"]) {
    const bytes = joinElements(whole.filter(({ key }) => key !== missing));
    assert.throws(() => readEntry(bytes), { code: "oplogUnreplayable", message: /lacks op, ns or o/ });
    const other = joinElements(
      whole.map((one) => one.key === missing ? { key: missing, type: 0x0a, value: new Uint8Array() } : one),
    );
    assert.throws(() => readEntry(other), { code: "oplogUnreplayable" }, missing);
  }
});

Deno.test("readEntry() never fails on damage in a way of its own", () => {
  const good = commandBytes(
    at,
    "admin",
    { applyOps: [{ op: "i", ns: "a.b", o: {} }] },
    transactionFields(4, at),
  );
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (where, byte) => {
      try {
        readEntry(good.with(where, byte));
      } catch (thrown) {
        assert.ok(thrown instanceof PluginError, String(thrown));
      }
    }),
    { numRuns: 1000 },
  );
});

const truths = [
  { value: true, want: true },
  { value: false, want: false },
  { value: new Int32(1), want: true },
  { value: new Int32(0), want: false },
  { value: Long.fromNumber(-1), want: true },
  { value: Long.fromNumber(0), want: false },
  { value: new Double(0.5), want: true },
  { value: new Double(-0), want: false },
  { value: new Double(NaN), want: true },
  { value: null, want: false },
  { value: "", want: true },
  { value: new ObjectId(), want: true },
  { value: new BsonTimestamp({ t: 0, i: 0 }), want: true },
  { value: Decimal128.fromString("1"), want: true },
];

Deno.test("isTruthy() takes a value as a server does", () => {
  for (const { value, want } of truths) {
    const [element] = elements(serialize({ value }));
    assert.equal(isTruthy(element), want, String(value));
  }
  assert.equal(isTruthy(undefined), false);
  assert.equal(isTruthy({ key: "", type: 0x06, value: new Uint8Array() }), false);
});
