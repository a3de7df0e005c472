/**
 * An Incremental or Differential backup: one slice of the oplog, from where the parent ended.
 *
 * @module
 */

import type { ManifestOplog } from "../manifest/schema.ts";
import { describeTimestamp, type OplogPosition } from "../timestamp.ts";
import { PluginError } from "../errors.ts";
import type { JobLog } from "../ports.ts";
import { type BackupContext, type BackupResult, sendManifest, toSeconds } from "./job_manifest.ts";
import { acceptsOf, reportScope, scopeOf } from "./backup_scope.ts";
import { Lane } from "./lane.ts";
import { OplogCapture, oplogSupply } from "./oplog_capture.ts";
import { findOplogWith, reportWindow } from "./oplog_source.ts";
import { reportSource } from "./source_report.ts";
import { formatBytes, formatNumberOf, formatSeconds } from "./wording.ts";

/** The job that an incremental continues. */
export interface Parent {
  readonly jobName: string;
  /** BLAKE3 of its manifest, hexadecimal. */
  readonly manifestDigest: string;
  readonly position: OplogPosition;
}

/** Reads the slice and resolves when the manifest has been sent. */
export async function runIncremental(
  context: BackupContext,
  level: "I" | "D",
  parent: Parent,
): Promise<BackupResult> {
  const { source, options, log, clock, job, intervalSeconds } = context;
  if (source.oplog === null) throw noOplog();
  const startedAt = clock.now();
  const startedAtMs = clock.monotonicMs();
  const { deployment } = source;
  log.info(
    `${
      level === "I" ? "Incremental" : "Differential"
    } of replica set ${deployment.setName}, MongoDB ${deployment.serverVersion}, resource ` +
      `"${context.resource}", from the end of ${parent.jobName}: ${describeTimestamp(parent.position)}`,
  );
  reportSource(source, log);
  const { oplog, isPicked } = await findOplogWith(parent.position, source.oplog, source, log);
  try {
    using supply = oplogSupply(options.segment_size);
    const scope = scopeOf(options);
    using capture = new OplogCapture(
      {
        ...context,
        lane: new Lane(),
        supply,
        timeSeconds: toSeconds(startedAt),
        oplog,
        jobName: job.jobName,
        accepts: acceptsOf(scope),
      },
      parent.position,
      "of an increment",
    );
    await capture.readTo(await oplog.committed());
    const slice = await capture.finish();
    const found = await oplog.find(slice.to);
    if (found?.term !== slice.to.term) throw takenBack(oplog.host, slice.to);
    const oplogWindow = await reportWindow(oplog, source, intervalSeconds, log);
    const content = {
      level,
      parent: { jobName: parent.jobName, blake3: parent.manifestDigest },
      oplog: slice,
      databases: [],
      authSchema: null,
    };
    const result = await sendManifest(context, content, startedAt);
    logClosing(log, slice, clock.monotonicMs() - startedAtMs);
    reportScope(slice, capture.leftOut, scope, log);
    return { ...result, oplogWindow, verification: null };
  } finally {
    if (!isPicked) await oplog[Symbol.asyncDispose]();
  }
}

function logClosing(log: JobLog, slice: ManifestOplog, tookMs: number): void {
  log.info(
    `Slice of the oplog of ${slice.source} up to ${describeTimestamp(slice.to)}: ${
      formatNumberOf(slice.entries, "entry", "entries")
    }, ${formatBytes(slice.bytes)}, of ` +
      `${formatNumberOf(slice.namespaces.length, "namespace")} in ${formatSeconds(tookMs)}`,
  );
}

function noOplog(): PluginError {
  return new PluginError("oplogUnavailable", "Cannot run an incremental: a standalone server has no oplog", {
    hint: "Run Fulls only, or make the server a replica set of one member.",
  });
}

function takenBack(host: string, at: OplogPosition): PluginError {
  return new PluginError(
    "oplogGap",
    `Cannot vouch for the slice: ${host} no longer has its last entry, ${describeTimestamp(at)}`,
    {
      hint: "The member rolled back while it was read. Run the job again.",
    },
  );
}
