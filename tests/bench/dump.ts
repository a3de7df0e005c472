/** Fulls and restores of whole databases. */

import { ReplicaSet } from "../lab/mongod.ts";
import { loadDataset } from "./dataset.ts";
import { makeRows, type Table } from "./report.ts";
import { makeReaders, makeWriters } from "./subjects.ts";
import { type Bench, measureInTurn } from "./turns.ts";

/** All readers by turns, then all writers, which take long, once. */
export async function measureDumps(bench: Bench, sizeBytes: number): Promise<Table> {
  bench.say(`loading ${(sizeBytes / 1e6).toFixed(0)} MB into a replica set of three`);
  await using set = await ReplicaSet.start();
  const dataset = await loadDataset(set.uri, sizeBytes);
  const rows = makeRows([
    ...await measureInTurn(await makeReaders(bench, set.uri, dataset), bench, set),
    ...await measureInTurn(await makeWriters(bench, set.uri), { ...bench, runs: 1 }, set),
  ]);
  const [bare, full, bareUnderWrites, fullUnderWrites] = rows.map(({ wallSeconds }) => wallSeconds);
  const slower = (quiet = NaN, busy = NaN) => (busy / quiet).toFixed(2);
  return {
    about: `Fulls and restores: replica set of three; ${dataset.databases.length} databases, ` +
      `${dataset.documents.toLocaleString("en")} documents, ${(dataset.bytes / 1e6).toFixed(0)} MB`,
    entries: null,
    bytes: dataset.bytes,
    rows,
    notes: [
      "Restores ran once",
      `Under writes, the bare reader takes ${slower(bare, bareUnderWrites)} times as long, and our Full, ` +
      `which reads the oplog too, ${slower(full, fullUnderWrites)} times`,
    ],
  };
}
