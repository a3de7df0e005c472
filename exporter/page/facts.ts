/**
 * A resource's facts: its last jobs, its oplog, its rehearsal.
 *
 * @module
 */

import { type Html, type HtmlValue, markup } from "./markup.ts";
import type { JobView } from "./job_view.ts";
import type { ResourceSummary } from "./resource_summary.ts";
import { formatContent, formatDuration, formatNumberOf, time } from "./wording.ts";

/** The list of facts. What isn't known is left out. */
export function factsOf(resource: ResourceSummary, now: number): Html {
  const { lastGood, lagSeconds, oplogWindowSeconds, continueBefore, lastRehearsal } = resource;
  return markup`<dl class="facts">
${
    fact(
      "Full",
      lastGood.full === null ? markup`<span class="muted">none</span>` : backupWords(lastGood.full, now),
    )
  }
${lastGood.differential && fact("Differential", backupWords(lastGood.differential, now))}
${lastGood.incremental && fact("Incremental", backupWords(lastGood.incremental, now))}
${lagSeconds === null ? null : fact("Not yet saved", `the last ${formatDuration(lagSeconds)}`)}
${oplogWindowSeconds === null ? null : fact("Oplog", `reached ${formatDuration(oplogWindowSeconds)} back`)}
${continueBefore === null ? null : fact("Continue by", time(continueBefore, now))}
${fact("Rehearsed", rehearsalWords(lastRehearsal, now))}
</dl>`;
}

function fact(name: string, value: HtmlValue): Html {
  return markup`<div class="fact"><dt>${name}</dt><dd>${value}</dd></div>`;
}

function backupWords(job: JobView, now: number): Html {
  return markup`${time(job.endedAt, now)} · ${formatContent(job)}`;
}

function rehearsalWords(job: JobView | null, now: number): Html {
  if (job === null) return markup`<span class="muted">never</span>`;
  return markup`${time(job.endedAt, now)}, ${rehearsalOutcome(job)}`;
}

function rehearsalOutcome({ outcome, rehearsal }: JobView): string {
  const findings = rehearsal?.findingsTotal ?? 0;
  if (findings > 0) return formatNumberOf(findings, "difference");
  if (outcome !== "success") return "didn't come to its end";
  return rehearsal?.proven === true ? "all as it should be" : "not all could be compared";
}
