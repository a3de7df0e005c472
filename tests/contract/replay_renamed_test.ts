/** Replay under other names, on the very server that is in use: the copies become what the originals are, which nobody touches. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { openSource } from "../../backend/mongo/source.ts";
import { NamespaceMap } from "../../backend/options/namespace_pattern.ts";
import { Secret } from "../../backend/secret.ts";
import { captureSince, dropAll, endOf, openReplayTarget, readState, replayInto } from "./replayed.ts";
import { databases, runSteps, steps, tour } from "./workload.ts";

const copies = databases.map((name) => `${name}_copy`);

Deno.test("Replay of any workload under other names gives a copy beside the original, views and time series included", async () => {
  await using server = await openReplayTarget();
  const { target: client, replay, set } = server;
  await using source = await openSource(new Secret(set.uri));
  const oplog = source.oplog!;
  const names = new NamespaceMap(databases.map((name) => `${name}.*`), copies.map((name) => `${name}.*`));
  const isOriginal = (database: string) => databases.some((name) => name === database);
  const selection = {
    accepts: ({ database }: { database: string }) => isOriginal(database),
    map: names.map.bind(names),
    keepsNames: false,
  };
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      await dropAll(client, [...databases, ...copies]);
      const from = await endOf(oplog);
      await runSteps(client, steps);
      const segments = await captureSince(oplog, from);
      const want = await readState(client, databases);
      await replayInto(replay, segments, { selection });
      assert.deepEqual(await readState(client, databases), want, "the originals");
      const found = await readState(client, copies);
      assert.deepEqual(
        Object.fromEntries(databases.map((name, at) => [name, found[copies[at]!]])),
        want,
        "the copies",
      );
    }),
    { numRuns: 5, seed: 7, endOnFailure: true, examples: [[[...tour]]] },
  );
});
