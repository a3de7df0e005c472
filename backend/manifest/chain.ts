/**
 * Links the jobs of a resource to a chain: a Full, and the slices of the oplog that continue it without a gap.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { compareTimestamps, describeTimestamp, type OplogPosition } from "../timestamp.ts";
import type { OpenedManifest } from "./reader.ts";
import { describeScope } from "./scope.ts";

/** Jobs that make one unbroken chain. */
export interface Chain {
  readonly resource: string;
  /** Full first, each the parent of the next. */
  readonly jobs: readonly OpenedManifest[];
}

/**
 * Links the manifests of one resource, which come in any order; one that comes twice is taken once.
 *
 * @throws PluginError `chainBroken` unless all of them make one unbroken chain
 */
export function linkChain(manifests: readonly OpenedManifest[]): Chain {
  const jobs = [...new Map(manifests.map((one) => [one.digest, one])).values()].sort(byName);
  refuseOtherResources(jobs);
  const full = findFull(jobs);
  const { children, orphans } = groupByParent(jobs);
  if (orphans.length > 0) throw orphaned(orphans, jobs);
  const linked: OpenedManifest[] = [];
  for (let next: OpenedManifest | undefined = full; next !== undefined;) {
    checkNextJob(linked, next);
    linked.push(next);
    const following: readonly OpenedManifest[] = children.get(next.digest) ?? [];
    if (following.length > 1) throw forked(next, following, children);
    next = following[0];
  }
  const unreached = jobs.filter((job) => !linked.includes(job));
  if (unreached.length > 0) {
    throw broken(full, `${namesOf(unreached)} can't be reached from ${nameOf(full)}`, {
      hint: `Leave out ${namesOf(unreached)}.`,
    });
  }
  return { resource: full.manifest.resource, jobs: linked };
}

/**
 * Checks whether a job continues a chain; the first one, with nothing before it, is checked by itself.
 *
 * @param before the chain so far, Full first
 * @throws PluginError `chainBroken`
 */
export function checkNextJob(before: readonly OpenedManifest[], next: OpenedManifest): void {
  checkSlice(next);
  const parent = before.at(-1);
  if (parent === undefined) return checkBeginning(next);
  if (before.some((job) => nameOf(job) === nameOf(next))) {
    throw broken(parent, `there are two manifests of the job ${nameOf(next)}, wanted one`, {
      hint: "Each source that a job backs up needs a resource= of its own.",
    });
  }
  checkParentName(parent, next);
  checkSource(before, parent, next);
  checkPosition(parent, next);
}

function findFull(jobs: readonly OpenedManifest[]): OpenedManifest {
  const [full, ...others] = jobs.filter(isFull);
  if (full === undefined) {
    throw broken(jobs[0], `${jobs.length === 0 ? "there are no jobs" : "there is no Full"}, wanted one`, {
      hint: "Restore the Full that the jobs continue too: an Incremental or Differential alone has no data.",
    });
  }
  if (others.length === 0) return full;
  const names = namesOf([full, ...others]);
  throw broken(full, `there are ${others.length + 1} Fulls, ${names}, wanted one`, {
    hint: "Choose one Full and what follows it, and leave out the other jobs.",
  });
}

function refuseOtherResources(jobs: readonly OpenedManifest[]): void {
  const resources = new Set(jobs.map(({ manifest }) => manifest.resource));
  if (resources.size <= 1) return;
  throw broken(jobs[0], `the jobs are of the resources ${[...resources].join(", ")}, wanted one resource`, {
    hint: "Restore one resource's jobs at a time.",
  });
}

/** The jobs that continue another one, by that one's digest, and those that continue one that isn't there. */
function groupByParent(jobs: readonly OpenedManifest[]) {
  const digests = new Set(jobs.map(({ digest }) => digest));
  const children = new Map<string, OpenedManifest[]>();
  const orphans: OpenedManifest[] = [];
  for (const job of jobs) {
    const digest = job.manifest.parent?.blake3;
    if (digest === undefined) continue;
    if (digests.has(digest)) children.set(digest, [...children.get(digest) ?? [], job]);
    else orphans.push(job);
  }
  return { children, orphans };
}

function checkSlice(job: OpenedManifest): void {
  const { oplog } = job.manifest;
  if (oplog === null) return;
  const { from, to } = oplog;
  if (compareTimestamps(from, to) <= 0 && from.term <= to.term) return;
  throw broken(
    job,
    `the slice of ${nameOf(job)} goes from ${describePosition(from)} to ${describePosition(to)}, ` +
      "wanted an end that is not before its start",
    { hint: damaged },
  );
}

function checkBeginning(first: OpenedManifest): void {
  const { parent } = first.manifest;
  if (isFull(first) && parent === null) return;
  const continued = parent === null ? "nothing" : parent.jobName;
  throw broken(
    first,
    `${nameOf(first)}, the first, is of level ${levelOf(first)} and continues ${continued}, wanted a Full`,
    {
      hint: damaged,
    },
  );
}

function checkParentName(parent: OpenedManifest, next: OpenedManifest): void {
  const named = next.manifest.parent;
  if (named?.blake3 === parent.digest && named.jobName === nameOf(parent)) return;
  throw broken(
    parent,
    `${nameOf(next)} continues ${named?.jobName ?? "no job"} (manifest ${
      named?.blake3.slice(0, 16) ?? "none"
    }), ` +
      `wanted ${nameOf(parent)} (manifest ${parent.id})`,
    { hint: damaged },
  );
}

