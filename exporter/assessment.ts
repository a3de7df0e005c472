/**
 * What a resource's jobs amount to. It is bounded, however long the history is: the exporter keeps it, and not the history.
 *
 * @module
 */

import type { JobRecord } from "../backend/state/job_record.ts";
import { type Coverage, coverageOf, isGoodBackup, type Level } from "./chain.ts";
import type { Resource, SidecarProblem } from "./sidecar/resource.ts";

/** The jobs of one kind, level and outcome that are recorded. */
export interface JobTotals {
  readonly kind: JobRecord["kind"];
  readonly level: Level | null;
  readonly outcome: JobRecord["outcome"];
  readonly jobs: number;
  readonly documents: number;
  /** Of collections and of the oplog. */
  readonly bytes: number;
}

/** The newest job of each sort, null where none is recorded. */
export interface LastJobs {
  /** Of whatever outcome. */
  readonly backup: JobRecord | null;
  readonly goodBackup: JobRecord | null;
  readonly good: Readonly<Record<Level, JobRecord | null>>;
  /** Failed, not cancelled. */
  readonly failedBackup: JobRecord | null;
  /** Of whatever outcome. */
  readonly restore: JobRecord | null;
  readonly goodRestore: JobRecord | null;
  /** Of whatever outcome. */
  readonly rehearsal: JobRecord | null;
  /** Everything was read back and nothing found. */
  readonly provenRehearsal: JobRecord | null;
  /** A good backup whose documents were counted or read twice. */
  readonly verified: JobRecord | null;
}

/** What is known of a resource. */
export interface Assessment {
  readonly name: string;
  readonly problems: readonly SidecarProblem[];
  /** Jobs that are recorded. */
  readonly jobs: number;
  readonly coverage: Coverage;
  readonly last: LastJobs;
  readonly totals: readonly JobTotals[];
  /** Failed jobs by the number of their error. */
  readonly failures: ReadonlyMap<number, number>;
  /** The newest failed backups, newest first, {@linkcode refusedMax} at most. */
  readonly refused: readonly JobRecord[];
  /**
   * When the oplog will have lost the entry with which the current chain ends, in Unix seconds: an Incremental after that is refused. Null without an oplog,
   * and where its reach isn't known.
   */
  readonly deadline: number | null;
}

/** How a resource is, the best first. */
export const states = ["ok", "warning", "failed", "never", "unreadable"] as const;

/** One of {@linkcode states}. */
export type State = (typeof states)[number];

/** A state and a sentence that says why. */
export interface Verdict {
  readonly state: State;
  readonly reason: string;
}

/** Failed backups that are kept with their texts. */
const refusedMax = 20;

/** Characters of an error's text that a reason quotes. */
const quotedMax = 400;

/** Part of the oplog's reach after which a chain that nothing continued is in danger. */
const dangerousPart = 2 / 3;

/** Sums up a resource. */
export function assess(resource: Resource): Assessment {
  const { name, jobs, problems } = resource;
  const coverage = coverageOf(resource);
  const last = lastJobs(jobs);
  return {
    name,
    problems,
    jobs: jobs.length,
    coverage,
    last,
    totals: totalsOf(jobs),
    failures: failuresOf(jobs),
    refused: jobs.filter(isFailedBackup).slice(0, refusedMax),
    deadline: deadlineOf(coverage, last),
  };
}

/**
 * How a resource is now.
 *
 * @param now Unix seconds
 */
export function judge(assessment: Assessment, now: number): Verdict {
  const { problems, last, jobs, deadline, coverage } = assessment;
  const { backup, goodBackup, rehearsal } = last;
  const problem = problems[0];
  if (problem !== undefined) {
    return { state: "unreadable", reason: `${problem.file} can't be read. ${problem.sentence}.` };
  }
  if (backup === null) {
    return { state: "never", reason: jobs === 0 ? "No job is recorded." : "No backup is recorded." };
  }
  if (backup.outcome === "failed") {
    return { state: "failed", reason: `The last backup failed: ${failureOf(backup)}.` };
  }
  const found = rehearsal?.rehearsal?.findingsTotal ?? 0;
  if (rehearsal?.outcome === "failed" && found > 0) {
    const first = rehearsal.rehearsal?.findings[0];
    const example = first === undefined ? "" : `, the first one in ${withoutStop(first)}`;
    return {
      state: "failed",
      reason: `The last rehearsal found ${found} ${found === 1 ? "difference" : "differences"}${example}.`,
    };
  }
  if (goodBackup === null) return { state: "never", reason: "No backup that ended well is recorded." };
  if (coverage.current === null) {
    return {
      state: "failed",
      reason: `No Full that is known leads to the last backup, ${goodBackup.jobName}: run a Full.`,
    };
  }
  if (deadline !== null && now > deadline) {
    return {
      state: "warning",
      reason: `The oplog must be expected to have lost the end of the chain ${
        duration(now - deadline)
      } ago: run a Full.`,
    };
  }
  return cautionOf(assessment, backup, now) ?? {
    state: "ok",
    reason: `The last backup ended well, ${duration(now - unixSeconds(backup.endedAt))} ago.`,
  };
}

