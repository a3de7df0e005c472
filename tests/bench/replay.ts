/**
 * Replay: the same slice of an oplog into an empty server, by us and by others.
 *
 * @module
 */

import { type Document, MongoClient } from "mongodb";
import { ReplicaSet } from "../lab/mongod.ts";
import { changedCollection, changedDatabases, changeItems, layItems } from "./oplog_changes.ts";
import { type Cost, measure, type Program } from "./process.ts";
import { ours } from "./programs.ts";
import { makeRows, type Table } from "./report.ts";
import { type Bench, settle } from "./turns.ts";

/** So many that what they take is well above how restores differ from run to run. */
const wantedEntries = 120_000;
const sampleSize = 3_000;

/** How many times faster than entry by entry a replay has to be. */
const wantedRatio = 15;

/** The names of the chain's jobs. */
const [full, increment] = ["full", "increment"];

/** Two programs that do the same, but that the second one replays as well. */
interface Pair {
  readonly name: string;
  readonly without: Program;
  readonly with: Program;
}

/** Everybody by turns: we first. */
export async function measureReplay(bench: Bench): Promise<Table> {
  const { entries, sample, hashes } = await makeChain(bench);
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  const restore = (job: string) =>
    ours(bench, ["restore", "--from", chainFolder(bench), "--job", job], `drop=yes uri=${set.uri}`);
  const pairs: Pair[] = [{ name: "our restore", without: restore(full), with: restore(increment) }];
  if (!bench.isMissing("mongorestore")) pairs.push(await makePeer(bench, set.uri));
  // What is started for the first time starts slowly.
  for (const pair of pairs) await measure(pair.without);
  const results = pairs.map((pair) => ({ name: pair.name, pair, costs: [] as Cost[] }));
  const oneByOne = {
    name: `applyOps, one entry each (${sampleSize.toLocaleString("en")}, scaled)`,
    costs: [] as Cost[],
  };
  for (let run = 1; run <= bench.runs; run++) {
    for (const { name, pair, costs } of results) {
      await settle(set);
      const without = await measure(pair.without);
      await settle(set);
      const cost = subtract(await measure(pair.with), without);
      if (await hashItems(client) !== hashes) throw new Error(`${name}: the target isn't what the source is`);
      costs.push(cost);
      bench.say(`run ${run} of ${bench.runs}: ${name}: ${cost.wallSeconds.toFixed(2)} s`);
    }
    await layItems(client);
    await settle(set);
    const seconds = await applyOneByOne(client, sample) * entries / sample.length;
    oneByOne.costs.push({ wallSeconds: seconds, cpuSeconds: NaN, peakRssBytes: NaN });
    bench.say(`run ${run} of ${bench.runs}: ${oneByOne.name}: ${seconds.toFixed(2)} s`);
  }
  const rows = makeRows([...results, oneByOne]);
  const ratio = rows.at(-1)!.ratio;
  return {
    about: `Replay: ${entries.toLocaleString("en")} entries of two databases into a single member`,
    entries,
    bytes: null,
    rows,
    notes: [
      "Time and CPU of a restore of Full and increment, less those of the Full alone; the peak is of the whole process",
      ratio >= wantedRatio
        ? `One by one takes ${ratio.toFixed(1)} times as long; at least ${wantedRatio} are wanted`
        : `TOO SLOW: one by one takes only ${ratio.toFixed(1)} times as long, wanted at least ${wantedRatio}`,
    ],
  };
}

/** Backs up an empty Full and an increment of all changes, and copies the first entries of it. */
async function makeChain(bench: Bench): Promise<{ entries: number; sample: Document[]; hashes: string }> {
  await using source = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(source.uri).connect();
  await layItems(client);
  const backup = (level: string, job: string) =>
    measure(
      ours(
        bench,
        ["backup", "--to", chainFolder(bench), "--level", level, "--job", job],
        `uri=${source.uri}`,
      ),
    );
  await backup("F", full);
  bench.say(`writing ${wantedEntries} entries`);
  const entries = await changeItems(client, wantedEntries);
  await backup("I", increment);
  const namespaces = changedDatabases.map((name) => `${name}.${changedCollection}`);
  const sample = await client.db("local").collection("oplog.rs")
    .find({ ns: { $in: namespaces } }, {
      promoteValues: false,
      projection: { _id: 0, op: 1, ns: 1, o: 1, o2: 1 },
    })
    .sort({ $natural: 1 }).limit(sampleSize).toArray();
  return { entries, sample, hashes: await hashItems(client) };
}

/** The server's own hashes of all that was changed. */
async function hashItems(client: MongoClient): Promise<string> {
  const hashes = changedDatabases.map(async (name) => (await client.db(name).command({ dbHash: 1 }))["md5"]);
  return (await Promise.all(hashes)).join();
}

/** mongorestore, from mongodump's layout of the same chain. */
async function makePeer(bench: Bench, uri: string): Promise<Pair> {
  const dump = `${bench.folder}/dump`;
  await measure(
    ours(
      bench,
      ["restore", "--from", chainFolder(bench), "--job", increment, "--where", dump],
      `uri=${uri}`,
    ),
  );
  const program = (...more: string[]): Program => ({
    path: "mongorestore",
    args: ["--quiet", "--drop", ...more, `--uri=${uri}`, dump],
  });
  return { name: "mongorestore --oplogReplay", without: program(), with: program("--oplogReplay") };
}

/** Seconds of a bare loop: what a tool takes that hands on entry by entry. */
async function applyOneByOne(client: MongoClient, sample: readonly Document[]): Promise<number> {
  const admin = client.db("admin");
  const startedAt = performance.now();
  for (const entry of sample) await admin.command({ applyOps: [entry], writeConcern: { w: 1 } });
  return (performance.now() - startedAt) / 1000;
}

function subtract(cost: Cost, less: Cost): Cost {
  return {
    wallSeconds: cost.wallSeconds - less.wallSeconds,
    cpuSeconds: cost.cpuSeconds - less.cpuSeconds,
    peakRssBytes: cost.peakRssBytes,
  };
}

function chainFolder({ folder }: Bench): string {
  return `${folder}/chain`;
}
