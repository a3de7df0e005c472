/**
 * What to type to restore a resource: lines for bconsole, or a command for jobs that Bacula doesn't know.
 *
 * @module
 */

import { compareTimestamps, lastIncrement, type OplogPosition } from "../../backend/timestamp.ts";
import { unixSeconds } from "../assessment.ts";
import type { Coverage } from "../chain.ts";
import type { Resource } from "../sidecar/resource.ts";
import { formatInstant, formatTime } from "./wording.ts";

/** One way to restore. */
export interface RestoreSteps {
  readonly purpose: "newest" | "instant" | "collection" | "beside" | "replace" | "files";
  readonly title: string;
  /** Where the lines are typed. */
  readonly tool: "bconsole" | "shell";
  readonly lines: readonly string[];
}

/** The steps that fit, and what was asked for. */
export interface RestorePlan {
  /** Names of the jobs that take part, the Full first; none where nothing can be restored. */
  readonly jobs: readonly string[];
  /** The instant that was asked for, as it was said; "" for the newest state. */
  readonly asked: string;
  /** The same in Unix seconds; null for the newest state, and for what is no instant. */
  readonly instant: number | null;
  /** Why there are no steps for what was asked for; null where there are. */
  readonly refusal: string | null;
  readonly steps: readonly RestoreSteps[];
}

/** A good backup and where it stands. */
interface Link {
  readonly name: string;
  readonly jobId: number;
  readonly parent: string | null;
  readonly end: OplogPosition | null;
}

/** Numbers of the fields in the form at a restore's prompt. */
const fields = { drop: 2, pit: 4, include: 6, nsFrom: 8, nsTo: 9 } as const;

/** How Bacula makes the name of a job: that of its resource, a time, a counter. Commands on a folder make others. */
const baculaName = /\.\d{4}-\d{2}-\d{2}_\d{2}\.\d{2}\.\d{2}_\d{2,}$/;

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?$/i;

