/**
 * Backup and restore with a folder in place of Bacula. The very same job runs in this process, at the other end of a pipe in memory.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { discardingReceiver, JobFolder, JobFolderWriter } from "../folder/job_folder.ts";
import { isManifestPath, isOplogPath } from "../job/object_path.ts";
import { connectInProcess } from "../protocol/channel.ts";
import { type RestoreInput, runBackupSession, runRestoreSession } from "../protocol/file_daemon_session.ts";
import type { FileHeader, ObjectReceiver, Target } from "../ports.ts";
import type { JobInfo, SessionKind, Totals } from "../protocol/message.ts";
import { program } from "../version.ts";
import { serveJob } from "./job.ts";
import { chooseChain, placeFolders, previousJob } from "./folder_chain.ts";
import { TerminalListener } from "./terminal.ts";

/** What both commands share. */
interface StandaloneRun {
  readonly pluginCommand: string;
  readonly workingDirectory: string;
  readonly listener: TerminalListener;
  /** Aborted to cancel. */
  readonly signal: AbortSignal;
  readonly keyFile?: string;
  /** Where a restore goes in place of what the plugin command names. */
  readonly openTarget?: () => Promise<Target>;
}

const identity = { program: `${program.name}-standalone`, version: program.version };

/** Backs up into a sub-folder of `to`, or to nowhere when that is `/dev/null`. */
export async function backUpToFolder(
  run: StandaloneRun & {
    to: string;
    level: "F" | "I" | "D";
    jobName: string;
    previousJobName: string | undefined;
  },
): Promise<Totals> {
  const folder = run.to === "/dev/null" ? null : await JobFolderWriter.create(run.to, run.jobName);
  const receiver: ObjectReceiver = folder ?? discardingReceiver;
  try {
    const previous = run.previousJobName ??
      (folder === null ? "" : previousJob(await placeFolders(await JobFolder.find(run.to)), run.level));
    const job = describeJob("B", run.level, run.jobName, previous, run.workingDirectory);
    const progress = watchProgress(receiver, run.listener);
    return await converse(run, (stream, options) => runBackupSession(stream, { ...options, job }, progress));
  } catch (cause) {
    await folder?.discard();
    throw cause;
  }
}

/** Restores from a job's folder. `only`: virtual names to take, all when empty. */
export async function restoreFromFolder(
  run: StandaloneRun & { from: string; where: string; jobName: string | undefined; only: readonly string[] },
): Promise<Totals> {
  const folders = chooseChain(await placeFolders(await JobFolder.find(run.from)), run.jobName, run.from);
  // The oplog belongs to whatever it is that is wanted.
  const wanted = (name: string) =>
    run.only.length === 0 || isManifestPath(name) || isOplogPath(name) || matches(name, run.only);
  const jobs: FolderFiles[] = [];
  const objects: Awaited<ReturnType<JobFolder["restoreObjects"]>> = [];
  for (const [at, folder] of folders.entries()) {
    jobs.push({ folder, names: (await folder.list()).filter(wanted).sort(bySendingOrder) });
    for (const { header, bytes } of await folder.restoreObjects()) {
      if (header.objectType === 25) objects.push({ header: { ...header, jobId: at + 1 }, bytes });
    }
  }
  const job = describeJob("R", " ", `restore.${stamp()}`, "", run.workingDirectory);
  const prefix = run.where === "/" ? "" : run.where.replace(/\/+$/, "");
  const input: RestoreInput = {
    where: run.where,
    restoreObjects: each(objects),
    listed: jobs.flatMap(({ names }) => names.map((name) => `${prefix}${name}`)),
    files: sendFiles(jobs, prefix, run.listener),
  };
  return await converse(run, (stream, options) => runRestoreSession(stream, { ...options, job }, input));
}

type Conversation = (
  stream: ReturnType<typeof connectInProcess>[0],
  options: {
    identity: typeof identity;
    pluginCommand: string;
    listener: TerminalListener;
    signal: AbortSignal;
    verifyPayload: false;
  },
) => Promise<Totals>;

/** Runs both ends and waits for both; the job is good only if both say so. */
async function converse(run: StandaloneRun, side: Conversation): Promise<Totals> {
  const [ours, theirs] = connectInProcess();
  const backend = serveJob(theirs, {
    trustedCommand: true,
    verifyPayload: false,
    ...(run.keyFile === undefined ? {} : { keyFile: run.keyFile }),
    ...(run.openTarget === undefined ? {} : { openTarget: run.openTarget }),
  });
  const { pluginCommand, listener, signal } = run;
  let totals: Totals;
  try {
    totals = await side(ours, { identity, pluginCommand, listener, signal, verifyPayload: false });
  } catch (cause) {
    ours.close();
    await backend;
    throw cause;
  }
  if (!await backend) throw new PluginError("internal", "The backend failed after both sides had agreed");
  return totals;
}

/** A job's folder and the virtual names in it that are to be sent, in their order. */
interface FolderFiles {
  readonly folder: JobFolder;
  readonly names: readonly string[];
}

/** A virtual name, or a folder of them. */
function matches(name: string, only: readonly string[]): boolean {
  return only.some((one) =>
    name === one || name.startsWith(`${one}/`) ||
    (name.startsWith(`${one}.`) && /^\d+$/.test(name.slice(one.length + 1)))
  );
}

/** Segments by number, manifests last: the order in which a backup sends them. */
function bySendingOrder(a: string, b: string): number {
  const key = (name: string) =>
    name.replace(/\.bson(?:\.(\d+))?$/, (_, index) => `.bson.${String(index ?? 0).padStart(9, "0")}`);
  return Number(isManifestPath(a)) - Number(isManifestPath(b)) || (key(a) < key(b) ? -1 : 1);
}

async function* sendFiles(
  jobs: readonly FolderFiles[],
  prefix: string,
  listener: TerminalListener,
): AsyncGenerator<{ header: FileHeader; body: AsyncIterable<Uint8Array> }> {
  let files = 0;
  let bytes = 0;
  for (const { folder, names } of jobs) {
    for (const name of names) {
      const header = await folder.header(name);
      listener.progress(files++, bytes, "Restoring");
      bytes += header.size;
      yield { header: { ...header, name: `${prefix}${name}` }, body: folder.open(name) };
    }
  }
}

function watchProgress(receiver: ObjectReceiver, listener: TerminalListener): ObjectReceiver {
  let files = 0;
  let bytes = 0;
  return {
    file: (header) => {
      listener.progress(files++, bytes, "Backing up");
      bytes += header.size;
      return receiver.file(header);
    },
    restoreObject: (header) => receiver.restoreObject(header),
    commit: () => receiver.commit(),
  };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function describeJob(
  kind: SessionKind,
  level: JobInfo["level"],
  jobName: string,
  previousJobName: string,
  workingDirectory: string,
): JobInfo {
  return {
    kind,
    level,
    accurate: false,
    jobId: 1,
    sinceTime: 0,
    jobName,
    previousJobName,
    clientName: "standalone",
    workingDirectory,
    baculaVersion: "none",
  };
}

/** `2026-11-23_04.33.00`, as Bacula writes it into the names of its jobs. */
export function stamp(): string {
  return new Date().toISOString().slice(0, 19).replace("T", "_").replaceAll(":", ".");
}
