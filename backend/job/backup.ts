/**
 * A Full backup: databases are read side by side while the oplog is followed, their segments leave in one stream, the sealed manifest leaves last.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Scope } from "../manifest/scope.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { ObjectSink } from "../objects.ts";
import { restoreForm, restoreFormName } from "../options/restore_form.ts";
import type { Options } from "../options/table.ts";
import type { Oplog, Source } from "../ports.ts";
import { describeTimestamp, type OplogPosition } from "../timestamp.ts";
import { acceptsOf, logScope, noUsers, reportScope, ScopedSource, scopeOf } from "./backup_scope.ts";
import { settleCount } from "./collection_dump.ts";
import type { DumpContext } from "./dump_context.ts";
import { dumpDatabases } from "./database_dump.ts";
import { DumpProgress } from "./dump_progress.ts";
import {
  type BackupContext,
  type BackupFindings,
  type BackupResult,
  sendManifest,
  toSeconds,
} from "./job_manifest.ts";
import { Lane } from "./lane.ts";
import { OplogCapture, oplogSupply } from "./oplog_capture.ts";
import { awaitCommitted, findStart, reportWindow, rolledBack } from "./oplog_source.ts";
import { ReadThrottle } from "./read_throttle.ts";
import { readAgain, type ReadDifference, settleReadings } from "./second_reading.ts";
import { SegmentSupply } from "./segment_supply.ts";
import { reportSource } from "./source_report.ts";
import { SteadySource } from "./steady_source.ts";
import { formatBytes, formatNumberOf, formatSeconds } from "./wording.ts";

/** Segments beside the readers' own, so that a reader goes on while its last segment is on its way out. More made nothing faster. */
const spareSegments = 1;

/** Runs a Full and resolves when its manifest has been sent. */
export async function runBackup(context: BackupContext): Promise<BackupResult> {
  const { options, log, clock } = context;
  const scope = scopeOf(options);
  const failure = new AbortController();
  const signal = AbortSignal.any([context.signal, failure.signal]);
  const source = new SteadySource(new ScopedSource(context.source, scope), {
    seconds: options.max_source_absence,
    log,
    signal,
  });
  const { oplog } = source;
  const startedAt = clock.now();
  const startedAtMs = clock.monotonicMs();
  // Before anything else is looked at: whatever changes from here on is in the slice.
  const start = oplog === null ? null : {
    from: await findStart(oplog, context.signal),
    rollbacks: await oplog.rollbacks(),
  };
  const users = scope.users ? await source.listUserCollections() : noUsers;
  const names = await source.listDatabases();
  logOpening(context, names);
  logScope(scope, users, log);

  const readers = countReaders(options);
  const throttle = new ReadThrottle(
    { bytesPerSecond: options.max_rate, lagSeconds: options.max_lag },
    () => source.lagSeconds(),
    source.deployment.source,
    log,
  );
  const progress = new DumpProgress(() => sizeOf(source, names), log, clock, context.onProgress);
  using supply = makeSupply(readers, options.segment_size);
  const shared: DumpContext = {
    source,
    sink: context.sink,
    lane: new Lane(),
    supply,
    resource: context.resource,
    doubts: oplog === null ? null : [],
    verify: options.verify,
    counted: { collections: 0 },
    sums: options.verify_digests ? [] : null,
    chunkThreshold: options.chunk_threshold,
    chunks: options.chunks,
    throttle,
    progress,
    log,
    clock,
    signal,
    timeSeconds: toSeconds(startedAt),
  };
  const limits = {
    databases: options.parallel_dbs,
    collections: options.parallel_collections,
    chunks: options.parallel_chunks,
  };
  using _reports = progress.start();
  const dump = async (): Promise<Dumped> => {
    const databases = await dumpDatabases(shared, names, readers, limits, failure);
    await source.proveListings();
    // Within the time that the slice covers: it tells which collections may differ.
    return { databases, differences: await readAgain(shared, shared.sums ?? []) };
  };
  const content = oplog === null || start === null
    ? dumpedAlone(await dump(), shared)
    : await dumpWithOplog(context, shared, scope, oplog, start, dump, failure);
  throttle.report();
  await sendRestoreForm(context.sink);
  const { databases, oplog: slice, oplogWindow, readTwice } = content;
  const result = await sendManifest(
    context,
    { level: "F", parent: null, authSchema: users.authSchema, databases, oplog: slice },
    startedAt,
  );
  logClosing(context, result.manifest, clock.monotonicMs() - startedAtMs);
  const isVerified = options.verify || options.verify_digests;
  const verification = isVerified ? { counted: shared.counted.collections, readTwice } : null;
  return { ...result, oplogWindow, verification };
}

/**
 * The form of restore options, which Bacula shows when a restore is started. Late, for after an object that is no file `status client` shows the plugin
 * command, with whatever secret is in it, until the next file comes; and the manifest's come now anyway.
 */
async function sendRestoreForm(sink: ObjectSink): Promise<void> {
  const bytes = new TextEncoder().encode(restoreForm());
  await sink.sendRestoreObject({ objectType: 27, index: 1, name: restoreFormName, bytes });
}

/** What a Full has read, in the end. */
interface DumpedContent extends Pick<Manifest, "databases" | "oplog">, Pick<BackupFindings, "oplogWindow"> {
  /** Collections that were the same twice. */
  readonly readTwice: number;
}