/** Reads an instant as an operator writes it, a Unix second or RFC 3339, by itself in UTC; null for what is neither. */
function parseInstant(text: string): number | null {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const [, date, clock, zone = "Z"] = rfc3339.exec(text) ?? [];
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // JavaScript takes the 31st of February for one in March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date!)) return null;
  const milliseconds = Date.parse(`${date}T${clock}${zone.toUpperCase()}`);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

/**
 * What to type.
 *
 * @param asked the second through whose end to restore, a Unix second or RFC 3339; "" for the newest state
 */
export function planRestore(resource: Resource, coverage: Coverage, asked: string): RestorePlan {
  const instant = parseInstant(asked);
  const none = { jobs: [], asked, instant, steps: [] };
  if (coverage.chains.length === 0) return { ...none, refusal: "No Full is known." };
  if (asked !== "" && instant === null) {
    const example = formatInstant(unixSeconds(coverage.chains.at(-1)!.last.endedAt));
    return { ...none, refusal: `${asked} is no instant: say a Unix second or one like ${example}.` };
  }
  const links = linksOf(resource, coverage);
  const trail = instant === null ? newestTrail(links, coverage) : trailTo(instant, links, coverage);
  if (trail === null) return { ...none, refusal: refusalOf(instant!, coverage) };
  const isBacula = trail.every(({ name }) => baculaName.test(name));
  return {
    jobs: trail.map(({ name }) => name),
    asked,
    instant,
    refusal: null,
    steps: isBacula ? consoleSteps(trail, instant) : commandSteps(trail, instant),
  };
}

/** Good backups from which parents lead to a Full, by name. */
function linksOf({ jobs, tips }: Resource, { chains, unlinked }: Coverage): Map<string, Link> {
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
  for (let one = links.get(name); one !== undefined && !trail.includes(one);) {
    trail.unshift(one);
    one = one.parent === null ? undefined : links.get(one.parent);
  }
  return trail;
}

/** To the current chain's end; to that of the newest chain where the current one is broken. */
function newestTrail(links: ReadonlyMap<string, Link>, { chains, current }: Coverage): Link[] | null {
  const chain = current ?? chains.at(-1);
  return chain === undefined ? null : trailOf(chain.last.name, links);
}

/** The shortest way to a second: from the newest Full that ended before, over the fewest jobs. */
function trailTo(instant: number, links: ReadonlyMap<string, Link>, { chains }: Coverage): Link[] | null {
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

function refusalOf(instant: number, { chains }: Coverage): string {
  const seconds = chains.flatMap(({ covered }) => covered === null ? [] : [covered]);
  const before = seconds.filter(({ to }) => to.t <= instant).map(({ to }) => to.t - 1);
  const after = seconds.filter(({ from }) => from.t > instant).map(({ from }) => from.t);
  const nearest = [
    ...before.length === 0 ? [] : [`the last one before is ${formatTime(Math.max(...before))}`],
    ...after.length === 0 ? [] : [`the first one after is ${formatTime(Math.min(...after))}`],
  ];
  const others = nearest.length === 0 ? "" : `: ${nearest.join(", ")}`;
  return `No job covers ${formatTime(instant)}${others}.`;
}

function consoleSteps(trail: readonly Link[], instant: number | null): RestoreSteps[] {
  const pit = instant === null ? [] : [[fields.pit, formatInstant(instant)]] as const;
  const restore = (where: string) =>
    `restore jobid=${trail.map(({ jobId }) => jobId).join(",")} where=${where} all done`;
  const linesOf = (answers: readonly (readonly [field: number, value: string])[], where = "/") => [
    restore(where),
    ...answers.length === 0
      ? []
      : ["mod", "13", ...answers.flatMap(([field, value]) => ["mod", `${field}`, value]), "yes"],
    "yes",
  ];
  const include = [fields.include, "DATABASE.COLLECTION"] as const;
  const beside = [[fields.nsFrom, "DATABASE.COLLECTION"], [
    fields.nsTo,
    "DATABASE.COLLECTION_restored",
  ]] as const;
  return titled("bconsole", instant, {
    newest: linesOf(pit),
    replace: linesOf([[fields.drop, "yes"], ...pit]),
    collection: linesOf([...pit, include]),
    beside: linesOf([...pit, include, ...beside]),
    files: linesOf(pit, "/restore/here"),
  });
}

function commandSteps(trail: readonly Link[], instant: number | null): RestoreSteps[] {
  const job = quoteForShell(trail.at(-1)!.name);
  const pit = instant === null ? "" : ` pit=${formatInstant(instant)}`;
  const lineOf = (options: string, where = "") => [
    `podheitor-mongodb-backend restore --from FOLDER --job ${job}${where} ` +
    `"podheitor-mongodb: uri_file=FILE${pit}${options}"`,
  ];
  const include = " include=DATABASE.COLLECTION";
  return titled("shell", instant, {
    newest: lineOf(""),
    replace: lineOf(" drop=yes"),
    collection: lineOf(include),
    beside: lineOf(`${include} ns_from=DATABASE.COLLECTION ns_to=DATABASE.COLLECTION_restored`),
    files: lineOf("", " --where /restore/here"),
  });
}

function titled(
  tool: RestoreSteps["tool"],
  instant: number | null,
  lines: Readonly<Record<Exclude<RestoreSteps["purpose"], "instant">, readonly string[]>>,
): RestoreSteps[] {
  return [
    {
      purpose: instant === null ? "newest" : "instant",
      title: instant === null
        ? "Everything, as of the last backup"
        : `Everything, as of ${formatTime(instant)} UTC`,
      tool,
      lines: lines.newest,
    },
    { purpose: "replace", title: "The same, in place of what is there now", tool, lines: lines.replace },
    {
      purpose: "collection",
      title: "One collection, or DATABASE.* for a database",
      tool,
      lines: lines.collection,
    },
    { purpose: "beside", title: "One collection beside the live one", tool, lines: lines.beside },
    { purpose: "files", title: "Files for mongorestore", tool, lines: lines.files },
  ];
}

/** A name that no shell takes apart. */
function quoteForShell(name: string): string {
  return /^[A-Za-z0-9_.:-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
