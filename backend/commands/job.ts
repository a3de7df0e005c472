/**
 * One job, from Hello to its record: what the File Daemon's plugin starts, and what the stand-alone commands run in the same process.
 *
 * @module
 */

import { asPluginError, PluginError } from "../errors.ts";
import { DumpDirectory } from "../folder/dump_directory.ts";
import { runBackup } from "../job/backup.ts";
import { runEstimate } from "../job/estimate.ts";
import { escapeName } from "../job/object_path.ts";
import { type RestoredResource, runRestore } from "../job/restore.ts";
import { restoreForm, restoreFormName } from "../options/restore_form.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { SealedManifest } from "../manifest/seal.ts";
import { openSource } from "../mongo/source.ts";
import { openTarget } from "../mongo/target.ts";
import { parsePluginCommand } from "../options/command.ts";
import { passwordWarning, resolveUri } from "../options/credentials.ts";
import type { Options } from "../options/table.ts";
import type { Deployment, JobLog, Target } from "../ports.ts";
import { BackendSession } from "../protocol/backend_session.ts";
import type { ByteStream } from "../protocol/channel.ts";
import { JobStore } from "../state/store.ts";
import { program } from "../version.ts";
import { findTrust, heartbeatInterval, readSecretFile, requireSigningKey, systemClock } from "./machine.ts";
import { JobReport } from "./job_report.ts";

/** How a job is run. */
export interface JobRun {
  /** The plugin command was typed by the operator just now, not stored by Bacula. */
  readonly trustedCommand: boolean;
  /** File of trusted public keys, before those of the environment. */
  readonly keyFile?: string;
  /** False where both ends of the stream are in this process. */
  readonly verifyPayload: boolean;
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
  if (session.job.kind !== "E") await keepRecord(session, report, failure);
  session.close();
  return failure === null;
}

async function perform(session: BackendSession, run: JobRun, log: JobLog, report: JobReport): Promise<void> {
  switch (session.job.kind) {
    case "B":
      return await backUp(session, log, report);
    case "R":
      return await restore(session, run, log, report);
    case "E":
      return await estimate(session, log, report);
  }
}

async function backUp(session: BackendSession, log: JobLog, report: JobReport): Promise<void> {
  const options = parsePluginCommand(await session.receiveCommand());
  report.resource = options.resource;
  warnOfPassword(options, log);
  if (session.job.level !== "F") {
    const level = session.job.level === "I" ? "Incremental" : "Differential";
    throw new PluginError(
      "optionUnavailable",
      `Cannot run a ${level}: this version makes Full backups only`,
      {
        hint: "Run the job with level=Full, and schedule Fulls.",
      },
    );
  }
  const signingKey = await requireSigningKey(options.sign);
  const uri = await resolveUri(options, readSecretFile);
  await using source = await openSource(uri);
  const resource = nameResource(options, source.deployment);
  report.resource = resource;
  report.deployment = source.deployment;
  const { job, signal } = session;
  await session.sendRestoreObject({
    objectType: 27,
    index: 1,
    name: restoreFormName,
    bytes: new TextEncoder().encode(restoreForm()),
  });
  const result: { manifest: Manifest; sealed: SealedManifest } = await runBackup({
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
  });
  report.backup(result.manifest, result.sealed);
}

async function restore(session: BackendSession, run: JobRun, log: JobLog, report: JobReport): Promise<void> {
  const results: RestoredResource[] = await runRestore({
    events: session.restoreEvents(),
    log,
    signal: session.signal,
    trust: await findTrust(run.keyFile),
    trustedCommand: run.trustedCommand,
    noteResource: (resource) => report.resource = resource,
    openTarget: (options, where) => openRestoreTarget(options, where, log),
  });
  report.restores(results);
}

async function estimate(session: BackendSession, log: JobLog, report: JobReport): Promise<void> {
  const options = parsePluginCommand(await session.receiveCommand());
  await using source = await openSource(await resolveUri(options, readSecretFile));
  await runEstimate({
    source,
    resource: nameResource(options, source.deployment),
    databases: options.database,
    log,
    announce: (file) => session.announceFile(file),
    timeSeconds: Math.floor(report.startedAt.getTime() / 1000),
  });
}

async function openRestoreTarget(options: Options, where: string | null, log: JobLog): Promise<Target> {
  warnOfPassword(options, log);
  return where === null
    ? await openTarget(await resolveUri(options, readSecretFile))
    : await DumpDirectory.open(where, escapeName);
}

function warnOfPassword(options: Options, log: JobLog): void {
  const warning = passwordWarning(options);
  if (warning !== null) log.warning(warning);
}

/** The name under which a source's backups go: the operator's, the set's, or the server's address. */
function nameResource(options: Options, deployment: Deployment): string {
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
