import assert from "node:assert/strict";
import fc from "fast-check";
import { MemorySpool } from "../../tests/contract/memory_target.ts";
import type { SegmentConsumer } from "./slice_queue.ts";
import { SliceQueue } from "./slice_queue.ts";

/** Notes what it is given, and that it is given one piece at a time. */
class Consumer implements SegmentConsumer {
  readonly applied: string[] = [];
  #busy = false;

  async apply(segment: Uint8Array): Promise<void> {
    assert.equal(this.#busy, false);
    this.#busy = true;
    await Promise.resolve();
    this.applied.push(new TextDecoder().decode(segment));
    this.#busy = false;
  }

  finish(): Promise<never> {
    return Promise.reject(new Error("not by the queue"));
  }

  [Symbol.dispose](): void {}
}

const bytesOf = (path: string) => new TextEncoder().encode(path);

Deno.test("SliceQueue applies every piece once, in the plan's order, whatever the order of arrival", async () => {
  const arrival = fc.integer({ min: 0, max: 8 }).chain((length) =>
    fc.record({
      order: fc.constant(Array.from({ length }, (_, at) => `piece${at}`)),
      places: fc.shuffledSubarray(Array.from({ length }, (_, at) => at), { minLength: length }),
      openAfter: fc.nat(length),
    })
  );
  await fc.assert(
    fc.asyncProperty(arrival, async ({ order, places, openAfter }) => {
      const consumer = new Consumer();
      const queue = new SliceQueue(order, new MemorySpool(), consumer);
      for (const [at, place] of places.entries()) {
        if (at === openAfter) await queue.open();
        await queue.put(order[place]!, bytesOf(order[place]!));
      }
      if (openAfter === places.length) await queue.open();
      assert.deepEqual(consumer.applied, order);
    }),
    { numRuns: 60 },
  );
});

Deno.test("SliceQueue applies nothing before the data is there", async () => {
  const consumer = new Consumer();
  const queue = new SliceQueue(["a", "b"], new MemorySpool(), consumer);
  await queue.put("a", bytesOf("a"));
  await queue.put("b", bytesOf("b"));
  assert.deepEqual(consumer.applied, []);
  await queue.open();
  assert.deepEqual(consumer.applied, ["a", "b"]);
});

Deno.test("SliceQueue puts nothing aside whose turn it is", async () => {
  const consumer = new Consumer();
  const spool = new MemorySpool();
  let put = 0;
  const counting = {
    put: (bytes: Uint8Array) => {
      put++;
      return spool.put(bytes);
    },
    get: spool.get.bind(spool),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const queue = new SliceQueue(["a", "b", "c"], counting, consumer);
  await queue.open();
  for (const path of ["a", "c", "b"]) await queue.put(path, bytesOf(path));
  assert.deepEqual(consumer.applied, ["a", "b", "c"]);
  assert.equal(put, 1);
});

Deno.test("SliceQueue stops at a piece that can't be applied", async () => {
  const failing: SegmentConsumer = {
    apply: () => Promise.reject(new Error("no")),
    finish: () => Promise.reject(new Error("not by the queue")),
    [Symbol.dispose]: () => {},
  };
  const queue = new SliceQueue(["a", "b"], new MemorySpool(), failing);
  await queue.put("a", bytesOf("a"));
  await assert.rejects(queue.open(), /no/);
});
