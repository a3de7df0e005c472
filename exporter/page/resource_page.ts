/**
 * The page of one resource: what can be restored and how, and all its jobs.
 *
 * @module
 */

import { documentOf, stateSign } from "./document.ts";
import { factsOf } from "./facts.ts";
import { type Html, markup } from "./markup.ts";
import { jobTable } from "./job_table.ts";
import { dayChoices, defaultDays } from "./overview.ts";
import { choice } from "./page_links.ts";
import type { ResourceDetail } from "./resource_detail.ts";
import { gapWords, restorableWords, stretchWords } from "./restorable_words.ts";
import type { SidecarProblem } from "../sidecar/resource.ts";
import type { RestoreSteps } from "./restore_steps.ts";
import { cell, table } from "./table.ts";
import { timeLine, timeLineLegend, type TimeSpan } from "./time_line.ts";
import { formatInstant, formatNumberOf, withTimes } from "./wording.ts";

const day = 86_400;

/** What of a resource is shown. */
export interface ResourceQuery {
  /** How many days the time line shows; null for those that the resource has, as far as they are not many. */
  readonly days: number | null;
  /** Of the jobs, from 1 on. */
  readonly page: number;
}

/**
 * The page's text.
 *
 * @param now Unix seconds
 */
export function resourcePage(resource: ResourceDetail, { days, page }: ResourceQuery, now: number): string {
  const { name, state, reason, problems, jobs } = resource;
  const words = restorableWords(resource);
  return documentOf({
    title: `${name} - MongoDB backups`,
    root: "../",
    json: `api/v1/resources/${encodeURIComponent(name)}`,
    now,
    heading: markup`<p class="brand"><a href="../">MongoDB backups</a></p>
<h1>${name} ${stateSign(state)}</h1>
<p class="said">${reason}</p>`,
    main: markup`${problems.slice(1).map(problemOf)}
<div class="panel">${factsOf(resource, now)}</div>
<h2>What can be restored</h2>
<div class="panel">
<p>${withTimes(words)}</p>
${
      jobs.length === 0 ? null : markup`${timeLine(resource, spanOf(resource, days, now), words, jobs)}
<nav class="choice" aria-label="Length of the time line"><ul>
${dayChoices.map((one) => choice(`${one} days`, `?days=${one}`, one === days))}
</ul></nav>
${timeLineLegend()}`
    }
${stretchTable(resource)}
${unlinkedJobs(resource)}
</div>
<h2 id="restore">How to restore it</h2>
${howToRestore(resource)}
<h2 id="jobs">Jobs</h2>
<div class="panel">${jobTable(jobs, page, now)}</div>`,
  });
}

/** A page for a name that no resource has. */
export function unknownResourcePage(name: string, now: number): string {
  return documentOf({
    title: "No such resource - MongoDB backups",
    root: "../",
    json: "api/v1/resources",
    now,
    heading: markup`<p class="brand"><a href="../">MongoDB backups</a></p>
<h1>There is no resource ${name}</h1>`,
    main: markup`<p>No file in the working directory is of that name.</p>`,
  });
}

function problemOf({ file, sentence }: SidecarProblem): Html {
  return markup`<p class="trouble"><code>${file}</code>: ${sentence}.</p>\n`;
}

/** What was asked for; else from what can be restored first, or the first job, to now, within bounds. */
function spanOf({ restorable, jobs }: ResourceDetail, days: number | null, now: number): TimeSpan {
  if (days !== null) return { from: now - days * day, to: now };
  const starts = [...restorable.map(({ fullStart }) => fullStart), ...jobs.map(({ startedAt }) => startedAt)];
  const first = starts.reduce((a, b) => Math.min(a, b), now - day);
  return { from: Math.max(first, now - defaultDays * day), to: now };
}

/** What the line shows, for whoever likes words better. */
function stretchTable({ restorable, gaps }: ResourceDetail): Html | null {
  if (restorable.length === 0) return null;
  const stretches = restorable.map((stretch) => ({
    at: stretch.fullEnd,
    cells: [
      cell("What", withTimes(stretchWords(stretch))),
      cell("Jobs", stretch.jobs),
      cell("Full", markup`<code>${stretch.full}</code>`),
      cell("Last job", markup`<code>${stretch.last}</code>`),
    ],
  }));
  const holes = gaps.map((gap) => ({
    at: gap.after,
    cells: [
      cell("What", withTimes(gapWords(gap))),
      cell("Jobs", 0),
      cell("Full", "–"),
      cell("Last job", "–"),
    ],
  }));
  const rows = [...stretches, ...holes].sort((a, b) => b.at - a.at).map(({ cells }) => cells);
  return markup`<details><summary>As a table</summary>
${table("What can be restored, newest first", ["What", "Jobs", "Full", "Last job"], rows)}
</details>`;
}

function unlinkedJobs({ unlinked }: ResourceDetail): Html | null {
  if (unlinked.length === 0) return null;
  return markup`<details><summary>${formatNumberOf(unlinked.length, "good backup")} without a Full</summary>
<p>Nothing can be restored by these, as no Full is known that they go back to.</p>
<ul>${unlinked.map((name) => markup`<li><code>${name}</code></li>`)}</ul>
</details>`;
}

function howToRestore({ restore, restorable }: ResourceDetail): Html {
  const { asked, refusal, steps, jobs } = restore;
  const newest = restorable.at(-1);
  if (newest === undefined) return markup`<p class="trouble">${refusal}</p>`;
  const shown = asked !== "" || newest.seconds === null ? asked : formatInstant(newest.seconds.last);
  return markup`<form class="panel" method="get" action="#restore">
<label for="instant">Restore to the end of this second (UTC)</label>
<input id="instant" name="instant" value="${shown}" maxlength="40">
<button>Show the steps</button>
${asked === "" ? null : markup`<a href="?#restore">The newest state instead</a>`}
</form>
${refusal && markup`<p class="trouble" role="alert">${withTimes(refusal)}</p>`}
${steps[0] === undefined ? null : markup`<p class="muted">${leadOf(steps[0], jobs)}</p>`}
${steps.map((one, at) => stepsOf(one, at === 0))}`;
}

function leadOf({ tool }: RestoreSteps, jobs: readonly string[]): Html {
  const names = jobs.map((job, at) => markup`${at === 0 ? null : ", "}<code>${job}</code>`);
  const how = tool === "bconsole"
    ? markup`Type the lines in bconsole; the last <code>yes</code> starts the restore. Where it asks in between (several clients, Restore jobs, or Plugin lines in the FileSet), answer, and go on.`
    : markup`Run the command on a machine with the build. FOLDER is where the backups were written to, FILE has the connection string of the server to restore into.`;
  return markup`${how} Collections that hold documents are refused, unless they are to be replaced. ${
    formatNumberOf(jobs.length, "job")
  }: ${names}.`;
}

function stepsOf({ title, lines, tool }: RestoreSteps, isOpen: boolean): Html {
  const where = tool === "bconsole" ? "lines for bconsole" : "a command for the shell";
  return markup`<details class="panel"${isOpen ? markup` open` : null}>
<summary>${title}</summary>
<pre tabindex="0" aria-label="${title}: ${where}">${lines.join("\n")}</pre>
</details>
`;
}
