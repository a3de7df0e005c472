/**
 * A job as the page and the JSON show it.
 *
 * @module
 */

import { unixSeconds } from "../assessment.ts";
import type { JobRecord } from "../../backend/state/job_record.ts";
import type { Level } from "../chain.ts";

/** Level of a backup, in Bacula's words. */
export const levelNames = {
  F: "full",
  D: "differential",
  I: "incremental",
} as const satisfies Record<Level, string>;

/** One job. Times are Unix seconds. */
export interface JobView {
  readonly kind: JobRecord["kind"];
  readonly level: (typeof levelNames)[Level] | null;
  readonly jobId: number;
  readonly jobName: string;
  readonly outcome: JobRecord["outcome"];
  readonly error: { readonly code: string; readonly text: string } | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly durationSeconds: number;
  /** Of collections; an incremental has none. */
  readonly documents: number;
  readonly bytes: number;
  /** What a backup has of the oplog. */
  readonly slice: { readonly entries: number; readonly bytes: number } | null;
  readonly source: string | null;
  readonly manifestId: string | null;
  readonly warnings: number;
  readonly rehearsal: RehearsalView | null;
}

/** What a rehearsal found. */
export interface RehearsalView {
  /** The last job of the chain that was restored. */
  readonly job: string;
  readonly proven: boolean;
  readonly provenCollections: number;
  /** Collection and sentence; the first ones. */
  readonly findings: readonly string[];
  readonly unproven: readonly string[];
  readonly findingsTotal: number;
  readonly unprovenTotal: number;
}

/** A record as it is shown. */
export function viewJob(job: JobRecord): JobView {
  const { kind, level, jobId, jobName, outcome, error, durationSeconds, documents, bytes } = job;
  return {
    kind,
    level: level === null ? null : levelNames[level],
    jobId,
    jobName,
    outcome,
    error: error === null ? null : { code: `MONGO-${error.code}`, text: error.text },
    startedAt: unixSeconds(job.startedAt),
    endedAt: unixSeconds(job.endedAt),
    durationSeconds,
    documents,
    bytes,
    slice: job.slice,
    source: job.source,
    manifestId: job.manifestId,
    warnings: job.warnings,
    rehearsal: viewRehearsal(job),
  };
}

function viewRehearsal({ rehearsal }: JobRecord): RehearsalView | null {
  if (rehearsal === null) return null;
  const { job, proven, provenCollections, findings, unproven, findingsTotal, unprovenTotal } = rehearsal;
  return { job, proven, provenCollections, findings, unproven, findingsTotal, unprovenTotal };
}
