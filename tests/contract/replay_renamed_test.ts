/** Replay under other names, on the very server that is in use: the copies become what the originals are, which nobody touches. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Document } from "mongodb";
import { openSource } from "../../backend/mongo/source.ts";
import { NamespaceMap } from "../../backend/options/namespace_pattern.ts";
import { Secret } from "../../backend/secret.ts";
import { captureSince, dropAll, endOf, openReplayTarget, readState, replayInto } from "./replayed.ts";
import { databases, runSteps, steps, tour } from "./workload.ts";

const copies = databases.map((name) => `${name}_copy`);

/** What the copies' collections are called, before the names of the originals. */
const prefix = "copy_of_";

function copyOf(name: string): string {
  const [, buckets = "", own] = /^(system\.buckets\.)?(.*)$/s.exec(name)!;
  return `${buckets}${prefix}${own}`;
}

/** What a database's copy must be. */
function stateOfCopy({ collections, listed, indexes }: Document): Document {
  const rename = (named: Document) =>
    Object.fromEntries(Object.entries(named).map(([name, one]) => [copyOf(name), one]));
  const described: Document[] = listed.map(({ name, options, ...one }: Document) => ({
    ...one,
    name: copyOf(name),
    options: "viewOn" in options ? { ...options, viewOn: copyOf(options.viewOn) } : options,
  }));
  return {
    collections: rename(collections),
    listed: described.sort((a, b) => (a["name"] < b["name"] ? -1 : 1)),
    indexes: rename(indexes),
  };
}

Deno.test("Replay of any workload under other names gives a copy beside the original, views and time series included", async () => {
  await using server = await openReplayTarget();
  const { target: client, replay, set } = server;
  await using source = await openSource(new Secret(set.uri));
  const oplog = source.oplog!;
  const names = new NamespaceMap(
    databases.map((name) => `${name}.*`),
    copies.map((name) => `${name}.${prefix}*`),
  );
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
      for (const [at, name] of databases.entries()) {
        assert.deepEqual(found[copies[at]!], stateOfCopy(want[name]), `the copy of ${name}`);
      }
    }),
    { numRuns: 5, seed: 7, endOnFailure: true, examples: [[[...tour]]] },
  );
});
