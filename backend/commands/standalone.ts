/**
 * Backup and restore with a folder in place of Bacula. The very same job runs in this process, at the other end of a pipe in memory.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { discardingReceiver, JobFolder, JobFolderWriter } from "../folder/job_folder.ts";
import { MongodumpFolder } from "../folder/mongodump_folder.ts";
import { connectInProcess } from "../protocol/channel.ts";
import { type RestoreInput, runBackupSession, runRestoreSession } from "../protocol/file_daemon_session.ts";
import type { FileHeader, ObjectReceiver } from "../objects.ts";
import type { JobInfo, SessionKind, Totals } from "../protocol/message.ts";
import { program } from "../version.ts";
import { serveJob } from "./job.ts";
import { placeFolders, previousJob } from "./folder_chain.ts";
import { feedFromMongodump, mongodumpJobName } from "./mongodump_feed.ts";
import type { Rehearsals } from "./rehearsals.ts";
import { feedFromJobs, type RestoreFeed } from "./restore_feed.ts";
import { TerminalListener } from "./terminal.ts";

/** What both commands share. */
interface StandaloneRun {
  readonly pluginCommand: string;
  readonly workingDirectory: string;
  readonly listener: TerminalListener;
  /** Aborted to cancel. */
  readonly signal: AbortSignal;
  readonly keyFile?: string;
  /** A restore goes into a server of theirs, in place of what the plugin command names. */
  readonly rehearsals?: Rehearsals;
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
    // A Full has a bar of its own.
    const watched = run.level === "F" ? receiver : watchProgress(receiver, run.listener);
    return await converse(run, (stream, options) => runBackupSession(stream, { ...options, job }, watched));
  } catch (cause) {
    await folder?.discard();
    throw cause;
  }
}

/** A restore as the operator asked for it. */
interface StandaloneRestore extends StandaloneRun {
  readonly from: string;
  readonly where: string;
  readonly jobName: string | undefined;
  /** Virtual names to take, all when empty. */
  readonly only: readonly string[];
}

/** Restores from jobs' folders, or from one that mongodump wrote. */
export async function restoreFromFolder(run: StandaloneRestore): Promise<Totals> {
  const folders = await JobFolder.find(run.from);
  const feed = folders.length === 0 && await MongodumpFolder.isOne(run.from)
    ? await feedFromMongodump(run, describeJob("B", "F", mongodumpJobName, "", run.workingDirectory))
    : await feedFromJobs(run, folders);
  const name = run.rehearsals === undefined ? "restore" : "rehearsal";
  const job = describeJob("R", " ", `${name}.${stamp()}`, "", run.workingDirectory);
  const prefix = run.where === "/" ? "" : run.where.replace(/\/+$/, "");
  const input: RestoreInput = {
    where: run.where,
    restoreObjects: each(feed.restoreObjects),
    listed: feed.names.map((name) => `${prefix}${name}`),
    files: placeFiles(feed.files, prefix, run.listener),
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
    ...(run.listener.isLive ? { onProgress: (read, total) => run.listener.bar(read, total) } : {}),
    ...(run.keyFile === undefined ? {} : { keyFile: run.keyFile }),
    ...(run.rehearsals === undefined ? {} : { rehearsals: run.rehearsals }),
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

/** The files as Bacula names them: below the restore's folder. */
async function* placeFiles(
  given: RestoreFeed["files"],
  prefix: string,
  listener: TerminalListener,
): AsyncGenerator<{ header: FileHeader; body: AsyncIterable<Uint8Array> }> {
  let files = 0;
  let bytes = 0;
  for await (const { header, body } of given) {
    listener.progress(files++, bytes, "Restoring");
    bytes += header.size;
    yield { header: { ...header, name: `${prefix}${header.name}` }, body };
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

/** `2026-11-23_04.33.00.123`, as Bacula writes it into the names of its jobs, and to the millisecond: nothing counts jobs of one second here. */
export function stamp(): string {
  return new Date().toISOString().slice(0, 23).replace("T", "_").replaceAll(":", ".");
}
