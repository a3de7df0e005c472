/**
 * Which jobs a restore needs: a Full, and the fewest that continue it.
 *
 * @module
 */

import { compareTimestamps, lastIncrement, type OplogPosition } from "../../backend/timestamp.ts";
import type { Coverage } from "../chain.ts";
import type { Resource } from "../sidecar/resource.ts";

/** A good backup from which parents lead to a Full. */
export interface Link {
  readonly name: string;
  readonly jobId: number;
  readonly parent: string | null;
  readonly end: OplogPosition | null;
}

/** Good backups from which parents lead to a Full, by name. */
export function linksOf({ jobs, tips }: Resource, { chains, unlinked }: Coverage): Map<string, Link> {
  const links = new Map<string, Link>();
  const lost = new Set(unlinked.map(({ name }) => name));
  const recorded = new Set(jobs.map(({ jobName }) => jobName));
  for (const { jobName, jobId, parentName, position } of tips) {
    if (recorded.has(jobName) || lost.has(jobName)) continue;
    links.set(jobName, { name: jobName, jobId, parent: parentName, end: position });
  }
  const fulls = new Set(chains.map(({ full }) => full.name));
  for (const { jobName, jobId, kind, outcome, previousJobName, oplog } of jobs.toReversed()) {
    if (kind !== "backup" || outcome !== "success" || lost.has(jobName)) continue;
    const parent = fulls.has(jobName) ? null : previousJobName;
    links.set(jobName, { name: jobName, jobId, parent, end: oplog?.end ?? null });
  }
  return links;
}

/** A job and those before it, the Full first. */
function trailOf(name: string, links: ReadonlyMap<string, Link>): Link[] {
  const trail: Link[] = [];
  for (let one = links.get(name); one !== undefined && trail.length < links.size;) {
    trail.push(one);
    one = one.parent === null ? undefined : links.get(one.parent);
  }
  return trail.reverse();
}

/** To the current chain's end; to that of the newest chain where the current one is broken. */
export function newestTrail(links: ReadonlyMap<string, Link>, { chains, current }: Coverage): Link[] | null {
  const chain = current ?? chains.at(-1);
  return chain === undefined ? null : trailOf(chain.last.name, links);
}

/** The shortest way to a second: from the newest Full that ended before, over the fewest jobs. */
export function trailTo(
  instant: number,
  links: ReadonlyMap<string, Link>,
  { chains }: Coverage,
): Link[] | null {
  const wanted = { t: instant, i: lastIncrement };
  for (const { full, covered } of chains.toReversed()) {
    if (covered === null || covered.from.t > instant || compareTimestamps(covered.to, wanted) < 0) continue;
    const trails = [...links.values()]
      .filter(({ end }) => end !== null && compareTimestamps(end, wanted) >= 0)
      .map(({ name }) => trailOf(name, links)).filter(([first]) => first?.name === full.name);
    if (trails.length > 0) return trails.reduce((a, b) => b.length < a.length ? b : a);
  }
  return null;
}
