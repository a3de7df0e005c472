/**
 * Whether the next Incremental can be had: the oplog's reach, the jobs so far, and the one that would follow.
 *
 * @module
 */

import { scopeOf } from "../../job/backup_scope.ts";
import { findOplogWith, reportWindow } from "../../job/oplog_source.ts";
import { formatDuration, formatNumberOf } from "../../job/wording.ts";
import type { Options } from "../../options/table.ts";
import type { Source } from "../../ports.ts";
import type { JobRecord } from "../../state/job_record.ts";
import { JobStore } from "../../state/store.ts";
import { findParent, type Tip } from "../../state/tip.ts";
import { readLastHolder, readTips } from "../../state/tip_store.ts";
import { describeTimestamp } from "../../timestamp.ts";
import { readTipChains } from "../chain_tips.ts";
import type { Findings } from "./check.ts";

/** Jobs whose intervals tell how often a resource is backed up. */
const jobsLookedAt = 11;

/** The jobs of a resource, as the working directory knows them. */
export interface KnownJobs {
  /** The newest first; rehearsals and restores are among them. */
  readonly records: readonly JobRecord[];
  /** The last good backup, null where there is none. */
  readonly tip: Tip | null;
}

/** Reads what the working directory knows of a resource, and says it. */
export async function examineJobs(
  workingDirectory: string,
  resource: string,
  now: Date,
  findings: Findings,
): Promise<KnownJobs> {
  const stats = await findings.attempt("last_job", () => new JobStore(workingDirectory).read(resource));
  const records = stats?.jobs ?? [];
  examineLastJob(resource, records, now, findings);
  const holder = await findings.attempt("last_job", () => readLastHolder(workingDirectory, resource));
  if (holder !== null && !records.some(({ jobName }) => jobName === holder.jobName)) {
    findings.warn(
      "last_job",
      `${holder.jobName} is at work on "${resource}" (process ${holder.process}), or was ended before it could say how it went`,
      "See status client: while a job is at work, no other one of this resource can run.",
    );
  }
  const file = await findings.attempt("chain", () => readTips(workingDirectory, resource));
  const tip = file?.tips[0] ?? null;
  await examineChain(workingDirectory, resource, tip, findings);
  return { records, tip };
}

function examineLastJob(
  resource: string,
  records: readonly JobRecord[],
  now: Date,
  findings: Findings,
): void {
  const last = records.find(({ kind }) => kind === "backup");
  if (last === undefined) {
    findings.warn("last_job", `No backup of "${resource}" has run on this machine`, "Run a Full.");
    return;
  }
  const { jobName, outcome, endedAt, error } = last;
  const ago = formatDuration(Math.max(0, (now.getTime() - Date.parse(endedAt)) / 1000));
  const text = `${jobName} ended ${ago} ago: ${outcome}`;
  if (outcome === "success") findings.ok("last_job", text);
  else {
    findings.warn(
      "last_job",
      error === null ? text : `${text}, MONGO-${error.code} ${error.text}`,
      "See its log for what to do, and run it again.",
    );
  }
}

async function examineChain(
  workingDirectory: string,
  resource: string,
  tip: Tip | null,
  findings: Findings,
): Promise<void> {
  if (tip === null) {
    return findings.skip(["chain"], "No job has left where it ended: the next one has to be a Full");
  }
  const report = await findings.attempt("chain", () => readTipChains(workingDirectory));
  if (report === null) return;
  const broken = report.findings.filter((one) => one.resource === resource);
  for (const { job, problem } of broken) findings.fail("chain", `${job}: ${problem}`, "Run a Full.");
  const jobs = report.resources.find((one) => one.resource === resource)?.chains.at(-1)?.jobs ?? [];
  const [full, ...others] = jobs;
  if (full === undefined) return;
  findings.ok(
    "chain",
    `${full.name} and ${formatNumberOf(others.length, "job")} behind it make a chain up to ${
      describeTimestamp(tip.position)
    }`,
  );
}

/** How often a resource is backed up: the longest time between two of its last good backups, or null where there aren't two. */
function usualInterval(records: readonly JobRecord[]): number | null {
  const ends = records.filter(({ kind, outcome }) => kind === "backup" && outcome === "success")
    .slice(0, jobsLookedAt).map(({ endedAt }) => Date.parse(endedAt));
  const gaps = ends.slice(1).map((end, at) => Math.round((ends[at]! - end) / 1000));
  return gaps.length === 0 ? null : Math.max(...gaps);
}

/** Holds the oplog against the schedule, and against the place where the last job ended. */
export async function examineOplog(
  source: Source,
  { resource, options, intervalSeconds }: {
    resource: string;
    options: Options;
    intervalSeconds: number | null;
  },
  { tip, records }: KnownJobs,
  findings: Findings,
): Promise<void> {
  const { oplog, deployment } = source;
  if (oplog === null) {
    findings.skip(["oplog_window", "continuation"], "A standalone server has no oplog: there are Fulls only");
    return;
  }
  const remedy = "db.adminCommand({replSetResizeOplog: 1, size: MEGABYTES}) on each member, in mongosh.";
  const interval = intervalSeconds ?? usualInterval(records);
  await findings.attempt(
    "oplog_window",
    () => reportWindow(oplog, source, interval, findings.logOf("oplog_window", remedy)),
  );
  if (interval === null) {
    findings.warn(
      "oplog_window",
      "How often jobs run isn't known yet: the oplog was held against nothing",
      "Say how often, as in --interval 24h.",
    );
  }
  if (tip === null) {
    findings.skip(["continuation"], "There is no job to continue");
    return;
  }
  const { jobName: previousJobName } = tip;
  const { setName, setId } = deployment;
  const query = { previousJobName, resource, setName: setName ?? "", setId, scope: scopeOf(options) };
  await findings.attempt("continuation", async () => {
    findParent({ format: "podheitor-mongodb-tip/1", resource, tips: [tip] }, query);
    const log = findings.logOf("continuation", "Nothing, unless that member goes away before the next job.");
    const { oplog: chosen, isPicked } = await findOplogWith(tip.position, oplog, source, log);
    if (!isPicked) await chosen[Symbol.asyncDispose]();
    findings.ok(
      "continuation",
      `An Incremental would continue ${previousJobName} at ${
        describeTimestamp(tip.position)
      }, which ${chosen.host} has`,
    );
  });
}
