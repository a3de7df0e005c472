/**
 * The instant of a restore: what `pit=` may say, and which place of the oplog it means.
 *
 * The rule of the boundary: a bare second means through the end of that second; a second with an increment means that very entry and all before it. Both
 * are inclusive.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import {
  compareTimestamps,
  describeTimestamp,
  lastIncrement,
  type OplogPosition,
  type Timestamp,
  wholeSeconds,
} from "../timestamp.ts";
import { ValueFault } from "./value_fault.ts";

/** What `pit=` says. */
export type PointInTime =
  | { readonly kind: "instant"; readonly at: Timestamp }
  /** The N-th incremental of the chain's newest day. */
  | { readonly kind: "incrementOfDay"; readonly number: number }
  /** The N-th incremental since the Full. */
  | { readonly kind: "incrementOfChain"; readonly number: number };

const wanted =
  'a Unix second or an RFC 3339 instant, either with ":<increment>" or "@<increment>" if need be, or ":inc=N" or "@inc=N"';

/** Reads a text; throws a {@linkcode ValueFault}. */
export function parsePointInTime(text: string): PointInTime {
  const increment = /^([:@])inc=(\d{1,9})$/.exec(text);
  if (increment !== null) {
    const number = Number(increment[2]);
    if (number < 1) throw new ValueFault("counts incrementals from 1");
    return { kind: increment[1] === ":" ? "incrementOfDay" : "incrementOfChain", number };
  }
  const match =
    /^(\d{1,10}|\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))(?:[:@](\d{1,10}))?$/.exec(
      text,
    );
  if (match === null) throw new ValueFault(`is no point in time, wanted ${wanted}`);
  const t = /^\d+$/.test(match[1]!) ? Number(match[1]) : parseInstant(match[1]!);
  if (t < 0 || t > 0xffff_ffff) throw new ValueFault("is outside of the years 1970 to 2106");
  if (match[2] === undefined) return { kind: "instant", at: { t, i: lastIncrement } };
  const i = Number(match[2]);
  if (i < 1 || i > lastIncrement) {
    throw new ValueFault(`has an increment that is not within 1 to ${lastIncrement}`);
  }
  return { kind: "instant", at: { t, i } };
}

/** Unix seconds of an RFC 3339 instant. */
function parseInstant(text: string): number {
  const [, date, time, fraction, offset] = /^(.{10})[Tt](.{8})(\.\d+)?(.+)$/.exec(text)!;
  if (fraction !== undefined && /[1-9]/.test(fraction)) {
    throw new ValueFault(
      'has a fraction of a second, which an oplog doesn\'t know: give the whole second, or ":<increment>" behind it',
    );
  }
  const [hours = 0, minutes = 0] = offset!.slice(1).split(":").map(Number);
  const utc = Date.parse(`${date}T${time}Z`);
  // A day or an hour that isn't in the calendar is moved on by some parsers, and refused by others.
  const isReal = !Number.isNaN(utc) && new Date(utc).toISOString().startsWith(`${date}T${time}`);
  if (!isReal || hours > 23 || minutes > 59) {
    throw new ValueFault("is no instant of the calendar, in which a leap second isn't counted either");
  }
  const shift = offset!.toUpperCase() === "Z"
    ? 0
    : (hours * 60 + minutes) * 60 * (offset!.startsWith("-") ? -1 : 1);
  return utc / 1000 - shift;
}

/** A job of a chain, as far as its end goes. */
export interface ChainEnd {
  readonly level: "F" | "I" | "D";
  readonly jobName: string;
  readonly to: OplogPosition;
}

/**
 * The timestamp of the last entry that may be applied.
 *
 * @param jobs in the chain's order, the Full first
 * @param dayOf calendar day of an instant in Unix seconds
 * @throws PluginError `pointInTime` when the chain doesn't cover it
 */
export function resolvePointInTime(
  target: PointInTime,
  jobs: readonly ChainEnd[],
  dayOf: (unixSeconds: number) => string,
): Timestamp {
  if (target.kind !== "instant") return nthIncrement(target, jobs, dayOf);
  const { at } = target;
  const [earliest, latest] = [jobs[0]!.to, jobs.at(-1)!.to];
  if (compareTimestamps(at, earliest) < 0) {
    throw outside(
      at,
      jobs,
      `a Full gives nothing before or within its own dump; the earliest instant that it can give is its end, ${
        describeTimestamp(earliest)
      }`,
    );
  }
  if (compareTimestamps(at, latest) > 0) {
    const isLastSecond = at.t === latest.t && at.i === lastIncrement;
    throw outside(
      at,
      jobs,
      isLastSecond
        ? `the chain ends within that second, at ${
          describeTimestamp(latest)
        }; for its very end say ${latest.t}:${latest.i}, or leave pit= out`
        : `the chain ends at ${describeTimestamp(latest)}`,
    );
  }
  return at;
}

function nthIncrement(
  { kind, number }: Exclude<PointInTime, { kind: "instant" }>,
  jobs: readonly ChainEnd[],
  dayOf: (unixSeconds: number) => string,
): Timestamp {
  const increments = jobs.filter(({ level }) => level !== "F");
  const newest = increments.at(-1);
  const day = newest === undefined ? "" : dayOf(newest.to.t);
  const counted = kind === "incrementOfChain"
    ? increments
    : increments.filter(({ to }) => dayOf(to.t) === day);
  const found = counted[number - 1];
  if (found !== undefined) return { t: found.to.t, i: found.to.i };
  const where = kind === "incrementOfDay" && newest !== undefined
    ? `on its newest day, ${day}`
    : "since its Full";
  throw new PluginError(
    "pointInTime",
    `Cannot restore to incremental ${number}: the chain has ${counted.length} ${where}`,
    { hint: `Choose one of these, give an instant, or leave pit= out. ${describeCoverage(jobs)}` },
  );
}

function outside(at: Timestamp, jobs: readonly ChainEnd[], reason: string): PluginError {
  const shown = at.i === lastIncrement
    ? `the end of second ${at.t} (${new Date(at.t * 1000).toISOString().replace(".000Z", "Z")})`
    : describeTimestamp(at);
  return new PluginError("pointInTime", `Cannot restore to ${shown}: ${reason}`, {
    hint: `${describeCoverage(jobs)} Choose an instant in there, or other jobs.`,
  });
}

/** A sentence that says which instants can be given; a bare second is one whose very end is covered. */
function describeCoverage(jobs: readonly ChainEnd[]): string {
  const [from, to] = [jobs[0]!.to, jobs.at(-1)!.to];
  const seconds = wholeSeconds(from, to);
  const whole = seconds === null
    ? "and no whole second"
    : `as bare seconds ${seconds.first}${seconds.last === seconds.first ? "" : ` to ${seconds.last}`}`;
  return `These jobs cover ${describeTimestamp(from)} to ${describeTimestamp(to)}, ${whole}.`;
}
