/**
 * What chains the jobs of a place make: what can be restored from them, what is missing, and what is expected next.
 *
 * @module
 */

import { asPluginError, PluginError } from "../errors.ts";
import { JobFolder } from "../folder/job_folder.ts";
import { checkNextJob } from "../manifest/chain.ts";
import { type OpenedManifest, openManifest, type TrustPolicy } from "../manifest/reader.ts";
import { joinParts } from "../manifest/seal.ts";
import { compareTimestamps, type OplogPosition, wholeSeconds } from "../timestamp.ts";

/** A job as its manifest or its tip describes it. */
export interface ChainJob {
  readonly name: string;
  readonly jobId: number;
  readonly level: "F" | "I" | "D";
  /** RFC 3339. */
  readonly endedAt: string;
  /** First 16 hexadecimal digits of its manifest's BLAKE3. */
  readonly manifestId: string;
  /** Name of the job that it continues, null for a Full. */
  readonly parent: string | null;
  /** Where its slice of the oplog begins (exclusive, but for a Full); null without an oplog, and for a Full of which only the tip is known. */
  readonly from: OplogPosition | null;
  /** Where its slice ends (inclusive); null for a server without an oplog. */
  readonly to: OplogPosition | null;
  /** Its slice of the oplog; left out where only tips are known. */
  readonly slice?: { readonly entries: number; readonly bytes: number; readonly segments: number };
  /** Key that signed its manifest, null for an unsigned one; left out where only tips are known. */
  readonly keyId?: string | null;
}

/** The instants that a chain can be restored to: its Full's end, its last job's end, and all between them. */
export interface Coverage {
  readonly from: OplogPosition;
  readonly to: OplogPosition;
  /** Unix seconds, first and last one, whose very end is covered; null where there is none. */
  readonly seconds: { readonly first: number; readonly last: number } | null;
}

/** A job and those that continue it, one after another. */
export interface ChainView {
  readonly jobs: readonly ChainJob[];
  /** Null without an oplog. */
  readonly covered: Coverage | null;
  /** The job that would continue it; null without an oplog, and for all chains of a resource but the latest. */
  readonly next: { readonly level: "I"; readonly from: OplogPosition; readonly after: string } | null;
}

/** A resource's chains, the latest one last. */
export interface ResourceChains {
  readonly resource: string;
  readonly chains: readonly ChainView[];
  /** Jobs that belong to no chain; a finding says why. */
  readonly unlinked: readonly ChainJob[];
}

/** Something that keeps jobs from being restored. */
export interface ChainFinding {
  /** Null where it couldn't be read. */
  readonly resource: string | null;
  /** Name of the job, or path of what couldn't be read. */
  readonly job: string;
  readonly problem: string;
}

/** All chains of a place. */
export interface ChainReport {
  readonly resources: readonly ResourceChains[];
  readonly findings: readonly ChainFinding[];
}

/** A job with what ties it to others. */
export interface LinkableJob<T> {
  readonly job: ChainJob;
  /** What a job that continues it names. */
  readonly key: string;
  /** What it continues, null for a Full. */
  readonly parentKey: string | null;
  readonly source: T;
}

/** What differs between the places where jobs are known. */
export interface ChainRules<T> {
  /** Throws where a job doesn't continue those before it, which are none for a Full. */
  readonly check: (before: readonly T[], next: T) => void;
  /** Whether several Incrementals that continue the same job are as they should be. */
  readonly forks: boolean;
  /** What to do about a job that continues one that isn't there. */
  readonly remedy: string;
}

/** Reads every job folder in a directory, and links their jobs to chains. */
export async function readFolderChains(directory: string, trust: TrustPolicy): Promise<ChainReport> {
  const findings: ChainFinding[] = [];
  const opened = new Map<string, OpenedManifest>();
  for (const folder of await JobFolder.find(directory)) {
    for await (const one of openManifests(folder, trust, findings)) opened.set(one.digest, one);
  }
  const groups = Map.groupBy(opened.values(), ({ manifest }) => manifest.resource);
  const resources = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([resource, manifests]) => {
    const remedy = "add that job, or restore neither this one nor what follows it";
    return linkJobs(
      resource,
      manifests.map(describeManifest),
      { check: checkNextJob, forks: false, remedy },
      findings,
    );
  });
  return { resources, findings };
}

/** The sound manifests of a folder; the others are findings. */
async function* openManifests(
  folder: JobFolder,
  trust: TrustPolicy,
  findings: ChainFinding[],
): AsyncGenerator<OpenedManifest> {
  try {
    const parts = (await folder.restoreObjects()).filter(({ header }) => header.objectType === 25)
      .map(({ header, bytes }) => ({ name: header.name, bytes }));
    const all = [...joinParts(parts).values()];
    if (all.length === 0) {
      throw new PluginError(
        "manifestMissing",
        "Cannot read the job: its folder holds no manifest, wanted one",
        {
          hint: "The folder is not whole: take it from another copy.",
        },
      );
    }
    for (const sealed of all) {
      try {
        yield await openManifest(sealed, trust);
      } catch (cause) {
        findings.push({ resource: null, job: folder.path, problem: sentenceOf(cause) });
      }
    }
  } catch (cause) {
    findings.push({ resource: null, job: folder.path, problem: sentenceOf(cause) });
  }
}

