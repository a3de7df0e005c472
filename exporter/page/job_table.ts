/**
 * A resource's jobs, newest first.
 *
 * @module
 */

import { type Html, markup } from "./markup.ts";
import type { JobView, RehearsalView } from "./job_view.ts";
import { pageLinks } from "./page_links.ts";
import { cell, shortCell, table } from "./table.ts";
import { formatContent, formatCount, formatDuration, formatNumberOf, time } from "./wording.ts";

const pageSize = 50;

const kindWords = {
  full: "Full",
  differential: "Differential",
  incremental: "Incremental",
  backup: "Backup",
  restore: "Restore",
  rehearsal: "Rehearsal",
} as const;

const outcomes = {
  success: { state: "ok", words: "good" },
  failed: { state: "failed", words: "failed" },
  canceled: { state: "warning", words: "cancelled" },
} as const;

/** One page of the jobs. */
export function jobTable(jobs: readonly JobView[], asked: number, now: number): Html {
  if (jobs.length === 0) return markup`<p>No job is recorded.</p>`;
  const pages = Math.ceil(jobs.length / pageSize);
  const page = Math.min(asked, pages);
  const shown = jobs.slice((page - 1) * pageSize, page * pageSize);
  const caption = `${formatNumberOf(jobs.length, "job")} recorded, newest first; the last 400 are kept`;
  const headings = ["Ended", "What", "Outcome", "Took", "Content", "Size", "Job"];
  return markup`${table(caption, headings, shown.map((job) => cellsOf(job, now)))}
${pageLinks(page, pages, (one) => `?page=${one}#jobs`)}`;
}

function cellsOf(job: JobView, now: number): Html[] {
  const { kind, level, endedAt, durationSeconds, jobId, jobName, manifestId } = job;
  const manifest = manifestId === null
    ? null
    : markup`<div class="muted">manifest <code>${manifestId}</code></div>`;
  return [
    cell("Ended", time(endedAt, now)),
    shortCell("What", kindWords[level ?? kind]),
    cell("Outcome", outcomeOf(job)),
    shortCell("Took", formatDuration(durationSeconds)),
    shortCell("Content", contentOf(job)),
    shortCell("Size", formatContent(job)),
    cell("Job", markup`${jobId} <code>${jobName}</code>${manifest}`),
  ];
}

function contentOf({ documents, slice }: JobView): string {
  return documents === 0 && slice !== null
    ? formatNumberOf(slice.entries, "entry", "entries")
    : formatNumberOf(documents, "document");
}

function outcomeOf({ outcome, error, warnings, rehearsal }: JobView): Html {
  const { state, words } = outcomes[outcome];
  return markup`<span class="state state-${state}">${words}</span>
${error && markup`<div class="said">${error.code} ${error.text}</div>`}
${warnings === 0 ? null : markup`<div class="muted">${formatNumberOf(warnings, "warning")} in its log</div>`}
${rehearsal && rehearsalDetails(rehearsal)}`;
}

function rehearsalDetails({ findings, findingsTotal, unproven, unprovenTotal }: RehearsalView): Html {
  return markup`${sentences(formatNumberOf(findingsTotal, "difference"), findings, findingsTotal)}
${sentences(`${formatCount(unprovenTotal)} not compared`, unproven, unprovenTotal)}`;
}

function sentences(summary: string, said: readonly string[], total: number): Html | null {
  if (total === 0) return null;
  const rest = total - said.length;
  return markup`<details><summary>${summary}</summary>
<ul>${said.map((sentence) => markup`<li class="said">${sentence}</li>`)}</ul>
${rest > 0 ? markup`<p class="muted">${formatCount(rest)} more are not recorded.</p>` : null}
</details>`;
}
