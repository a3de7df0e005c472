import assert from "node:assert/strict";
import fc from "fast-check";
import { type Document, Int32, Long, serialize } from "bson";
import { PluginError } from "../errors.ts";
import { readCursorReply } from "./cursor_reply.ts";
import { elements } from "./document.ts";

const id = Long.fromBigInt(-(2n ** 62n) - 1n);

Deno.test("readCursorReply() reads id, name and batch of a first and of a later reply", () => {
  const documents = [{ a: 1 }, { b: "x" }];
  for (
    const { name, input, want } of [
      { name: "first", input: { firstBatch: documents, id, ns: "db.c" }, want: -(2n ** 62n) - 1n },
      { name: "next", input: { nextBatch: documents, id: Long.ZERO, ns: "db.c" }, want: 0n },
      {
        name: "all results",
        input: { nextBatch: documents, id: Long.ZERO, ns: "db.c", partialResultsReturned: false, x: 1 },
        want: 0n,
      },
    ]
  ) {
    const reply = readCursorReply(serialize(input));
    assert.deepEqual([reply.id, reply.namespace], [want, "db.c"], name);
    assert.deepEqual(
      [...elements(reply.batch)].map(({ value }) => value),
      documents.map((d) => serialize(d)),
      name,
    );
  }
});

Deno.test("readCursorReply() gives a view of the batch, and doesn't look at its documents", () => {
  const cursor = new Uint8Array(serialize({ firstBatch: [{ a: 1 }], id, ns: "db.c" }));
  const { batch } = readCursorReply(cursor);
  assert.equal(batch.buffer, cursor.buffer);
  batch[8] = 0xff;
  assert.deepEqual(readCursorReply(cursor).batch, batch);
});

Deno.test("readCursorReply() refuses replies that lack something, and partial results", () => {
  const whole: Document = { firstBatch: [], id, ns: "db.c" };
  for (
    const { name, input, want } of [
      { name: "no batch", input: { id, ns: "db.c" }, want: /lacks/ },
      { name: "no id", input: { firstBatch: [], ns: "db.c" }, want: /lacks/ },
      { name: "no name", input: { firstBatch: [], id }, want: /lacks/ },
      { name: "id of 32 bits", input: { ...whole, id: new Int32(0) }, want: /lacks/ },
      { name: "name a number", input: { ...whole, ns: 1 }, want: /lacks/ },
      { name: "batch a document", input: { ...whole, firstBatch: {} }, want: /lacks/ },
      { name: "partial", input: { ...whole, partialResultsReturned: true }, want: /partial results/ },
    ]
  ) {
    assert.throws(() => readCursorReply(serialize(input)), (thrown) => {
      assert.ok(thrown instanceof PluginError, name);
      assert.equal(thrown.code, "serverReply", name);
      assert.match(thrown.message, want, name);
      return true;
    });
  }
});

Deno.test("readCursorReply() answers any bytes with a reply within them or a PluginError", () => {
  const whole = serialize({ firstBatch: [{ a: 1 }], id, ns: "db.c" });
  const changed = fc.tuple(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
    ([at, bytes]) => {
      const copy = whole.slice();
      copy.set(bytes.subarray(0, copy.length - at), at);
      return copy;
    },
  );
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 64 })), (bytes) => {
      try {
        const { batch } = readCursorReply(bytes);
        assert.ok(
          batch.buffer === bytes.buffer && batch.byteOffset + batch.length <= bytes.byteOffset + bytes.length,
        );
      } catch (cause) {
        assert.ok(cause instanceof PluginError, String(cause));
      }
    }),
    { numRuns: 2_000 },
  );
});
