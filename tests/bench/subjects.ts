/**
 * Whoever reads or writes whole databases.
 *
 * @module
 */

import { run } from "../lab/command.ts";
import type { Dataset } from "./dataset.ts";
import type { Program } from "./process.ts";
import { makeBare, ours } from "./programs.ts";
import type { Bench, Subject } from "./turns.ts";
import { loadChangesPerSecond, WriteLoad } from "./write_load.ts";

/** Whoever reads from the replica set; the bare reader first. */
export async function makeReaders(bench: Bench, uri: string, dataset: Dataset): Promise<Subject[]> {
  const bareReader = await makeBare(bench, "bare_reader");
  const backup = (to: string, readers: number): Program =>
    ours(bench, ["backup", "--to", to], `parallel_readers=${readers} uri=${uri}`);
  const kept = backupFolder(bench);
  const bare: Subject = {
    name: "bare reader",
    program: bareReader(uri),
    check: (output) => {
      if (Number(output) >= dataset.bytes) return;
      throw new Error(`The bare reader saw ${output.trim()} bytes of ${dataset.bytes}`);
    },
  };
  const full: Subject = {
    name: "backup to /dev/null, 4 readers",
    program: backup("/dev/null", 4),
  };
  const subjects: Subject[] = [
    bare,
    full,
    underWrites(bare, uri),
    underWrites(full, uri),
    { name: "backup to /dev/null, 1 reader", program: backup("/dev/null", 1) },
    {
      name: "backup to a folder, 4 readers",
      program: backup(kept, 4),
      before: () => removeFolder(kept),
    },
  ];
  if (!bench.isMissing("mongodump")) {
    const args = ["--quiet", "-j", "4", "--readPreference", "secondary", "--archive=/dev/null", uri];
    subjects.push({ name: "mongodump -j 4 to /dev/null", program: { path: "mongodump", args } });
  }
  return subjects;
}

/** Segments or commands that are under way at once: what a restore does of itself. */
const writesAtOnce = 4;

/** Whoever writes over the data that is there, from copies of it; the bare writer first. The readers have run before. */
export async function makeWriters(bench: Bench, uri: string, dataset: Dataset): Promise<Subject[]> {
  const bareWriter = await makeBare(bench, "bare_writer");
  const subjects: Subject[] = [
    {
      name: `bare writer, ${writesAtOnce} at a time`,
      program: bareWriter(uri, await findData(backupFolder(bench)), String(writesAtOnce), "majority"),
      check: (output) => {
        if (Number(output) >= dataset.bytes) return;
        throw new Error(`The bare writer wrote ${output.trim()} bytes of ${dataset.bytes}`);
      },
    },
    {
      name: "restore from the folder",
      program: ours(bench, ["restore", "--from", backupFolder(bench)], `drop=yes uri=${uri}`),
    },
  ];
  if (!bench.isMissing("mongodump") && !bench.isMissing("mongorestore")) {
    const archive = `${bench.folder}/mongodump.archive`;
    await run("mongodump", ["--quiet", "-j", "4", `--archive=${archive}`, uri]);
    const args = ["--quiet", "-j", "4", "--drop", "--nsInclude", "bench_*.*", `--archive=${archive}`, uri];
    subjects.push({ name: "mongorestore -j 4", program: { path: "mongorestore", args } });
  }
  return subjects;
}

function underWrites(subject: Subject, uri: string): Subject {
  const rate = loadChangesPerSecond.toLocaleString("en");
  return { ...subject, name: `${subject.name}, ${rate} writes/s`, during: () => WriteLoad.start(uri) };
}

function backupFolder({ folder }: Bench): string {
  return `${folder}/backup`;
}

/** Where the only backup in a folder has its databases. */
async function findData(folder: string): Promise<string> {
  let path = folder;
  for (const next of [/./, /^@mongodb$/, /./]) {
    const entries = await Array.fromAsync(Deno.readDir(path));
    path += `/${entries.find(({ name }) => next.test(name))?.name}`;
  }
  return path;
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  });
}
