/**
 * One job, from Hello to its record: what the File Daemon's plugin starts, and what the stand-alone commands run in the same process.
 *
 * @module
 */

import { asPluginError, PluginError } from "../errors.ts";
import { DumpDirectory } from "../folder/dump_directory.ts";
import { FileSpool } from "../folder/spool.ts";
import { runBackup } from "../job/backup.ts";
import { ScopedSource, scopeOf } from "../job/backup_scope.ts";
import type { ProgressListener } from "../job/dump_progress.ts";
import { type EstimateContext, runEstimate, runIncrementalEstimate } from "../job/estimate.ts";
import { type Parent, runIncremental } from "../job/incremental.ts";
import { type BackupContext, type BackupResult, toSeconds } from "../job/job_manifest.ts";
import { answerQuery, runListing } from "../job/listing.ts";
import { type RestoredResource, runRestore } from "../job/restore.ts";
import { formatSeconds } from "../job/wording.ts";
import { ToolConfig } from "../mongo/tool_config.ts";
import { readThroughMongodump } from "../mongo/mongodump_source.ts";
import { openSource } from "../mongo/source.ts";
import { openTarget } from "../mongo/target.ts";
import { parsePluginCommand } from "../options/command.ts";
import { passwordWarning, resolveUri, transportWarnings } from "../options/credentials.ts";
import type { Options } from "../options/table.ts";
import type { Deployment, JobLog, Source, Target } from "../ports.ts";
import { BackendSession } from "../protocol/backend_session.ts";
import type { ByteStream } from "../protocol/channel.ts";
import type { JobInfo } from "../protocol/message.ts";
import type { Secret } from "../secret.ts";
import { takeParameters } from "../state/restore_parameter_file.ts";
import { JobStore } from "../state/store.ts";
import { findParent, jobInterval, type Tip, type TipsFile } from "../state/tip.ts";
import { readTips, TipStore } from "../state/tip_store.ts";
import { program } from "../version.ts";
import {
  findTrust,
  heartbeatInterval,
  keepToOwnFolders,
  localDay,
  machineSecrets,
  requireSigningKey,
  systemClock,
  toolsFolder,
} from "./machine.ts";
import { JobReport } from "./job_report.ts";
import { describeRehearsals, Rehearsals, requireProven } from "./rehearsals.ts";

/** How a job is run. */
export interface JobRun {
  /** The plugin command was typed by the operator just now, not stored by Bacula. */
  readonly trustedCommand: boolean;
  /** File of trusted public keys, before those of the environment. */
  readonly keyFile?: string;
  /** A restore is a rehearsal of theirs, whatever the options say. */
  readonly rehearsals?: Rehearsals;
  /** False where both ends of the stream are in this process. */
  readonly verifyPayload: boolean;
  /** Somebody who looks on while a Full reads. */
  readonly onProgress?: ProgressListener;
}

/** Serves one session. Resolves with whether the job is good; never rejects. */
export async function serveJob(stream: ByteStream, run: JobRun): Promise<boolean> {
  let session: BackendSession;
  try {
    const identity = { program: program.name, version: program.version };
    const options = { verifyPayload: run.verifyPayload, heartbeatMs: heartbeatInterval() };
    session = await BackendSession.accept(stream, identity, options);
  } catch (cause) {
    await writeLastWords(asPluginError(cause));
    stream.close();
    return false;
  }
  const report = new JobReport(session.job, systemClock);
  const log = report.watch(session.log);
  let failure: PluginError | null = null;
  try {
    await perform(session, run, log, report);
    const status = await session.complete();
    if (status !== "T") throw finishedElsewhere(status);
  } catch (cause) {
    failure = asPluginError(session.signal.aborted ? session.signal.reason : cause);
    await session.abort(failure);
  }
  if (isRecorded(session.job) && !report.isDryRun) await keepRecord(session, report, failure);
  session.close();
  return failure === null;
}

async function perform(session: BackendSession, run: JobRun, log: JobLog, report: JobReport): Promise<void> {
  switch (session.job.kind) {
    case "B":
      return await backUp(session, run, log, report);
    case "R":
      return await restore(session, run, log, report);
    case "E":
      return await estimate(session, log, report);
    case "L":
    case "Q":
      return await answer(session, report);
  }
}