function describeManifest(opened: OpenedManifest): LinkableJob<OpenedManifest> {
  const { job, parent, oplog, createdAt } = opened.manifest;
  const slice = oplog === null
    ? {}
    : { slice: { entries: oplog.entries, bytes: oplog.bytes, segments: oplog.segments.length } };
  return {
    source: opened,
    key: opened.digest,
    parentKey: parent?.blake3 ?? null,
    job: {
      name: job.name,
      jobId: job.id,
      level: job.level,
      endedAt: createdAt,
      manifestId: opened.id,
      parent: parent?.jobName ?? null,
      from: oplog?.from ?? null,
      to: oplog?.to ?? null,
      ...slice,
      keyId: opened.keyId,
    },
  };
}

/** Links a resource's jobs: a chain for each job that none continues, back to where it begins. Adds to `findings` what is wrong. */
export function linkJobs<T>(
  resource: string,
  jobs: readonly LinkableJob<T>[],
  { check, forks, remedy }: ChainRules<T>,
  findings: ChainFinding[],
): ResourceChains {
  const ordered = [...jobs].sort((a, b) => byTime(a.job, b.job));
  const fulls = ordered.filter(({ parentKey }) => parentKey === null);
  const children = Map.groupBy(ordered, ({ parentKey }) => parentKey);
  const linked = new Set<LinkableJob<T>>();
  const accepts = (before: readonly LinkableJob<T>[], next: LinkableJob<T>) => {
    try {
      check(before.map(({ source }) => source), next.source);
      linked.add(next);
      return true;
    } catch (cause) {
      findings.push({ resource, job: next.job.name, problem: sentenceOf(cause) });
      return false;
    }
  };
  findings.push(...findOrphans(resource, ordered, remedy));
  const paths = fulls.filter((full) => accepts([], full)).map((full) => [full]);
  // Grows where a chain forks.
  for (const path of paths) {
    for (;;) {
      const tip = path.at(-1)!;
      const following = (children.get(tip.key) ?? []).filter((next) => accepts(path, next));
      if (!forks) findings.push(...findFork(resource, tip.job, following.map(({ job }) => job)));
      const [next, ...others] = following;
      for (const other of others) paths.push([...path, other]);
      if (next === undefined) break;
      path.push(next);
    }
  }
  const chains = paths.map((path) => path.map(({ job }) => job))
    .sort((a, b) => byTime(a.at(-1)!, b.at(-1)!));
  const unlinked = ordered.filter((one) => !linked.has(one)).map(({ job }) => job);
  if (unlinked.length > 0 && !findings.some((finding) => finding.resource === resource)) {
    findings.push({ resource, job: unlinked[0]!.name, problem: "it can't be reached from any Full" });
  }
  return {
    resource,
    chains: chains.map((jobs, at) => viewChain(jobs, at === chains.length - 1)),
    unlinked,
  };
}

function findOrphans(
  resource: string,
  jobs: readonly LinkableJob<unknown>[],
  remedy: string,
): ChainFinding[] {
  const keys = new Set(jobs.map(({ key }) => key));
  return jobs.filter(({ parentKey }) => parentKey !== null && !keys.has(parentKey)).map(
    ({ job, parentKey }) => {
      const parent = parentKey === job.parent
        ? parentKey
        : `${job.parent} (manifest ${parentKey?.slice(0, 16)})`;
      return { resource, job: job.name, problem: `it continues ${parent}, which is not here: ${remedy}` };
    },
  );
}

/** Any number of Differentials continue the same Full; of Incrementals, one continues a job. */
function findFork(resource: string, tip: ChainJob, following: readonly ChainJob[]): ChainFinding[] {
  const names = following.filter(({ level }) => level === "I").map(({ name }) => name);
  if (names.length < 2) return [];
  const problem = `the Incrementals ${names.join(", ")} each continue it, wanted one that does: ` +
    "they can't be restored together, choose one of them and what follows it";
  return [{ resource, job: tip.name, problem }];
}

function viewChain(jobs: readonly ChainJob[], isLatest: boolean): ChainView {
  const [first, tip] = [jobs[0]!, jobs.at(-1)!];
  const covered = first.to !== null && tip.to !== null
    ? { from: first.to, to: tip.to, seconds: wholeSeconds(first.to, tip.to) }
    : null;
  const next = isLatest && tip.to !== null ? { level: "I" as const, from: tip.to, after: tip.name } : null;
  return { jobs, covered, next };
}

/** By the server's clock, where it says: nobody knows what became of the machine's own between two jobs. */
function byTime(a: ChainJob, b: ChainJob): number {
  const [left, right] = [a, b].map(({ to, endedAt }) => to ?? { t: Date.parse(endedAt) / 1000, i: 0 });
  return compareTimestamps(left!, right!) || a.jobId - b.jobId || (a.name < b.name ? -1 : 1);
}

function sentenceOf(cause: unknown): string {
  return asPluginError(cause).report.replaceAll("\n", " ");
}
