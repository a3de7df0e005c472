/**
 * Gathers a job's record while the job runs.
 *
 * @module
 */

import { errorTable, type PluginError } from "../errors.ts";
import type { BackupResult } from "../job/job_manifest.ts";
import type { RestoredResource } from "../job/restore.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Clock, Deployment, JobLog } from "../ports.ts";
import type { JobInfo } from "../protocol/message.ts";
import type { JobRecord } from "../state/job_record.ts";
import { isProven, type Rehearsal } from "./rehearsals.ts";

/** Where jobs are recorded whose resource never became known. */
const unknownResource = "unknown";

/** What one job did. */
export class JobReport {
  readonly startedAt: Date;
  /** As soon as it is known. */
  resource: string | null = null;
  deployment: Deployment | null = null;
  /** A dry run leaves no record. */
  isDryRun = false;
  /** Of each resource that is rehearsed. */
  rehearsals: readonly Rehearsal[] = [];
  readonly #job: JobInfo;
  readonly #clock: Clock;
  #warnings = 0;
  #backup: BackupResult | undefined;
  #restored: readonly RestoredResource[] = [];

  constructor(job: JobInfo, clock: Clock) {
    this.#job = job;
    this.#clock = clock;
    this.startedAt = clock.now();
  }

  /** The same log, its warnings counted. */
  watch(log: JobLog): JobLog {
    return {
      ...log,
      warning: (text) => {
        this.#warnings++;
        log.warning(text);
      },
    };
  }

  backup(result: BackupResult): void {
    this.#backup = result;
  }

  restores(results: readonly RestoredResource[]): void {
    this.#restored = results;
  }

  /** The record of each resource that the job dealt with; `failure` is what ended it, if anything did. */
  records(failure: PluginError | null): { resource: string; record: JobRecord }[] {
    const common = this.#common(failure);
    if (this.#restored.length > 0) return this.#restored.map((one) => this.#restoreRecord(common, one));
    if (this.rehearsals.length > 0) {
      return this.rehearsals.map(({ opened }) =>
        this.#restoreRecord(common, { opened, counts: nothing, target: null })
      );
    }
    const manifest = this.#backup?.manifest;
    const record: JobRecord = {
      ...common,
      source: this.deployment?.source ?? null,
      serverVersion: this.deployment?.serverVersion ?? null,
      databases: manifest?.totals.databases ?? 0,
      collections: manifest?.totals.collections ?? 0,
      documents: manifest?.totals.documents ?? 0,
      bytes: manifest?.totals.bytes ?? 0,
      objects: manifest?.totals.objects ?? 0,
      manifestId: this.#backup?.sealed.id ?? null,
      keyId: this.#backup?.sealed.keyId ?? null,
      oplog: spanOf(manifest),
      slice: sliceOf(manifest),
      oplogWindow: this.#backup?.oplogWindow ?? null,
      lagSeconds: lagOf(this.deployment),
      verification: this.#backup?.verification ?? null,
    };
    return [{ resource: this.resource ?? unknownResource, record }];
  }

  #restoreRecord(
    common: CommonRecord,
    { opened, counts, target }: Pick<RestoredResource, "opened" | "counts"> & { target: string | null },
  ): { resource: string; record: JobRecord } {
    const { manifest, id, keyId } = opened;
    const rehearsal = this.rehearsals.find((one) => one.opened.manifest.resource === manifest.resource);
    const { serverVersion } = manifest.deployment;
    return {
      resource: manifest.resource,
      record: {
        ...common,
        ...counts,
        source: target,
        serverVersion,
        manifestId: id,
        keyId,
        oplog: spanOf(manifest),
        ...(rehearsal === undefined ? {} : { kind: "rehearsal", rehearsal: recordOf(rehearsal) }),
      },
    };
  }

  #common(failure: PluginError | null): CommonRecord {
    const endedAt = this.#clock.now();
    const { kind, level, jobId, jobName, previousJobName } = this.#job;
    return {
      kind: kind === "R" ? "restore" : "backup",
      level: level === " " ? null : level,
      jobId,
      jobName,
      previousJobName: previousJobName === "" ? null : previousJobName,
      outcome: failure === null ? "success" : failure.code === "canceled" ? "canceled" : "failed",
      error: failure === null ? null : { code: errorTable[failure.code].number, text: failure.message },
      startedAt: this.startedAt.toISOString(),
      endedAt: endedAt.toISOString(),
      durationSeconds: (endedAt.getTime() - this.startedAt.getTime()) / 1000,
      warnings: this.#warnings,
      rehearsal: null,
      slice: null,
      oplogWindow: null,
      lagSeconds: null,
      verification: null,
    };
  }
}

/** A restore that failed. */
const nothing: RestoredResource["counts"] = {
  databases: 0,
  collections: 0,
  documents: 0,
  bytes: 0,
  objects: 0,
};

/** Sentences of each kind that a record keeps. */
const sentencesMax = 100;

function recordOf(rehearsal: Rehearsal): JobRecord["rehearsal"] {
  const { opened, mongodVersion } = rehearsal;
  const collections = rehearsal.collections ?? [];
  const [findings, unproven] = (["findings", "unproven"] as const).map((kind) =>
    collections.flatMap((one) => one[kind].map((sentence) => `${one.namespace}: ${sentence}`))
  );
  return {
    job: opened.manifest.job.name,
    mongodVersion,
    proven: isProven([rehearsal]),
    provenCollections: collections.filter((one) => one.findings.length + one.unproven.length === 0).length,
    findings: findings!.slice(0, sentencesMax),
    unproven: unproven!.slice(0, sentencesMax),
    findingsTotal: findings!.length,
    unprovenTotal: unproven!.length,
  };
}

/** What a job has of the oplog, as a record keeps it. */
function spanOf(manifest: Manifest | undefined): JobRecord["oplog"] {
  const slice = manifest?.oplog;
  return slice ? { start: slice.from, end: slice.to } : null;
}

function sliceOf(manifest: Manifest | undefined): JobRecord["slice"] {
  const slice = manifest?.oplog;
  return slice ? { entries: slice.entries, bytes: slice.bytes } : null;
}

/** Seconds that the picked member was behind when it was picked. */
function lagOf(deployment: Deployment | null): number | null {
  return deployment?.members.find(({ host }) => host === deployment.source)?.lagSeconds ?? null;
}

type CommonRecord = Omit<
  JobRecord,
  | "source"
  | "serverVersion"
  | "databases"
  | "collections"
  | "documents"
  | "bytes"
  | "objects"
  | "manifestId"
  | "keyId"
  | "oplog"
>;
