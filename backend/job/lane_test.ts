import assert from "node:assert/strict";
import { Lane } from "./lane.ts";

Deno.test("Lane.run() starts a task only when the one before it is over, in the order of the calls", async () => {
  const lane = new Lane();
  const events: string[] = [];
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const results = gates.map(({ promise }, task) =>
    lane.run(async () => {
      events.push(`start ${task}`);
      await promise;
      events.push(`end ${task}`);
      return task;
    })
  );
  // The last may end first: it must not have started yet.
  for (const { resolve } of gates.toReversed()) resolve();
  assert.deepEqual(await Promise.all(results), [0, 1, 2]);
  assert.deepEqual(events, ["start 0", "end 0", "start 1", "end 1", "start 2", "end 2"]);
});

Deno.test("Lane.run() rejects as its task does, and goes on with the next", async () => {
  const lane = new Lane();
  const failed = lane.run(() => Promise.reject(new Error("first")));
  const thrown = lane.run(() => {
    throw new Error("second");
  });
  const next = lane.run(() => Promise.resolve("third"));
  await assert.rejects(failed, /first/);
  await assert.rejects(thrown, /second/);
  assert.equal(await next, "third");
});