/** What an operator should look at though nothing is broken. */
function cautionOf({ last, deadline, coverage }: Assessment, backup: JobRecord, now: number): Verdict | null {
  const warning = (reason: string): Verdict => ({ state: "warning", reason });
  const { rehearsal } = last;
  const end = coverage.current?.covered?.to.t ?? null;
  if (backup.outcome === "canceled") return warning("The last backup was cancelled.");
  if (end !== null && deadline !== null && now - end > dangerousPart * (deadline - end)) {
    return warning(
      `The oplog will have lost the end of the chain in ${
        duration(deadline - now)
      }: run an Incremental before.`,
    );
  }
  if (rehearsal !== null && rehearsal.outcome !== "success") {
    return warning(`The last rehearsal didn't come to its end: ${failureOf(rehearsal)}.`);
  }
  if (backup.warnings > 0) {
    const count = backup.warnings === 1 ? "1 warning" : `${backup.warnings} warnings`;
    return warning(`The log of the last backup, job ${backup.jobId}, has ${count}.`);
  }
  return null;
}

/** RFC 3339 as Unix seconds, with their fraction. */
export function unixSeconds(instant: string): number {
  return Date.parse(instant) / 1000;
}

function lastJobs(jobs: readonly JobRecord[]): LastJobs {
  const newest = (fits: (job: JobRecord) => boolean) => jobs.find(fits) ?? null;
  const goodOf = (level: Level) => newest((job) => isGoodBackup(job) && job.level === level);
  const isGood = (kind: JobRecord["kind"]) => (job: JobRecord) =>
    job.kind === kind && job.outcome === "success";
  return {
    backup: newest(({ kind }) => kind === "backup"),
    goodBackup: newest(isGoodBackup),
    good: { F: goodOf("F"), I: goodOf("I"), D: goodOf("D") },
    failedBackup: newest(isFailedBackup),
    restore: newest(({ kind }) => kind === "restore"),
    goodRestore: newest(isGood("restore")),
    rehearsal: newest(({ kind }) => kind === "rehearsal"),
    provenRehearsal: newest((job) => isGood("rehearsal")(job) && job.rehearsal?.proven === true),
    verified: newest(({ verification, outcome }) => outcome === "success" && verification !== null),
  };
}

function isFailedBackup({ kind, outcome }: JobRecord): boolean {
  return kind === "backup" && outcome === "failed";
}

function totalsOf(jobs: readonly JobRecord[]): JobTotals[] {
  const groups = Map.groupBy(jobs, ({ kind, level, outcome }) => `${kind} ${level} ${outcome}`);
  return [...groups.values()].map((group) => {
    const { kind, level, outcome } = group[0]!;
    const sum = (of: (job: JobRecord) => number) => group.reduce((total, job) => total + of(job), 0);
    return {
      kind,
      level,
      outcome,
      jobs: group.length,
      documents: sum(({ documents }) => documents),
      bytes: sum(({ bytes, slice }) => bytes + (slice?.bytes ?? 0)),
    };
  });
}

function failuresOf(jobs: readonly JobRecord[]): Map<number, number> {
  const failures = new Map<number, number>();
  for (const { error, outcome } of jobs) {
    if (outcome === "failed" && error !== null) {
      failures.set(error.code, (failures.get(error.code) ?? 0) + 1);
    }
  }
  return failures;
}

function deadlineOf({ current }: Coverage, { goodBackup }: LastJobs): number | null {
  const end = current?.covered?.to ?? null;
  const window = goodBackup?.oplogWindow ?? null;
  if (end === null || window === null) return null;
  return end.t + Math.max(window.expectedSeconds ?? 0, window.longestSeconds, window.seconds);
}

function failureOf({ error, jobId }: JobRecord): string {
  return error === null ? `job ${jobId}` : `job ${jobId}, MONGO-${error.code} ${withoutStop(error.text)}`;
}

/** On one line and of a bounded length, to be part of another sentence. */
function withoutStop(sentence: string): string {
  const line = sentence.replaceAll(/\s+/g, " ");
  return (line.length > quotedMax ? `${line.slice(0, quotedMax)}…` : line).replace(/[. ]+$/, "");
}

const units = [
  { name: "day", seconds: 86_400 },
  { name: "hour", seconds: 3600 },
  { name: "minute", seconds: 60 },
] as const;

/** A duration in its largest unit, for a sentence. */
function duration(seconds: number): string {
  const { name, seconds: size } = units.find((unit) => seconds >= unit.seconds) ??
    { name: "second", seconds: 1 };
  const count = Math.max(0, Math.floor(seconds / size));
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
