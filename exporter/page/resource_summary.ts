/**
 * A resource in short: what a row of the status page and an entry of the JSON say.
 *
 * @module
 */

import { wholeSeconds } from "../../backend/timestamp.ts";
import { type Assessment, judge, type State, unixSeconds } from "../assessment.ts";
import type { Chain, Gap } from "../chain.ts";
import type { SidecarProblem } from "../sidecar/resource.ts";
import { type JobView, viewJob } from "./job_view.ts";

/** A stretch of time out of which any instant can be restored: what a Full and the jobs that continue it cover. Times are Unix seconds. */
export interface Stretch {
  /** Names of the Full and of the job that ends last. */
  readonly full: string;
  readonly last: string;
  readonly jobs: number;
  /** When the Full began to read, as far as that is known, and when it had ended. */
  readonly fullStart: number;
  readonly fullEnd: number;
  /** First and last entry of the oplog that can be restored to; null for a server without an oplog, of which there is what the Full read, and no other instant. */
  readonly covered: { readonly from: number; readonly to: number } | null;
  /** First and last second whose very end can be restored to; null where there is none. */
  readonly seconds: { readonly first: number; readonly last: number } | null;
}

/** A time, no instant of which can be restored. Unix seconds. */
export interface Hole {
  readonly after: number;
  readonly before: number;
}

/** The newest good job of each level. */
export interface LastGood {
  readonly full: JobView | null;
  readonly differential: JobView | null;
  readonly incremental: JobView | null;
}

/** A resource in short. Times are Unix seconds. */
export interface ResourceSummary {
  readonly name: string;
  readonly state: State;
  /** One sentence, or two, that say why. */
  readonly reason: string;
  readonly problems: readonly SidecarProblem[];
  readonly recordedJobs: number;
  readonly lastBackup: JobView | null;
  readonly lastGood: LastGood;
  /** The oldest first. */
  readonly restorable: readonly Stretch[];
  /** Between the stretches, the oldest first. */
  readonly gaps: readonly Hole[];
  /** How far behind now the current chain ends: what is lost if the source is lost now. Null where there is none, or no oplog. */
  readonly lagSeconds: number | null;
  /** How far the oplog reached at the last good backup's start. */
  readonly oplogWindowSeconds: number | null;
  /** When the oplog must be expected to have lost the chain's end. */
  readonly continueBefore: number | null;
  readonly lastRehearsal: JobView | null;
  /** Newest first, the last ones. */
  readonly failedBackups: readonly JobView[];
}

/** What is said of a resource at a time, in Unix seconds. */
export function summarize(assessment: Assessment, now: number): ResourceSummary {
  const { name, problems, jobs, coverage, last, deadline, refused } = assessment;
  const end = coverage.current?.covered?.to.t;
  const view = (job: Parameters<typeof viewJob>[0] | null) => job === null ? null : viewJob(job);
  return {
    name,
    ...judge(assessment, now),
    problems,
    recordedJobs: jobs,
    lastBackup: view(last.backup),
    lastGood: { full: view(last.good.F), differential: view(last.good.D), incremental: view(last.good.I) },
    restorable: coverage.chains.map(viewChain),
    gaps: coverage.gaps.map(viewGap),
    lagSeconds: end === undefined ? null : Math.max(0, Math.floor(now) - end),
    oplogWindowSeconds: last.goodBackup?.oplogWindow?.seconds ?? null,
    continueBefore: deadline,
    lastRehearsal: view(last.rehearsal),
    failedBackups: refused.map(viewJob),
  };
}

function viewChain({ full, last, jobs, covered }: Chain): Stretch {
  const fullEnd = covered?.from.t ?? unixSeconds(full.endedAt);
  return {
    full: full.name,
    last: last.name,
    jobs,
    fullStart: full.start?.t ?? fullEnd,
    fullEnd,
    covered: covered === null ? null : { from: covered.from.t, to: covered.to.t },
    seconds: covered === null ? null : wholeSeconds(covered.from, covered.to),
  };
}

function viewGap({ after, before }: Gap): Hole {
  return { after: after.t, before: before.t };
}
