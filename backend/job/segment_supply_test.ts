import assert from "node:assert/strict";
import { serialize } from "bson";
import { packBatch, type Segment } from "../../wasm/segment.ts";
import { SegmentSupply } from "./segment_supply.ts";

const never = new AbortController().signal;

function fill(segment: Segment): void {
  const reply = serialize({ b: [{ a: 1 }] });
  packBatch(segment, reply.subarray(7, reply.length - 1), { offsetBytes: 4, index: 0 });
}

/** What a promise came to so far, once everything that is due has run. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve));
  return await Promise.race([promise.then(() => "resolved", () => "rejected"), Promise.resolve("pending")]);
}

Deno.test("SegmentSupply hands out as many segments as it has, then makes readers wait in their order", async () => {
  using supply = new SegmentSupply(2, 1000);
  const [first, second] = [await supply.acquire(never), await supply.acquire(never)];
  const third = supply.acquire(never);
  const fourth = supply.acquire(never);
  assert.equal(await stateOf(third), "pending");
  supply.release(second);
  assert.equal(await third, second);
  assert.equal(await stateOf(fourth), "pending");
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
  assert.equal(await stateOf(second), "pending");
  supply.release(segment);
  assert.equal(await second, segment);
  supply.release(segment);
  await assert.rejects(supply.acquire(canceled.signal), /job canceled/);
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
  assert.equal(await stateOf(waiting), "pending");
  supply.release(segment);
  assert.equal(await waiting, segment);
});
