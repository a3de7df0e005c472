/** Incrementals: a slice of the oplog, against a reader that does nothing with it. */

import { MongoClient, type Timestamp } from "mongodb";
import { ReplicaSet } from "../lab/mongod.ts";
import { changeItems, layItems } from "./oplog_changes.ts";
import { measure } from "./process.ts";
import { makeBare, ours } from "./programs.ts";
import { makeRows, type Table } from "./report.ts";
import { type Bench, measureInTurn } from "./turns.ts";

const wantedEntries = 300_000;

/** The same slice, read by both in turn. */
export async function measureSlicing(bench: Bench): Promise<Table> {
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  await layItems(client);
  const backup = (level: string, job: string) =>
    ours(
      bench,
      ["backup", "--to", "/dev/null", "--level", level, "--job", job, "--previous", "full"],
      `uri=${set.uri}`,
    );
  const from = await newestEntry(client);
  await measure(backup("F", "full"));
  bench.say(`writing ${wantedEntries} entries`);
  const entries = await changeItems(client, wantedEntries);
  const to = await newestEntry(client);
  let bytes = 0;
  const bareReader = await makeBare(bench, "bare_reader");
  const results = await measureInTurn(
    [
      {
        name: "bare reader of the oplog",
        program: bareReader(set.uri, `${from}`, `${to}`),
        check: (output) => void (bytes = Number(output)),
      },
      {
        name: "Incremental to /dev/null",
        program: backup("I", "increment"),
        check: (output) => {
          const sliced = Number(/: ([\d,]+) entries/.exec(output)?.[1]?.replaceAll(",", ""));
          if (!(sliced >= entries)) throw new Error(`The slice should have ${entries} entries:\n${output}`);
        },
      },
    ],
    bench,
    set,
  );
  return {
    about: `Slices of the oplog: single member; ${entries.toLocaleString("en")} entries of two databases, ` +
      `${(bytes / 1e6).toFixed(0)} MB`,
    entries,
    bytes,
    rows: makeRows(results),
    notes: ["All times are whole processes, with their starts"],
  };
}

/** The bits of its timestamp. */
async function newestEntry(client: MongoClient): Promise<bigint> {
  const newest = await client.db("local").collection("oplog.rs").findOne({}, { sort: { $natural: -1 } });
  return (newest!["ts"] as Timestamp).toBigInt();
}