/** What was read, and what of it was not the same twice. */
interface Dumped {
  readonly databases: Manifest["databases"];
  readonly differences: readonly ReadDifference[];
}

/** Without an oplog nobody knows what was written meanwhile: what differs is in doubt. */
function dumpedAlone(
  { databases, differences }: Dumped,
  { sums, log }: DumpContext,
): DumpedContent {
  const readTwice = sums === null ? 0 : settleReadings(sums, differences, () => false, log);
  return { databases, oplog: null, oplogWindow: null, readTwice };
}

/** Follows the oplog while the databases are dumped, and on to a committed end behind the last thing that was read. */
async function dumpWithOplog(
  context: BackupContext,
  shared: DumpContext,
  scope: Scope,
  oplog: Oplog,
  start: { readonly from: OplogPosition; readonly rollbacks: number | null },
  dump: () => Promise<Dumped>,
  failure: AbortController,
): Promise<DumpedContent> {
  const { job, options, log, intervalSeconds } = context;
  const accepts = acceptsOf(scope);
  using supply = oplogSupply(options.segment_size);
  using capture = new OplogCapture(
    {
      ...shared,
      supply,
      oplog,
      jobName: job.jobName,
      accepts,
      outlast: (cause, tries) => shared.source.outlast(cause, tries),
    },
    start.from,
    "of a Full",
  );
  const done = new AbortController();
  const following = capture.follow(done.signal).catch((cause) => {
    if (!failure.signal.aborted) failure.abort(cause);
  });
  let dumped: Dumped;
  try {
    dumped = await dump();
  } finally {
    done.abort();
    await following;
  }
  shared.signal.throwIfAborted();
  await capture.readTo(await awaitCommitted(oplog, shared.signal));
  // A restart counts as a rollback, too.
  if (!shared.source.readsCommitted && await oplog.rollbacks() !== start.rollbacks) throw rolledBack(oplog);
  const slice = await capture.finish();
  const changed = new Set(slice.namespaces.map(formatNamespace));
  for (const doubt of shared.doubts ?? []) {
    if (!changed.has(formatNamespace(doubt.data))) await settleCount(shared, doubt);
  }
  const isChanged = (data: Namespace) => changed.has(formatNamespace(data));
  const readTwice = shared.sums === null
    ? 0
    : settleReadings(shared.sums, dumped.differences, isChanged, log);
  reportScope(slice, capture.leftOut, scope, log);
  const oplogWindow = await reportWindow(oplog, shared.source, intervalSeconds, log);
  return { databases: dumped.databases, oplog: slice, oplogWindow, readTwice };
}

/** Readers over everything: each has a segment and two batches in memory. */
function countReaders(options: Options): number {
  const { parallel_dbs, parallel_collections, parallel_chunks, parallel_readers } = options;
  const wanted = parallel_readers || Math.max(parallel_dbs, parallel_collections, parallel_chunks);
  return Math.min(wanted, parallel_dbs * parallel_collections * parallel_chunks);
}

/** @throws PluginError `optionInvalid` where the options ask for more than the module's memory can have */
function makeSupply(readers: number, segmentSize: number): SegmentSupply {
  try {
    return new SegmentSupply(readers + spareSegments, segmentSize);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PluginError(
      "optionInvalid",
      `Cannot have ${readers} readers with segments of ${
        formatBytes(segmentSize)
      }: all segments together may have 2 GiB`,
      { hint: "Lower segment_size or parallel_readers in the FileSet's Plugin line.", cause },
    );
  }
}

async function sizeOf(source: Source, names: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const name of names) bytes += await source.databaseSize(name);
  return bytes;
}

function logOpening(context: BackupContext, names: readonly string[]): void {
  const { deployment } = context.source;
  const { log, options } = context;
  const set = deployment.setName === null ? "standalone server" : `replica set ${deployment.setName}`;
  log.info(
    `Full backup of ${set} from ${deployment.source} (${deployment.sourceState}), MongoDB ${deployment.serverVersion}, ` +
      `feature compatibility ${deployment.featureCompatibilityVersion}, resource "${context.resource}"`,
  );
  reportSource(context.source, log);
  log.info(
    `Databases: ${names.join(", ") || "none"}; ${options.parallel_dbs} at a time, ${
      formatNumberOf(countReaders(options), "reader")
    }`,
  );
  if (context.signingKey === null) {
    log.warning(
      "sign=no: nobody will be able to tell whether this backup was changed; restoring it has to be allowed explicitly",
    );
  }
}

function logClosing({ log }: BackupContext, { totals, oplog }: Manifest, tookMs: number): void {
  log.info(
    `Backed up ${formatNumberOf(totals.databases, "database")}, ${
      formatNumberOf(totals.collections, "collection")
    }, ` +
      `${formatNumberOf(totals.documents, "document")}, ${formatBytes(totals.bytes)} in ` +
      `${formatSeconds(tookMs)} (${formatBytes(Math.round(totals.bytes * 1000 / Math.max(tookMs, 1)))}/s)`,
  );
  if (oplog !== null) {
    log.info(
      `Consistent at ${describeTimestamp(oplog.to)}: with the oplog's ${
        formatNumberOf(oplog.entries, "entry", "entries")
      } of the dump's time`,
    );
  }
}
