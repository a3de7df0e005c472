/**
 * The picture of what can be restored: a line of time in SVG, as wide as there is room.
 *
 * @module
 */

import { type Html, markup } from "./markup.ts";
import type { JobView } from "./job_view.ts";
import type { ResourceSummary } from "./resource_summary.ts";
import { formatNumberOf, formatTime } from "./wording.ts";

/** The time that a line shows, in Unix seconds. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

const hour = 3600;
const day = 24 * hour;

/** Distances between the marks below a line, and how many there may be. */
const steps = [
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  14 * day,
  28 * day,
  91 * day,
] as const;
const marksMax = 6;

/** Jobs on a line up to which each slice of the oplog has its end shown. */
const slicesMax = 80;

/** Marks nearer to an end than this part have no room for their words. */
const margin = 0.06;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/**
 * The line of a resource.
 *
 * @param described what it shows, in words, for whoever can't see it
 * @param jobs that are marked one by one; the summary's failed backups and last rehearsal where they aren't given
 */
export function timeLine(
  resource: ResourceSummary,
  span: TimeSpan,
  described: string,
  jobs: readonly JobView[] = [...resource.failedBackups, ...markOf(resource.lastRehearsal)],
): Html {
  const { name, restorable, gaps } = resource;
  const ids = { title: `line-${name}`, description: `line-${name}-words` };
  const covered = restorable.flatMap(({ covered }) => covered === null ? [] : [covered]);
  const fulls = restorable.map(({ fullStart, fullEnd }) => ({ from: fullStart, to: fullEnd }));
  const within = jobs.filter(({ endedAt }) => endedAt >= span.from && endedAt <= span.to);
  return markup`<svg class="line" role="img" aria-labelledby="${ids.title} ${ids.description}" width="100%" height="46">
<title id="${ids.title}">What can be restored of ${name}, ${formatTime(span.from)} to ${
    formatTime(span.to)
  }</title>
<desc id="${ids.description}">${described} ${
    formatNumberOf(within.filter(isFailure).length, "failed job")
  } shown.</desc>
<rect class="track" x="0" y="9" width="100%" height="12" rx="2"/>
${gaps.map(({ after, before }) => bar("gap", { from: after, to: before }, span, 9, 12))}
${covered.map((stretch) => bar("covered", stretch, span, 9, 12))}
${fulls.map((full) => bar("full", full, span, 5, 20))}
${within.map((job) => mark(job, span, within.length <= slicesMax))}
${marks(span)}
</svg>`;
}

/** What the signs of a line mean. */
export function timeLineLegend(): Html {
  const sign = (shape: Html, words: string) =>
    markup`<li><svg width="18" height="18" aria-hidden="true">${shape}</svg>${words}</li>\n`;
  return markup`<ul class="legend" aria-label="Signs of the time lines">
${sign(markup`<rect class="covered" x="1" y="4" width="16" height="10"/>`, "any instant can be restored")}
${sign(markup`<rect class="full" x="7" y="1" width="4" height="16"/>`, "a Full was read")}
${sign(markup`<rect class="gap" x="1" y="4" width="16" height="10"/>`, "gap: no instant of it")}
${sign(markup`<path class="failed" d="M4 4 14 14M14 4 4 14"/>`, "failed job")}
${sign(markup`<circle class="rehearsed" cx="9" cy="9" r="5"/>`, "good rehearsal")}
</ul>`;
}

/** Part of the line, or nothing where it lies outside. */
function bar(
  kind: "covered" | "full" | "gap",
  { from, to }: TimeSpan,
  span: TimeSpan,
  y: number,
  height: number,
): Html | null {
  if (to < span.from || from > span.to) return null;
  const [left, right] = [partOf(Math.max(from, span.from), span), partOf(Math.min(to, span.to), span)];
  const [x, width] = [percent(left), percent(right - left)];
  return markup`<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}"/>\n`;
}

/** A sign at a job's end. */
function mark(job: JobView, span: TimeSpan, withSlices: boolean): Html | null {
  const { kind, outcome, endedAt, level } = job;
  const x = percent(partOf(endedAt, span));
  if (isFailure(job)) {
    return markup`<svg x="${x}" y="15" overflow="visible"><path class="failed" d="M-5-5 5 5M5-5-5 5"/></svg>\n`;
  }
  if (outcome !== "success") return null;
  if (kind === "rehearsal") return markup`<circle class="rehearsed" cx="${x}" cy="15" r="5"/>\n`;
  const isSlice = withSlices && kind === "backup" && level !== "full";
  return isSlice ? markup`<line class="slice" x1="${x}" x2="${x}" y1="9" y2="21"/>\n` : null;
}

function isFailure({ kind, outcome }: JobView): boolean {
  return outcome === "failed" && kind !== "restore";
}

/** Times below the line, at round distances. */
function marks(span: TimeSpan): Html[] {
  const least = (span.to - span.from) / marksMax;
  const step = steps.find((step) => step >= least) ?? Math.ceil(least / day) * day;
  const found: Html[] = [];
  for (let at = Math.ceil(span.from / step) * step; at <= span.to; at += step) {
    const part = partOf(at, span);
    if (part < margin || part > 1 - margin) continue;
    const x = percent(part);
    found.push(markup`<line class="tick" x1="${x}" x2="${x}" y1="25" y2="29"/>
<text x="${x}" y="42" text-anchor="middle">${wordsOf(at, step)}</text>
`);
  }
  return found;
}

function wordsOf(at: number, step: number): string {
  const date = new Date(at * 1000);
  const ofDay = `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
  return step >= day || at % day === 0 ? ofDay : date.toISOString().slice(11, 16);
}

function markOf(job: JobView | null): JobView[] {
  return job === null ? [] : [job];
}

function partOf(at: number, { from, to }: TimeSpan): number {
  return (at - from) / Math.max(1, to - from);
}

function percent(part: number): string {
  return `${Number((100 * part).toFixed(3))}%`;
}
