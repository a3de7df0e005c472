import assert from "node:assert/strict";
import { Timestamp as BsonTimestamp } from "bson";
import fc from "fast-check";
import { commandBytes, place, transactionFields } from "../../tests/contract/oplog_entries.ts";
import { type OplogEntry, readEntry } from "./entry.ts";
import { OpenTransactions } from "./transactions.ts";

/** Entries of one transaction after another, each with its place in the oplog. */
class Writer {
  #now = 1000;
  readonly #last = new Map<string, ReturnType<typeof place>>();

  #write(o: Record<string, unknown>, session: number, number: number): OplogEntry {
    const at = place(++this.#now);
    const key = `${session}:${number}`;
    const entry = commandBytes(
      at,
      "admin",
      o,
      transactionFields(number, this.#last.get(key) ?? null, session),
    );
    this.#last.set(key, at);
    return readEntry(entry);
  }

  part(session: number, number = 1): OplogEntry {
    return this.#write({ applyOps: [], partialTxn: true }, session, number);
  }

  last(session: number, number = 1): OplogEntry {
    return this.#write({ applyOps: [] }, session, number);
  }

  commit(session: number, number = 1): OplogEntry {
    return this.#write(
      { commitTransaction: 1, commitTimestamp: new BsonTimestamp({ t: 1, i: 1 }) },
      session,
      number,
    );
  }
}

Deno.test("OpenTransactions gives the parts of a transaction in their order, and forgets it", () => {
  const writer = new Writer();
  const open = new OpenTransactions<string>();
  for (const part of ["a", "b", "c"]) open.add("1", writer.part(1), part);
  assert.equal(open.size, 1);
  assert.deepEqual(open.commit("1", writer.last(1)), ["a", "b", "c"]);
  assert.equal(open.size, 0);
});

Deno.test("OpenTransactions.commit() takes an only part, which has none before it", () => {
  const open = new OpenTransactions<string>();
  assert.deepEqual(open.commit("1", new Writer().last(1)), []);
});

Deno.test("OpenTransactions keeps interleaved transactions apart, and an aborted one gives nothing", () => {
  fc.assert(fc.property(fc.array(fc.record({ session: fc.nat(3), end: fc.nat(5) })), (steps) => {
    const writer = new Writer();
    const open = new OpenTransactions<number>();
    const model = new Map<number, { number: number; parts: number[] }>();
    let numbers = 0;
    for (const [at, { session, end }] of steps.entries()) {
      const known = model.get(session);
      const { number, parts } = known ?? { number: ++numbers, parts: [] };
      const key = `${session}:${number}`;
      if (end < 4) {
        open.add(key, writer.part(session, number), at);
        model.set(session, { number, parts: [...parts, at] });
      } else if (end === 4) {
        assert.deepEqual(open.commit(key, writer.last(session, number)), parts);
        model.delete(session);
      } else {
        open.abort(key);
        model.delete(session);
      }
      assert.equal(open.size, model.size);
    }
  }));
});

Deno.test("OpenTransactions begins anew where a first part comes again, as after a step-down", () => {
  const open = new OpenTransactions<string>();
  const [before, after] = [new Writer(), new Writer()];
  open.add("1", before.part(1), "lost");
  open.add("1", after.part(1), "a");
  assert.deepEqual(open.commit("1", after.last(1)), ["a"]);
});

Deno.test("OpenTransactions refuses what goes on without its beginning", () => {
  const refusal = {
    code: "oplogUnreplayable",
    message: /goes on at 1002\.1 .*its beginning isn't in the chain/,
  };
  for (const end of ["part", "last", "commit"] as const) {
    const writer = new Writer();
    writer.part(1);
    const entry = writer[end](1);
    const open = new OpenTransactions<string>();
    assert.throws(() => end === "part" ? open.add("1", entry, "") : open.commit("1", entry), refusal, end);
  }
});
