/**
 * A Full backup: databases are read side by side, their segments leave in one stream, the sealed manifest leaves last.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Manifest, ManifestCollection } from "../manifest/schema.ts";
import { seal, type SealedManifest, splitParts } from "../manifest/seal.ts";
import type { SigningKey } from "../manifest/signature.ts";
import { formatNamespace } from "../namespace.ts";
import type { Options } from "../options/table.ts";
import type { Clock, JobLog, ObjectSink, Source } from "../ports.ts";
import type { JobInfo } from "../protocol/message.ts";
import { compareTimestamps, formatTimestamp, type OplogPosition } from "../timestamp.ts";
import { chunksOf, dumpCollection, type DumpContext, sendObject } from "./collection_dump.ts";
import { Lane } from "./lane.ts";
import { manifestPath } from "./object_path.ts";
import { SegmentSupply } from "./segment_supply.ts";
import { formatBytes, formatCount, formatNumberOf, formatSeconds } from "./wording.ts";

/** What a backup needs; all of it is open and checked. */
export interface BackupContext {
  readonly job: JobInfo;
  readonly options: Options;
  readonly resource: string;
  readonly source: Source;
  readonly sink: ObjectSink;
  /** Null for a backup that is explicitly unsigned. */
  readonly signingKey: SigningKey | null;
  readonly log: JobLog;
  readonly clock: Clock;
  /** Aborted when the job is cancelled or its peer is gone. */
  readonly signal: AbortSignal;
  readonly program: { readonly name: string; readonly version: string };
}

/** Segments beside the readers' own, so that a reader goes on while its last segment is on its way out. */
const spareSegments = 2;

/** Runs a Full and resolves when its manifest has been sent. */
export async function runBackup(
  context: BackupContext,
): Promise<{ manifest: Manifest; sealed: SealedManifest }> {
  const { source, options, log, clock, resource } = context;
  const startedAt = clock.now();
  const oplogStart = await source.oplogTip();
  const names = selectDatabases(await source.listDatabases(), options.database);
  logOpening(context, names);

  const databases = await dumpDatabases(context, names, startedAt);
  const oplogEnd = await source.oplogTip();
  const manifest = describe(context, databases, oplogSpan(oplogStart, oplogEnd));
  const sealed = await seal(manifest, context.signingKey);
  for (const part of splitParts(sealed, context.job.jobName, resource)) {
    await context.sink.sendRestoreObject({ objectType: 25, ...part });
  }
  const path = manifestPath(resource, context.job.jobName);
  const timeSeconds = toSeconds(startedAt);
  await sendObject({ ...context, timeSeconds }, path, sealed.bytes.length, chunksOf(sealed.bytes));

  const { totals } = manifest;
  const endedAt = clock.now();
  const seconds = (endedAt.getTime() - startedAt.getTime()) / 1000;
  log.info(
    `Backed up ${formatNumberOf(totals.databases, "database")}, ${
      formatNumberOf(totals.collections, "collection")
    }, ` +
      `${formatNumberOf(totals.documents, "document")}, ${formatBytes(totals.bytes)} in ` +
      `${formatSeconds(startedAt, endedAt)} (${
        formatBytes(Math.round(totals.bytes / Math.max(seconds, 0.001)))
      }/s)`,
  );
  log.info(
    `Manifest ${sealed.id}: ${formatNumberOf(totals.objects, "object")}, ` +
      (sealed.keyId === null ? "NOT SIGNED" : `signed by key ${sealed.keyId}`),
  );
  return { manifest, sealed };
}

/** The databases of the server that the operator chose. */
function selectDatabases(present: readonly string[], wanted: readonly string[]): string[] {
  if (wanted.includes("*")) return [...present];
  const missing = wanted.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw new PluginError(
      "optionInvalid",
      `Cannot back up ${
        missing.map((name) => `"${name}"`).join(", ")
      }: the server has no such database, only ` +
        (present.map((name) => `"${name}"`).join(", ") || "none"),
      { hint: "Correct database= in the FileSet's Plugin line." },
    );
  }
  return present.filter((name) => wanted.includes(name));
}

function logOpening(context: BackupContext, names: readonly string[]): void {
  const { deployment, warnings } = context.source;
  const { log, options } = context;
  const set = deployment.setName === null ? "standalone server" : `replica set ${deployment.setName}`;
  log.info(
    `Full backup of ${set} from ${deployment.source} (${deployment.sourceState}), MongoDB ${deployment.serverVersion}, ` +
      `feature compatibility ${deployment.featureCompatibilityVersion}, resource "${context.resource}"`,
  );
  for (const warning of warnings) log.warning(warning);
  log.info(`Databases: ${names.join(", ") || "none"}; ${options.parallel_dbs} at a time`);
  if (options.database.includes("*")) {
    log.info("Not included: users and roles (admin.system.*), and the databases config and local");
  }
  if (context.signingKey === null) {
    log.warning(
      "sign=no: nobody will be able to tell whether this backup was changed; restoring it has to be allowed explicitly",
    );
  }
}

