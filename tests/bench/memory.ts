/** How much memory a Full needs for more and more data. */

import { ReplicaSet } from "../lab/mongod.ts";
import { loadDataset } from "./dataset.ts";
import { ours } from "./programs.ts";
import { makeRows, type Table } from "./report.ts";
import { type Bench, measureInTurn } from "./turns.ts";

/** What the backend may have resident at any time. */
const maxBytes = 512 * 2 ** 20;

/** Fulls of once, twice and four times `sizeBytes`, one after another. */
export async function measureMemory(bench: Bench, sizeBytes: number): Promise<Table> {
  const results: Awaited<ReturnType<typeof measureInTurn>> = [];
  for (const times of [1, 2, 4]) {
    const size = `${(times * sizeBytes / 1e9).toFixed(1)} GB`;
    bench.say(`loading ${size} into a standalone server`);
    await using server = await ReplicaSet.standalone();
    await loadDataset(server.uri, times * sizeBytes);
    const program = ours(bench, ["backup", "--to", "/dev/null"], `uri=${server.uri}`);
    results.push(...await measureInTurn([{ name: `backup of ${size} to /dev/null`, program }], bench));
  }
  const highest = Math.max(...results.flatMap(({ costs }) => costs.map(({ peakRssBytes }) => peakRssBytes)));
  const verdict = highest <= maxBytes ? "Memory is bounded" : "TOO MUCH MEMORY";
  return {
    about: "Memory: standalone server; 4 databases, 4 readers",
    entries: null,
    bytes: null,
    rows: makeRows(results),
    notes: [
      `${verdict}: the highest peak of all runs is ${(highest / 2 ** 20).toFixed(0)} MiB; at most ${
        maxBytes / 2 ** 20
      } are wanted`,
    ],
  };
}