async function backUp(session: BackendSession, run: JobRun, log: JobLog, report: JobReport): Promise<void> {
  const options = parsePluginCommand(await session.receiveCommand());
  if (options.mode === "rehearse") throw rehearsedBackup();
  report.resource = options.resource;
  const signingKey = await requireSigningKey(options.sign);
  const uri = await findUri(options, log);
  await using source = await openEngine(options, uri, session.job, log);
  const resource = nameResource(options, source.deployment);
  report.resource = resource;
  report.deployment = source.deployment;
  const { job, signal } = session;
  using tips = await TipStore.lock(job.workingDirectory, resource, job.jobName);
  const known = await tips.read();
  const context: BackupContext = {
    job,
    options,
    resource,
    source,
    sink: session,
    signingKey,
    log,
    clock: systemClock,
    signal,
    program,
    intervalSeconds: jobInterval(known, report.startedAt),
    ...(run.onProgress === undefined ? {} : { onProgress: run.onProgress }),
  };
  const result = job.level === "I" || job.level === "D"
    ? await runIncremental(context, job.level, parentOf(known, context))
    : await runBackup(context);
  report.backup(result);
  const tip = tipOf(result);
  // Before Bacula has its say: a job that it fails is never named as anybody's parent.
  if (tip !== null) await tips.add(tip);
}

/** The source, whose documents are read in the way that the operator chose. */
async function openEngine(
  options: Options,
  uri: Secret,
  { level, workingDirectory }: JobInfo,
  log: JobLog,
): Promise<Source> {
  // Whatever engine was at work when a job died.
  await ToolConfig.removeLeft(workingDirectory);
  const source = await openSource(uri, options);
  // An increment has no documents but those of the oplog.
  if (options.engine === "native" || level === "I" || level === "D") return source;
  try {
    return await readThroughMongodump(source, uri, { tools: toolsFolder(), workingDirectory, log });
  } catch (cause) {
    await source[Symbol.asyncDispose]();
    throw cause;
  }
}

function parentOf(known: TipsFile | null, { job, options, resource, source }: BackupContext): Parent {
  const { setName, setId } = source.deployment;
  return findParent(known, {
    previousJobName: job.previousJobName,
    resource,
    setName: setName ?? "",
    setId,
    scope: scopeOf(options),
  });
}

/** Where a job ended, null where there is no oplog. */
function tipOf({ manifest, sealed }: BackupResult): Tip | null {
  const { job, parent, oplog, deployment, scope, createdAt } = manifest;
  if (oplog === null || deployment.setName === null) return null;
  return {
    jobName: job.name,
    jobId: job.id,
    level: job.level,
    parentName: parent?.jobName ?? null,
    endedAt: createdAt,
    setName: deployment.setName,
    setId: deployment.setId,
    member: oplog.source,
    scope,
    position: oplog.to,
    manifestDigest: sealed.digest,
  };
}

async function restore(session: BackendSession, run: JobRun, log: JobLog, report: JobReport): Promise<void> {
  const { workingDirectory } = session.job;
  await using own = new Rehearsals(workingDirectory, session.signal);
  const rehearsals = run.rehearsals ?? own;
  report.rehearsals = rehearsals.all;
  const results: RestoredResource[] = await runRestore({
    events: session.restoreEvents(),
    log,
    signal: session.signal,
    trust: await findTrust(run.keyFile),
    trustedCommand: run.trustedCommand,
    noteResource: (resource) => report.resource = resource,
    noteDryRun: () => report.isDryRun = true,
    // Those that were prepared for a real restore are not for the command rehearse.
    takeParameters: async (resource) =>
      run.rehearsals === undefined
        ? await takeParameters(workingDirectory, resource, systemClock.now())
        : null,
    openTarget: async (options, where, plan) => {
      if (where === null) await keepToOwnFolders();
      return run.rehearsals !== undefined || options.mode === "rehearse"
        ? await rehearsals.open(plan)
        : await openRestoreTarget(options, where, workingDirectory, log);
    },
    openSpool: () => new FileSpool(workingDirectory),
    dayOf: localDay,
  });
  report.restores(results);
  if (rehearsals.all.length === 0) return;
  await rehearsals.prove();
  const took = formatSeconds(report.startedAt, systemClock.now());
  for (const line of describeRehearsals(rehearsals.all, took)) log.info(line);
  requireProven(rehearsals.all);
}

