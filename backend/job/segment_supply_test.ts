import assert from "node:assert/strict";
import { serialize } from "bson";
import { packBatch, type Segment } from "../../wasm/segment.ts";
import { SegmentSupply } from "./segment_supply.ts";

const never = new AbortController().signal;

function fill(segment: Segment): void {
  const reply = serialize({ b: [{ a: 1 }] });
  packBatch(segment, reply.subarray(7, reply.length - 1), { offsetBytes: 4, index: 0 });
}

/** Whether a promise is still open once everything that is due has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settle = () => {
    pending = false;
  };
  promise.then(settle, settle);
  await new Promise((resolve) => setTimeout(resolve));
  return pending;
}

Deno.test("SegmentSupply hands out as many segments as it has, then makes readers wait in their order", async () => {
  using supply = new SegmentSupply(2, 1000);
  const [first, second] = [await supply.acquire(never), await supply.acquire(never)];
  const third = supply.acquire(never);
  const fourth = supply.acquire(never);
  assert.ok(await isPending(third));
  supply.release(second);
  assert.equal(await third, second);
  assert.ok(await isPending(fourth));
  supply.release(first);
  assert.equal(await fourth, first);
  supply.release(second);
  assert.equal(await supply.acquire(never), second);
});

Deno.test("SegmentSupply.release() empties the segment, for one who waits and for the next who comes", async () => {
  using supply = new SegmentSupply(1, 1000);
  const segment = await supply.acquire(never);
  fill(segment);
  const waiting = supply.acquire(never);
  supply.release(segment);
  assert.equal((await waiting).documents, 0);
  fill(segment);
  supply.release(segment);
  assert.equal((await supply.acquire(never)).documents, 0);
});

Deno.test("SegmentSupply.release() takes back a segment that a malformed batch spoilt", async () => {
  using supply = new SegmentSupply(1, 1000);
  const segment = await supply.acquire(never);
  assert.throws(() => packBatch(segment, new Uint8Array(8), { offsetBytes: 4, index: 0 }));
  supply.release(segment);
  fill(await supply.acquire(never));
});

Deno.test("SegmentSupply.acquire() gives up when aborted, and the segment goes to the next in the line", async () => {
  using supply = new SegmentSupply(1, 1000);
  const segment = await supply.acquire(never);
  const canceled = new AbortController();
  const first = supply.acquire(canceled.signal);
  const second = supply.acquire(never);
  canceled.abort(new Error("job canceled"));
  await assert.rejects(first, /job canceled/);
  assert.ok(await isPending(second));
  supply.release(segment);
  assert.equal(await second, segment);
  supply.release(segment);
  await assert.rejects(async () => await supply.acquire(canceled.signal), /job canceled/);
});

Deno.test("SegmentSupply.acquire() isn't undone by an abort that comes after the segment", async () => {
  using supply = new SegmentSupply(1, 1000);
  const segment = await supply.acquire(never);
  const canceled = new AbortController();
  const served = supply.acquire(canceled.signal);
  const waiting = supply.acquire(never);
  supply.release(segment);
  assert.equal(await served, segment);
  canceled.abort();
  assert.ok(await isPending(waiting));
  supply.release(segment);
  assert.equal(await waiting, segment);
});
