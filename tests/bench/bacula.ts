/** Backups through the real File Daemon: ours, against the same bytes as plain files. */

import { DatabaseSync } from "node:sqlite";
import { BaculaLab } from "../lab/bacula.ts";
import { until } from "../lab/condition.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { loadDataset } from "./dataset.ts";
import { type Cost, cpuSecondsOf, measure } from "./process.ts";
import { ours, signingKey } from "./programs.ts";
import { makeRows, type Table } from "./report.ts";
import { type Bench, measureInTurn, type Subject } from "./turns.ts";

/** How many times as long as plain files the plugin may take. */
const maxRatio = 1.3;

/** Full jobs of both by turns. The plain files are the very files of a backup, and as fresh in memory as the server's data. */
export async function measureBacula(bench: Bench, sizeBytes: number): Promise<Table> {
  bench.say(`loading ${(sizeBytes / 1e6).toFixed(0)} MB into a replica set of one`);
  await using set = await ReplicaSet.start({ members: 1 });
  const dataset = await loadDataset(set.uri, sizeBytes);
  await using lab = await BaculaLab.start({
    plugin: bench.plugin,
    pluginCommands: { Mongo: `podheitor-mongodb: uri=${set.uri}` },
    env: { PODHEITOR_MONGODB_BACKEND: bench.backend, PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
    maxVolumeBytes: "100G",
  });
  await measure(ours(bench, ["backup", "--to", `${lab.folder}/data`], `uri=${set.uri}`));
  const job = (name: string, run: string): Subject => ({
    name,
    program: () => measureJob(lab, run, dataset.bytes),
  });
  const subjects = [job("plain files", "Plain"), job("Plugin = podheitor-mongodb", "Mongo")];
  const rows = makeRows(await measureInTurn(subjects, bench, set));
  const ratio = rows[1]?.ratio ?? NaN;
  return {
    about:
      `Full jobs of a real File Daemon, MD5, no compression: ${
        dataset.documents.toLocaleString("en")
      } documents, ` +
      `${(dataset.bytes / 1e6).toFixed(0)} MB; from the daemon's begin to the last byte on the volume`,
    entries: null,
    bytes: dataset.bytes,
    rows,
    notes: [
      "CPU is the File Daemon's, and the backend's; the Storage Daemon and mongod work on the same cores",
      `${ratio <= maxRatio ? "The plugin" : "TOO SLOW: the plugin"} takes ${
        ratio.toFixed(2)
      } times as long as plain files; at most ${maxRatio} are wanted`,
    ],
  };
}

/** A job's time from the moment at which the File Daemon is told to begin, to that at which the Storage Daemon has everything. */
async function measureJob(lab: BaculaLab, job: string, bytes: number): Promise<Cost & { output: string }> {
  const cpuBefore = cpuSecondsOf(lab.fdPid);
  // Bacula's own times are whole seconds, and starting a program for each look would be a load.
  using catalog = new DatabaseSync(`${lab.folder}/work/bacula.db`, { readOnly: true, timeout: 20_000 });
  const said = catalog.prepare("select 1 from Log where JobId = ? and LogText like ?");
  const jobId = await lab.start(job, "Full");
  const instant = async (text: string) => {
    await until(`job ${jobId} to say "${text}"`, 600_000, () => said.get(jobId, `%${text}%`) !== undefined);
    return performance.now();
  };
  const begunAt = await instant("Connected to Client");
  const endedAt = await instant("Elapsed time=");
  const result = await lab.wait(jobId);
  if (result.status !== "T" || result.errors > 0 || result.bytes < bytes) {
    throw new Error(`Job ${jobId} of ${result.bytes} bytes is not good:\n${result.log}`);
  }
  const cpuSeconds = cpuSecondsOf(lab.fdPid) - cpuBefore;
  return { wallSeconds: (endedAt - begunAt) / 1000, cpuSeconds, peakRssBytes: NaN, output: result.log };
}
