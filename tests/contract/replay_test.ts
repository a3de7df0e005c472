/**
 * The oplog's replay on real servers: whatever was done on the one, the other one has it afterwards, in batches and one entry at a time.
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { captureSince, dropAll, endOf, openServers, readState, replayInto } from "./replayed.ts";
import { databases, runSteps, stepKinds, steps, tour } from "./workload.ts";

Deno.test("Replay of any workload gives what the source has, in batches and one entry at a time", async () => {
  await using servers = await openServers();
  const { source, target, oplog, replay } = servers;
  const done = new Set<string>();
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      await dropAll(source, databases);
      const from = await endOf(oplog);
      for (const kind of (await runSteps(source, steps)).keys()) done.add(kind);
      const segments = await captureSince(oplog, from);
      const want = await readState(source, databases);
      for (const options of [{}, { operationsMax: 1 }]) {
        await dropAll(target, databases);
        await replayInto(replay, segments, options);
        assert.deepEqual(await readState(target, databases), want, JSON.stringify(options));
      }
    }),
    { numRuns: 12, seed: 4, endOnFailure: true, examples: [[[...tour]]] },
  );
  // A step that never works proves nothing.
  const never = stepKinds.filter((kind) => !done.has(kind));
  const missing = Number.parseFloat(servers.version) < 5
    ? never.filter((kind) => !/time series|measure/.test(kind))
    : never;
  assert.deepEqual(missing, []);
});
