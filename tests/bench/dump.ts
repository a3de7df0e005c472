/** Fulls and restores of whole databases. */

import { ReplicaSet } from "../lab/mongod.ts";
import { loadDataset } from "./dataset.ts";
import { makeRows, type Table } from "./report.ts";
import { makeReaders, makeWriters } from "./subjects.ts";
import { type Bench, measureInTurn } from "./turns.ts";

/** How many times as long as the bare writer a verified restore may take. */
const restoreMaxRatio = 1.25;

/** All readers by turns, then all writers. */
export async function measureDumps(bench: Bench, sizeBytes: number): Promise<Table[]> {
  bench.say(`loading ${(sizeBytes / 1e6).toFixed(0)} MB into a replica set of three`);
  await using set = await ReplicaSet.start();
  const dataset = await loadDataset(set.uri, sizeBytes);
  const readers = makeRows(await measureInTurn(await makeReaders(bench, set.uri, dataset), bench, set));
  const writers = makeRows(
    await measureInTurn(await makeWriters(bench, set.uri, dataset), bench, set),
  );
  const [bare, full, bareUnderWrites, fullUnderWrites] = readers.map(({ wallSeconds }) => wallSeconds);
  const slower = (quiet = NaN, busy = NaN) => (busy / quiet).toFixed(2);
  const about = `replica set of three; ${dataset.databases.length} databases, ` +
    `${dataset.documents.toLocaleString("en")} documents, ${(dataset.bytes / 1e6).toFixed(0)} MB`;
  const ratio = writers[1]?.ratio ?? NaN;
  return [
    {
      about: `Fulls: ${about}`,
      entries: null,
      bytes: dataset.bytes,
      rows: readers,
      notes: [
        `Under writes, the bare reader takes ${slower(bare, bareUnderWrites)} times as long, and our Full, ` +
        `which reads the oplog too, ${slower(full, fullUnderWrites)} times`,
      ],
    },
    {
      about: `Restores: ${about}; write concern majority`,
      entries: null,
      bytes: dataset.bytes,
      rows: writers,
      notes: [
        ratio <= restoreMaxRatio
          ? `A verified restore takes ${
            ratio.toFixed(2)
          } times as long as the bare writer; at most ${restoreMaxRatio} are wanted`
          : `TOO SLOW: a verified restore takes ${
            ratio.toFixed(2)
          } times as long as the bare writer, wanted at most ${restoreMaxRatio}`,
      ],
    },
  ];
}