function checkSource(
  before: readonly OpenedManifest[],
  parent: OpenedManifest,
  next: OpenedManifest,
): void {
  const differing = (what: string, found: string, wanted: string, hint: string) =>
    broken(parent, `${nameOf(next)} is of ${what} ${found}, wanted ${wanted} as in ${nameOf(parent)}`, {
      hint,
    });
  const other = `Leave out ${
    nameOf(next)
  } and what follows it: it was made of another source under the same resource's name.`;
  const [{ setName: known }, { setName: found }] = [parent.manifest.deployment, next.manifest.deployment];
  if (found !== known) throw differing("replica set", found ?? "none", known ?? "none", other);
  const { setId } = next.manifest.deployment;
  const first = before.findLast(({ manifest }) => manifest.deployment.setId !== null);
  const knownId = first?.manifest.deployment.setId ?? null;
  if (setId !== null && knownId !== null && setId !== knownId) {
    throw differing("the replica set with id", setId, knownId, other);
  }
  const [wanted, scope] = [parent, next].map(({ manifest }) => describeScope(manifest.scope));
  if (scope !== wanted) {
    throw differing(
      "the scope",
      scope!,
      wanted!,
      `Leave out ${
        nameOf(next)
      } and what follows it. After a change of database=, include=, exclude= or users= in the FileSet, a Full begins a new chain.`,
    );
  }
}

function checkPosition(parent: OpenedManifest, next: OpenedManifest): void {
  const end = parent.manifest.oplog?.to;
  if (end === undefined) {
    throw broken(parent, `${nameOf(parent)} is of a server without an oplog, which no job can continue`, {
      hint: `Leave out ${nameOf(next)} and what follows it.`,
    });
  }
  const from = next.manifest.oplog?.from;
  if (from !== undefined && compareTimestamps(from, end) === 0 && from.term === end.term) return;
  const start = from === undefined ? "has no slice of the oplog" : `begins at ${describePosition(from)}`;
  throw broken(
    parent,
    `${nameOf(next)} ${start}, wanted ${describePosition(end)}, where ${nameOf(parent)} ends`,
    {
      hint: `Nothing after ${nameOf(parent)} can be restored by these jobs: leave out ${
        nameOf(next)
      } and what follows it.`,
    },
  );
}

function orphaned(orphans: readonly OpenedManifest[], jobs: readonly OpenedManifest[]): PluginError {
  const missing = orphans.map((job) => {
    const { jobName, blake3 } = job.manifest.parent!;
    const sameName = jobs.find((one) => nameOf(one) === jobName);
    const here = sameName === undefined
      ? "which is not among the jobs"
      : `which is not the one of that name that is here (manifest ${sameName.id})`;
    return `${nameOf(job)} continues ${jobName} (manifest ${blake3.slice(0, 16)}), ${here}`;
  });
  const names = [...new Set(orphans.map(({ manifest }) => manifest.parent!.jobName))].join(", ");
  return broken(orphans[0], missing.join("; "), {
    hint: `Add ${names} to the jobs to restore, or leave out ${namesOf(orphans)} and what follows.`,
  });
}

function forked(
  parent: OpenedManifest,
  following: readonly OpenedManifest[],
  children: ReadonlyMap<string, readonly OpenedManifest[]>,
): PluginError {
  const branches = following.map((first) => branchOf(first, children)).sort(byReach);
  const [kept, ...left] = branches;
  const names = following.map((job) => `${nameOf(job)} (${levelOf(job)})`).join(" and ");
  return broken(parent, `${names} each continue ${nameOf(parent)}, wanted one job that does`, {
    hint: `Leave out ${namesOf(left.flat().sort(byName))}: ${namesOf([kept![0]!])} leads on to ${
      describeTimestamp(reachOf(kept!))
    }, which is as far as any of them.`,
  });
}

/** A job and everything that continues it. */
function branchOf(
  first: OpenedManifest,
  children: ReadonlyMap<string, readonly OpenedManifest[]>,
): OpenedManifest[] {
  const branch = [first];
  // Grows as it is walked; a manifest has one parent, so nothing comes twice.
  for (const job of branch) branch.push(...children.get(job.digest) ?? []);
  return branch;
}

/** The branch that reaches furthest first; of two that reach equally far, the one with fewer jobs. */
function byReach(a: readonly OpenedManifest[], b: readonly OpenedManifest[]): number {
  return compareTimestamps(reachOf(b), reachOf(a)) || a.length - b.length;
}

function reachOf(branch: readonly OpenedManifest[]): OplogPosition {
  const ends = branch.map(({ manifest }) => manifest.oplog?.to ?? { t: 0, i: 0, term: 0 });
  return ends.sort(compareTimestamps).at(-1)!;
}

/** `1719900000.4 (2024-07-02T06:00:00Z) of term 3`, for operators. */
function describePosition(position: OplogPosition): string {
  return `${describeTimestamp(position)} of term ${position.term}`;
}

function isFull({ manifest }: OpenedManifest): boolean {
  return manifest.job.level === "F";
}

const levels = { F: "Full", I: "Incremental", D: "Differential" } as const;

function levelOf({ manifest }: OpenedManifest): string {
  return levels[manifest.job.level];
}

function nameOf({ manifest }: OpenedManifest): string {
  return manifest.job.name;
}

function namesOf(jobs: readonly OpenedManifest[]): string {
  return jobs.map(nameOf).join(", ");
}

/** Bacula ends a job's name with its time, so that this is the order of the jobs too. */
function byName(a: OpenedManifest, b: OpenedManifest): number {
  return nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : a.digest < b.digest ? -1 : 1;
}

const damaged =
  "The catalog or the volume was changed, or the program that made it has a fault: restore another chain.";

function broken(job: OpenedManifest | undefined, reason: string, options: { hint: string }): PluginError {
  const whose = job === undefined ? "" : ` of ${job.manifest.resource}`;
  return new PluginError("chainBroken", `Cannot link the jobs${whose} to a chain: ${reason}`, options);
}
