/**
 * What can be restored, by what the jobs say of themselves: which instants, and which are missing between them. Whether Bacula still has the volumes, only
 * Bacula knows.
 *
 * @module
 */

import type { JobRecord } from "../backend/state/job_record.ts";
import { compareTimestamps, type OplogPosition } from "../backend/timestamp.ts";
import type { Resource } from "./sidecar/resource.ts";

/** Level of a backup. */
export type Level = "F" | "I" | "D";

/** A backup that ended well. */
export interface ChainJob {
  readonly name: string;
  readonly level: Level;
  /** Name of the job that it continues, null for a Full. */
  readonly parent: string | null;
  /** RFC 3339 in UTC. */
  readonly endedAt: string;
  /** Behind which its slice of the oplog begins; null where only the tip is known. */
  readonly start: OplogPosition | null;
  /** The last entry of its slice; null for a server without an oplog. */
  readonly end: OplogPosition | null;
}

/** A Full and what continues it: any instant from the Full's end to the last job's end can be restored. */
export interface Chain {
  readonly full: ChainJob;
  /** The job that ends last; the Full where none continues it. */
  readonly last: ChainJob;
  readonly jobs: number;
  /** Null for a server without an oplog: the data as the Full read it, and no other instant. */
  readonly covered: { readonly from: OplogPosition; readonly to: OplogPosition } | null;
}

/** A time between two chains, no instant of which can be restored. */
export interface Gap {
  readonly after: OplogPosition;
  readonly before: OplogPosition;
}

/** All that can be restored of a resource. */
export interface Coverage {
  /** By the Fulls' ends, the oldest first. */
  readonly chains: readonly Chain[];
  /** The oldest first. */
  readonly gaps: readonly Gap[];
  /** The chain of the last good backup, which the next Incremental continues. */
  readonly current: Chain | null;
  /** Good backups that no Full that is known leads to: nothing can be restored by them. */
  readonly unlinked: readonly ChainJob[];
}

/** Links a resource's good backups to chains. */
export function coverageOf({ jobs, tips }: Resource): Coverage {
  const known = new Map<string, ChainJob>();
  // A tip of a job whose record is no success belongs to one that failed after its backend was done, and is never continued.
  const recorded = new Set(jobs.map(({ jobName }) => jobName));
  for (const { jobName, level, parentName, endedAt, position } of tips) {
    if (recorded.has(jobName)) continue;
    known.set(jobName, { name: jobName, level, parent: parentName, endedAt, start: null, end: position });
  }
  // Of several jobs of one name, as the stand-alone commands may have them, the newest stands.
  for (const job of jobs.filter(isGoodBackup).reverse()) known.set(job.jobName, chainJobOf(job));
  const fulls = fullsOf(known);
  const byFull = Map.groupBy(known.values(), (job) => fulls.get(job) ?? null);
  const chains = [...byFull].flatMap(([full, jobs]) => full === null ? [] : [chainOf(full, jobs)])
    .sort(byTime);
  const newest = newestOf([...known.values()]);
  return {
    chains,
    gaps: gapsOf(chains),
    current: newest === null ? null : chains.find(({ full }) => full === fulls.get(newest)) ?? null,
    unlinked: (byFull.get(null) ?? []).sort((a, b) => Date.parse(a.endedAt) - Date.parse(b.endedAt)),
  };
}

/** A backup's record that says success. */
export type GoodBackup = JobRecord & { readonly level: Level };

/** Whether a record is of a backup that ended well. */
export function isGoodBackup(job: JobRecord): job is GoodBackup {
  return job.kind === "backup" && job.outcome === "success" && job.level !== null;
}

function chainJobOf({ jobName, level, previousJobName, endedAt, oplog }: GoodBackup): ChainJob {
  return {
    name: jobName,
    level,
    // Bacula names an earlier job for a Full as well.
    parent: level === "F" ? null : previousJobName,
    endedAt,
    start: oplog?.start ?? null,
    end: oplog?.end ?? null,
  };
}

/** The Full that each job goes back to without a gap, or null. Each step back is taken once, however long the chains are. */
function fullsOf(known: ReadonlyMap<string, ChainJob>): Map<ChainJob, ChainJob | null> {
  const fulls = new Map<ChainJob, ChainJob | null>();
  for (const job of known.values()) if (job.level === "F") fulls.set(job, job);
  for (const job of known.values()) {
    const line: ChainJob[] = [];
    let one: ChainJob | null = job;
    while (one !== null && !fulls.has(one)) {
      // Where parents go round in a circle, it stays so.
      fulls.set(one, null);
      line.push(one);
      one = parentOf(one, known);
    }
    const full = one === null ? null : fulls.get(one)!;
    for (const member of line) fulls.set(member, full);
  }
  return fulls;
}

/** The job that another one continues without a gap, or null. */
function parentOf(job: ChainJob, known: ReadonlyMap<string, ChainJob>): ChainJob | null {
  const parent = job.parent === null ? undefined : known.get(job.parent);
  return parent === undefined || !continues(job, parent) ? null : parent;
}

function continues({ start, end }: ChainJob, parent: ChainJob): boolean {
  if (end === null || parent.end === null || compareTimestamps(end, parent.end) < 0) return false;
  return start === null || (compareTimestamps(start, parent.end) === 0 && start.term === parent.end.term);
}

function chainOf(full: ChainJob, jobs: readonly ChainJob[]): Chain {
  const last = jobs.reduce((a, b) => isLater(b, a) ? b : a, full);
  const covered = full.end === null || last.end === null ? null : { from: full.end, to: last.end };
  return { full, last, jobs: jobs.length, covered };
}

/** Whether it ends behind another one of its chain. A job without changes ends where its parent does. */
function isLater(a: ChainJob, b: ChainJob): boolean {
  const order = a.end === null || b.end === null ? 0 : compareTimestamps(a.end, b.end);
  return order > 0 || (order === 0 && Date.parse(a.endedAt) > Date.parse(b.endedAt));
}

function byTime(a: Chain, b: Chain): number {
  const order = a.covered === null || b.covered === null
    ? 0
    : compareTimestamps(a.covered.from, b.covered.from);
  return order || Date.parse(a.full.endedAt) - Date.parse(b.full.endedAt);
}

function gapsOf(chains: readonly Chain[]): Gap[] {
  const gaps: Gap[] = [];
  let reached: OplogPosition | null = null;
  for (const { covered } of chains) {
    if (covered === null) continue;
    if (reached !== null && compareTimestamps(covered.from, reached) > 0) {
      gaps.push({ after: reached, before: covered.from });
    }
    if (reached === null || compareTimestamps(covered.to, reached) > 0) reached = covered.to;
  }
  return gaps;
}

function newestOf(jobs: readonly ChainJob[]): ChainJob | null {
  return jobs.reduce<ChainJob | null>(
    (newest, one) =>
      newest === null || Date.parse(one.endedAt) > Date.parse(newest.endedAt) ||
        (one.endedAt === newest.endedAt && isLater(one, newest))
        ? one
        : newest,
    null,
  );
}
