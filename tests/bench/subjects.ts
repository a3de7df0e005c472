/**
 * What is measured.
 *
 * @module
 */

import { run } from "../lab/command.ts";
import type { Dataset } from "./dataset.ts";
import type { Program } from "./process.ts";

/** Something that is measured. */
export interface Subject {
  readonly name: string;
  readonly program: Program;
  /** Clears the way before a run; not measured. */
  before?(): Promise<void>;
  /** Looks at what a run printed. */
  check?(output: string): void;
}

/** Where subjects find their data. */
export interface Context {
  /** Connection string of the replica set. */
  readonly uri: string;
  readonly dataset: Dataset;
  /** Our backend's executable. */
  readonly backend: string;
  /** An empty folder for backups and the rest. */
  readonly folder: string;
  isMissing(peer: string): boolean;
}

/** Any key does: the time that signing takes is the same. */
const signingKey = new Uint8Array(32).fill(7).toBase64();

/** Whoever reads from the replica set; the bare reader first. */
export async function makeReaders({ uri, dataset, backend, folder, isMissing }: Context): Promise<Subject[]> {
  const bundle = `${folder}/bare_reader.js`;
  const source = new URL("bare_reader.ts", import.meta.url).pathname;
  await run(Deno.execPath(), ["bundle", "--quiet", "--minify", "--platform", "deno", "-o", bundle, source]);
  const backup = (to: string, parallel: number): Program =>
    ours(backend, folder, ["backup", "--to", to], `parallel_dbs=${parallel} uri=${uri}`);
  const kept = backupFolder(folder);
  const subjects: Subject[] = [
    {
      name: "bare reader",
      program: {
        path: Deno.execPath(),
        args: ["run", "-A", "--quiet", "--no-config", "--no-code-cache", bundle, uri],
      },
      check: (output) => {
        if (Number(output) >= dataset.bytes) return;
        throw new Error(`The bare reader saw ${output.trim()} bytes of ${dataset.bytes}`);
      },
    },
    { name: "backup to /dev/null, parallel_dbs=4", program: backup("/dev/null", 4) },
    { name: "backup to /dev/null, parallel_dbs=1", program: backup("/dev/null", 1) },
    {
      name: "backup to a folder, parallel_dbs=4",
      program: backup(kept, 4),
      before: () => removeFolder(kept),
    },
  ];
  if (!isMissing("mongodump")) {
    const args = ["--quiet", "-j", "4", "--readPreference", "secondary", "--archive=/dev/null", uri];
    subjects.push({ name: "mongodump -j 4 to /dev/null", program: { path: "mongodump", args } });
  }
  return subjects;
}

/** Whoever writes over the data that is there, from copies of it; the readers have run before. */
export async function makeWriters({ uri, backend, folder, isMissing }: Context): Promise<Subject[]> {
  const restore = ours(backend, folder, ["restore", "--from", backupFolder(folder)], `drop=yes uri=${uri}`);
  const subjects: Subject[] = [{ name: "restore from the folder", program: restore }];
  if (!isMissing("mongodump") && !isMissing("mongorestore")) {
    const archive = `${folder}/mongodump.archive`;
    await run("mongodump", ["--quiet", "-j", "4", `--archive=${archive}`, uri]);
    const args = ["--quiet", "-j", "4", "--drop", "--nsInclude", "bench_*.*", `--archive=${archive}`, uri];
    subjects.push({ name: "mongorestore -j 4", program: { path: "mongorestore", args } });
  }
  return subjects;
}

function ours(backend: string, folder: string, args: string[], options: string): Program {
  return {
    path: backend,
    args: [...args, "--working-dir", folder, `podheitor-mongodb: ${options}`],
    env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
  };
}

function backupFolder(folder: string): string {
  return `${folder}/backup`;
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  });
}