async function estimate(session: BackendSession, log: JobLog, report: JobReport): Promise<void> {
  const options = parsePluginCommand(await session.receiveCommand());
  await using source = await openScoped(options);
  const resource = nameResource(options, source.deployment);
  const context: EstimateContext = {
    source,
    resource,
    segmentSize: options.segment_size,
    log,
    announce: (file) => session.announceFile(file),
    timeSeconds: toSeconds(report.startedAt),
  };
  const { level, workingDirectory } = session.job;
  // Nobody says which job an estimate would continue: of each level, the newest is the likeliest.
  const parent = level === "I" || level === "D"
    ? (await readTips(workingDirectory, resource))?.tips.find((tip) => level === "I" || tip.level === "F")
    : undefined;
  if (parent === undefined) await runEstimate(context);
  else await runIncrementalEstimate(context, parent.position);
}

/** What a console wants to know, of no job. */
async function answer(session: BackendSession, report: JobReport): Promise<void> {
  const { command, question } = await session.receiveQuestion();
  const options = parsePluginCommand(command);
  await using source = await openScoped(options);
  if (session.job.kind === "Q") {
    for await (const value of answerQuery(source, question)) await session.sendValue(value);
    return;
  }
  await runListing({
    source,
    resource: nameResource(options, source.deployment),
    announceFile: (file) => session.announceFile(file),
    announceDirectory: (file) => session.announceDirectory(file),
    timeSeconds: toSeconds(report.startedAt),
  }, question);
}

/** What of a server the options choose. */
async function openScoped(options: Options): Promise<Source> {
  return new ScopedSource(
    await openSource(await resolveUri(options, machineSecrets()), options),
    scopeOf(options),
  );
}

async function openRestoreTarget(
  options: Options,
  where: string | null,
  workingDirectory: string,
  log: JobLog,
): Promise<Target> {
  if (where !== null) return await DumpDirectory.open(where);
  // Whatever engine was at work when a job died.
  await ToolConfig.removeLeft(workingDirectory);
  const tool = options.engine === "native" ? null : { tools: toolsFolder(), workingDirectory, log };
  return await openTarget(await findUri(options, log), options.write_concern, tool);
}

/** The failure for a backup that was told to be a rehearsal. */
export function rehearsedBackup(): PluginError {
  return new PluginError("optionUnavailable", "Cannot back up with mode=rehearse: a rehearsal is a restore", {
    hint: "Leave mode= out of the FileSet, and say mode=rehearse at the restore's prompt.",
  });
}

/** The connection string, with a warning of each thing in it that puts a secret or the data at risk. */
async function findUri(options: Options, log: JobLog): Promise<Secret> {
  const warning = passwordWarning(options);
  if (warning !== null) log.warning(warning);
  const uri = await resolveUri(options, machineSecrets());
  for (const lax of transportWarnings(uri)) log.warning(lax);
  return uri;
}

/** The name under which a source's backups go: the operator's, the set's, or the server's address. */
export function nameResource(options: Options, deployment: Deployment): string {
  return options.resource ??
    (deployment.setName ?? deployment.source).replace(/[^A-Za-z0-9_.-]/g, "-").replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 64);
}

function finishedElsewhere(status: "f" | "A"): PluginError {
  return status === "A"
    ? new PluginError("canceled", "The job was cancelled after the backend was done")
    : new PluginError("peerFailed", "The job failed in Bacula after the backend was done", {
      hint: "See the job's log for the reason.",
    });
}

/** Whether something is to be remembered of a session: what only asks leaves no trace. */
function isRecorded({ kind }: JobInfo): boolean {
  return kind === "B" || kind === "R";
}

/** Leaves the job's record. A record that can't be kept is a warning while anybody listens, and never what makes a good job bad. */
async function keepRecord(
  session: BackendSession,
  report: JobReport,
  failure: PluginError | null,
): Promise<void> {
  const store = new JobStore(session.job.workingDirectory);
  for (const { resource, record } of report.records(failure)) {
    try {
      await store.record(resource, record);
    } catch (cause) {
      await writeLastWords(asPluginError(cause));
    }
  }
}

/** Standard error, of which the plugin shows the end when the backend dies without an Abort. */
async function writeLastWords(error: PluginError): Promise<void> {
  const bytes = new TextEncoder().encode(`${error.report}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += await Deno.stderr.write(bytes.subarray(at));
  } catch {
    // Nobody reads it.
  }
}
