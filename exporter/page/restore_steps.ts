/**
 * What to type to restore a resource: lines for bconsole, or a command for jobs that Bacula doesn't know.
 *
 * @module
 */

import { wholeSeconds } from "../../backend/timestamp.ts";
import { unixSeconds } from "../assessment.ts";
import type { Coverage } from "../chain.ts";
import type { Resource } from "../sidecar/resource.ts";
import { type Link, linksOf, newestTrail, trailTo } from "./restore_trail.ts";
import { formatInstant, formatTime } from "./wording.ts";

/** One way to restore. */
export interface RestoreSteps {
  readonly purpose: "newest" | "instant" | (typeof otherTitles)[number][0];
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

const otherTitles = [
  ["plan", "The plan alone: nothing is changed"],
  ["replace", "Everything, in place of what is there now"],
  ["collection", "One collection, or DATABASE.* for a database"],
  ["beside", "One collection beside the live one"],
  ["files", "Files for mongorestore"],
] as const;

/** Numbers of the fields in the form at a restore's prompt. */
const fields = { drop: 2, pit: 4, dryRun: 5, include: 6, nsFrom: 8, nsTo: 9 } as const;

/** What an operator writes another name in place of. */
const collection = "DATABASE.COLLECTION";

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
    steps: isBacula ? consoleSteps(resource.name, trail, instant) : commandSteps(trail, instant),
  };
}

function refusalOf(instant: number, { chains }: Coverage): string {
  const seconds = chains.flatMap(({ covered }) =>
    covered === null ? [] : wholeSeconds(covered.from, covered.to) ?? []
  );
  const before = seconds.filter(({ last }) => last < instant).map(({ last }) => last);
  const after = seconds.filter(({ first }) => first > instant).map(({ first }) => first);
  const nearest = [
    ...before.length === 0 ? [] : [`the last one before is ${formatTime(Math.max(...before))}`],
    ...after.length === 0 ? [] : [`the first one after is ${formatTime(Math.min(...after))}`],
  ];
  const others = nearest.length === 0 ? "" : `: ${nearest.join(", ")}`;
  return `No job covers the end of ${formatTime(instant)}${others}.`;
}

/** The resource alone is marked: a job may have saved others, and ordinary files. */
function consoleSteps(resource: string, trail: readonly Link[], instant: number | null): RestoreSteps[] {
  const jobIds = trail.map(({ jobId }) => jobId).join(",");
  const pit = instant === null ? [] : [[fields.pit, formatInstant(instant)]] as const;
  const linesOf = (answers: readonly (readonly [field: number, value: string])[], where = "/") => [
    `restore jobid=${jobIds} where=${where}`,
    "cd /@mongodb",
    `mark ${resource}`,
    "done",
    ...answers.length === 0
      ? []
      : ["mod", "13", ...answers.flatMap(([field, value]) => ["mod", `${field}`, value]), "yes"],
    "yes",
  ];
  const include = [fields.include, collection] as const;
  return titled("bconsole", instant, {
    newest: linesOf(pit),
    plan: linesOf([...pit, [fields.dryRun, "yes"]]),
    replace: linesOf([[fields.drop, "yes"], ...pit]),
    collection: linesOf([...pit, include]),
    beside: linesOf([...pit, include, [fields.nsFrom, collection], [fields.nsTo, `${collection}_restored`]]),
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
  const include = ` include=${collection}`;
  return titled("shell", instant, {
    newest: lineOf(""),
    plan: lineOf(" dry_run=yes"),
    replace: lineOf(" drop=yes"),
    collection: lineOf(include),
    beside: lineOf(`${include} ns_from=${collection} ns_to=${collection}_restored`),
    files: lineOf("", " --where /restore/here"),
  });
}

function titled(
  tool: RestoreSteps["tool"],
  instant: number | null,
  lines: Readonly<Record<Exclude<RestoreSteps["purpose"], "instant">, readonly string[]>>,
): RestoreSteps[] {
  const { newest, ...others } = lines;
  const first = instant === null
    ? { purpose: "newest", title: "Everything, as of the last backup" } as const
    : { purpose: "instant", title: `Everything, as of ${formatTime(instant)} UTC` } as const;
  return [
    { ...first, tool, lines: newest },
    ...otherTitles.map(([purpose, title]) => ({ purpose, title, tool, lines: others[purpose] })),
  ];
}

/** A name that no shell takes apart. */
function quoteForShell(name: string): string {
  return /^[A-Za-z0-9_.:-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