/** Reads the databases, a few at a time. The first failure stops the others and is the one that is thrown. */
async function dumpDatabases(
  context: BackupContext,
  names: readonly string[],
  startedAt: Date,
): Promise<Manifest["databases"]> {
  const { options, source } = context;
  const failure = new AbortController();
  const readers = Math.min(options.parallel_dbs, Math.max(names.length, 1));
  using supply = new SegmentSupply(readers + spareSegments, options.segment_size);
  const shared: DumpContext = {
    source,
    sink: context.sink,
    lane: new Lane(),
    supply,
    resource: context.resource,
    verify: options.verify,
    log: context.log,
    signal: AbortSignal.any([context.signal, failure.signal]),
    timeSeconds: toSeconds(startedAt),
  };

  const databases: Manifest["databases"] = [];
  const queue = [...names];
  const reader = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      shared.signal.throwIfAborted();
      databases.push({ name, collections: await dumpDatabase(context, shared, name) });
    }
  };
  await Promise.allSettled(
    Array.from({ length: readers }, () =>
      reader().catch((cause) => {
        if (!failure.signal.aborted) failure.abort(cause);
      })),
  );
  shared.signal.throwIfAborted();
  return databases.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function dumpDatabase(
  context: BackupContext,
  shared: DumpContext,
  name: string,
): Promise<ManifestCollection[]> {
  const startedAt = context.clock.now();
  const dumped: ManifestCollection[] = [];
  const listed = await shared.source.listCollections(name);
  for (const collection of listed) dumped.push(await dumpCollection(shared, collection));
  await refuseChangedCatalog(shared.source, name, dumped);
  const documents = dumped.reduce((sum, { documents }) => sum + documents, 0);
  const bytes = dumped.reduce((sum, { bytes }) => sum + bytes, 0);
  context.log.info(
    `Database ${name}: ${formatNumberOf(dumped.length, "collection")}, ${
      formatCount(documents)
    } documents, ` +
      `${formatBytes(bytes)} in ${formatSeconds(startedAt, context.clock.now())}`,
  );
  return dumped;
}

/** A collection that was dropped, renamed or made anew while its database was read is a hole that this backup could not close. */
async function refuseChangedCatalog(
  source: Source,
  database: string,
  dumped: readonly ManifestCollection[],
): Promise<void> {
  const now = new Map((await source.listCollections(database)).map((one) => [one.namespace.collection, one]));
  for (const { name, uuid } of dumped) {
    const namespace = formatNamespace({ database, collection: name });
    const found = now.get(name);
    if (found === undefined || found.uuid !== uuid) {
      throw new PluginError(
        "incompleteRead",
        `Cannot vouch for ${namespace}: it was ${
          found === undefined ? "dropped or renamed" : "made anew"
        } while its database was read`,
        { hint: "Run the job again at a time without drops and renames." },
      );
    }
  }
}

function oplogSpan(start: OplogPosition | null, end: OplogPosition | null): Manifest["oplog"] {
  if (start === null || end === null) return null;
  if (compareTimestamps(start, end) > 0) {
    throw new PluginError(
      "incompleteRead",
      `Cannot vouch for the backup: the oplog ended at ${formatTimestamp(start)} when it began and ends at ${
        formatTimestamp(end)
      } now`,
      { hint: "The source member rolled back. Run the job again." },
    );
  }
  return { start, end };
}

function describe(
  context: BackupContext,
  databases: Manifest["databases"],
  oplog: Manifest["oplog"],
): Manifest {
  const { job, options, source, clock, program, resource } = context;
  const collections = databases.flatMap((database) => database.collections);
  const segments = collections.flatMap((collection) => collection.segments);
  return {
    format: "podheitor-mongodb-manifest/1",
    createdAt: clock.now().toISOString(),
    program,
    job: {
      id: job.jobId,
      name: job.jobName,
      level: "F",
      previousName: job.previousJobName === "" ? null : job.previousJobName,
      clientName: job.clientName,
    },
    resource,
    mode: "dump",
    scope: { databases: [...options.database] },
    deployment: { ...source.deployment, members: [...source.deployment.members] },
    oplog,
    databases,
    totals: {
      databases: databases.length,
      collections: collections.length,
      documents: collections.reduce((sum, { documents }) => sum + documents, 0),
      bytes: collections.reduce((sum, { bytes }) => sum + bytes, 0),
      objects: collections.length + segments.length,
    },
  };
}

function toSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
