/**
 * A job's manifest: made, sealed, and sent as the last of its objects.
 *
 * @module
 */

import type { Manifest } from "../manifest/schema.ts";
import { seal, type SealedManifest, splitParts } from "../manifest/seal.ts";
import type { SigningKey } from "../manifest/signature.ts";
import type { Options } from "../options/table.ts";
import type { ObjectSink } from "../objects.ts";
import type { Clock, JobLog, Source } from "../ports.ts";
import type { JobRecord } from "../state/job_record.ts";
import type { JobInfo } from "../protocol/message.ts";
import { scopeOf } from "./backup_scope.ts";
import type { ProgressListener } from "./dump_progress.ts";
import { manifestPath } from "./object_path.ts";
import { chunksOf, sendObject } from "./sending.ts";
import { formatNumberOf } from "./wording.ts";

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
  /** Seconds since the resource's last job, null where none is known: how long an oplog has to last. */
  readonly intervalSeconds: number | null;
  /** Somebody who looks on while a Full reads. */
  readonly onProgress?: ProgressListener;
}

/** What a manifest is made of, beside what the job read. */
type SealContext = Omit<BackupContext, "source" | "intervalSeconds"> & {
  readonly source: Pick<Source, "deployment">;
};

/** A manifest on its way, and what it says. */
interface SentManifest {
  readonly manifest: Manifest;
  readonly sealed: SealedManifest;
}

/** What a backup has made, and what it found out that is for its record only. */
export interface BackupResult extends SentManifest, BackupFindings {}

/** What a backup found out that no restore needs to know. */
export type BackupFindings = Pick<JobRecord, "oplogWindow" | "verification">;

/** What the kinds of jobs differ in. */
type JobContent = Pick<Manifest, "parent" | "oplog" | "databases" | "authSchema"> & {
  readonly level: Manifest["job"]["level"];
};

/** Seals a job's manifest and sends it: as restore objects for the catalog, as a virtual file for the volume. */
export async function sendManifest(
  context: SealContext,
  content: JobContent,
  startedAt: Date,
): Promise<SentManifest> {
  const { job, resource, sink, log } = context;
  const manifest = describe(context, content);
  const sealed = await seal(manifest, context.signingKey);
  for (const part of splitParts(sealed, job.jobName, resource)) {
    await sink.sendRestoreObject({ objectType: 25, ...part });
  }
  const path = manifestPath(resource, job.jobName);
  await sendObject(
    { ...context, timeSeconds: toSeconds(startedAt) },
    path,
    sealed.bytes.length,
    chunksOf(sealed.bytes),
  );
  log.info(
    `Manifest ${sealed.id}: ${formatNumberOf(manifest.totals.objects, "object")}, ` +
      (sealed.keyId === null ? "NOT SIGNED" : `signed by key ${sealed.keyId}`),
  );
  return { manifest, sealed };
}

function describe(
  context: SealContext,
  { level, parent, oplog, databases, authSchema }: JobContent,
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
      level,
      previousName: job.previousJobName === "" ? null : job.previousJobName,
      clientName: job.clientName,
    },
    resource,
    mode: "dump",
    scope: scopeOf(options),
    authSchema,
    deployment: { ...source.deployment, members: [...source.deployment.members] },
    parent,
    oplog,
    databases,
    totals: {
      databases: databases.length,
      collections: collections.length,
      documents: collections.reduce((sum, { documents }) => sum + documents, 0),
      bytes: collections.reduce((sum, { bytes }) => sum + bytes, 0),
      objects: collections.length + segments.length + (oplog?.segments.length ?? 0),
    },
  };
}

/** An instant in Unix seconds. */
export function toSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
