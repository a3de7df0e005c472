/**
 * The benchmark, `deno task bench`: backup and restore of a real replica set, against a reader that does nothing with what it reads.
 *
 *     deno task bench [--json] [--size MB] [--runs N]
 *
 * All readers run in turn, N times; then all writers. Medians are shown. mongodump, mongorestore and b3sum are measured where they are on
 * PATH. Nothing is judged: times belong to a machine and its load.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { build } from "../packaging/build.ts";
import { measureChecksums } from "./bench/checksums.ts";
import { loadDataset } from "./bench/dataset.ts";
import { type Cost, measure } from "./bench/process.ts";
import { formatReport, type Report } from "./bench/report.ts";
import { medianCost } from "./bench/statistics.ts";
import { type Context, makeReaders, makeWriters, type Subject } from "./bench/subjects.ts";
import { isOnPath } from "./lab/command.ts";
import { until } from "./lab/condition.ts";
import { ScratchFolder } from "./lab/daemon.ts";
import { ReplicaSet } from "./lab/mongod.ts";

interface Settings {
  readonly json: boolean;
  readonly sizeMB: number;
  readonly runs: number;
}

const peers = ["mongodump", "mongorestore", "b3sum"];

async function bench({ sizeMB, runs }: Settings): Promise<Report> {
  const loadBefore = loadOfLastMinute();
  const missing: string[] = [];
  for (const peer of peers) if (!await isOnPath(peer)) missing.push(peer);
  const { backend } = await build();
  await using scratch = await ScratchFolder.make("bench");
  const folder = scratch.path;
  say("hashing");
  const checksums = await measureChecksums(runs, folder);
  say("starting a replica set");
  await using set = await ReplicaSet.start();
  say(`loading ${sizeMB} MB`);
  const dataset = await loadDataset(set.uri, sizeMB * 1e6);
  const context: Context = {
    uri: set.uri,
    dataset,
    backend,
    folder,
    isMissing: (peer) => missing.includes(peer),
  };
  const results = [
    ...await measureInTurn(await makeReaders(context), runs, set),
    ...await measureInTurn(await makeWriters(context), runs, set),
  ];
  const medians = results.map(({ name, costs }) => ({ name, ...medianCost(costs), runs: costs }));
  const floorSeconds = medians[0]?.wallSeconds ?? NaN;
  return {
    server: set.binary.version,
    dataset,
    cores: navigator.hardwareConcurrency,
    load: [loadBefore, loadOfLastMinute()],
    rows: medians.map((row) => ({ ...row, ratio: row.wallSeconds / floorSeconds })),
    checksums,
    missing,
  };
}

/** Every subject once, then every subject again: what disturbs the machine for a while disturbs all of them. */
async function measureInTurn(subjects: readonly Subject[], runs: number, set: ReplicaSet) {
  const results = subjects.map((subject) => ({ name: subject.name, subject, costs: [] as Cost[] }));
  for (let run = 1; run <= runs; run++) {
    for (const { name, subject, costs } of results) {
      await subject.before?.();
      await settle(set);
      const { output, ...cost } = await measure(subject.program);
      subject.check?.(output);
      costs.push(cost);
      say(`run ${run} of ${runs}: ${name}: ${cost.wallSeconds.toFixed(2)} s`);
    }
  }
  return results;
}

/** Resolves when every member has all writes, and has them on its disk. */
async function settle(set: ReplicaSet): Promise<void> {
  await until("all members to have the same data", 300_000, async () => {
    const status = await set.command(await set.primary(), { replSetGetStatus: 1 });
    const members = status["members"] as { optime: unknown }[];
    return new Set(members.map(({ optime }) => JSON.stringify(optime))).size === 1;
  });
  for (const member of set.members) await set.command(member, { fsync: 1 });
}

function loadOfLastMinute(): number {
  return Deno.loadavg()[0] ?? NaN;
}

function say(text: string): void {
  console.error(`bench: ${text}`);
}

/** @throws TypeError for arguments that mean nothing */
function readArguments(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: { json: { type: "boolean" }, size: { type: "string" }, runs: { type: "string" } },
  });
  return {
    json: values.json === true,
    sizeMB: readNumber("--size", values.size ?? "700"),
    runs: readNumber("--runs", values.runs ?? "3"),
  };
}

function readNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new TypeError(`${name} is "${text}", wanted a number from 1 to 999999`);
  }
  return Number(text);
}

async function main(): Promise<number> {
  let settings: Settings;
  try {
    settings = readArguments(Deno.args);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    console.error(`Cannot run the benchmark: ${cause.message}`);
    return 2;
  }
  const report = await bench(settings);
  console.log(settings.json ? JSON.stringify(report) : formatReport(report));
  return 0;
}

Deno.exit(await main());
