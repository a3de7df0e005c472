/**
 * The status page: one row for each resource, the worst first.
 *
 * @module
 */

import { states } from "../assessment.ts";
import { documentOf, stateSign, stateWords } from "./document.ts";
import { factsOf } from "./facts.ts";
import { type Html, type HtmlValue, markup } from "./markup.ts";
import { dayChoices, formatOverviewQuery, type Overview, type OverviewQuery } from "./overview.ts";
import { choice, pageLinks } from "./page_links.ts";
import { restorableWords } from "./restorable_words.ts";
import type { ResourceSummary } from "./resource_summary.ts";
import { timeLine, timeLineLegend } from "./time_line.ts";
import { formatCount, formatNumberOf, withTimes } from "./wording.ts";

const day = 86_400;

/** The page's text. */
export function overviewPage(overview: Overview): string {
  const { query, trouble, total, resources, now, pages } = overview;
  const list = markup`${filters(overview)}
${timeLineLegend()}
${resources.length === 0 ? markup`<p class="empty">No resource is like that.</p>` : null}
<ol class="resources">
${resources.map((resource) => rowOf(resource, query.days, now))}
</ol>
${pageLinks(query.page, pages, (page) => formatOverviewQuery(query, { page }))}`;
  const verdict = verdictOf(overview);
  return documentOf({
    title: `${verdict} - MongoDB backups`,
    root: "./",
    json: "api/v1/resources",
    now,
    heading: markup`<p class="brand">MongoDB backups</p>
<h1>${verdict}</h1>`,
    main: markup`${trouble && markup`<p class="trouble" role="alert">${trouble}</p>`}
${total === 0 ? emptyState(trouble !== null) : list}`,
  });
}

function rowOf(resource: ResourceSummary, days: number, now: number): Html {
  const { name, state, reason, recordedJobs } = resource;
  const words = restorableWords(resource);
  const span = { from: now - days * day, to: now };
  return markup`<li class="resource">
<div>
<h2><a href="resources/${encodeURIComponent(name)}">${name}</a> ${stateSign(state)}</h2>
<p class="said">${reason}</p>
${recordedJobs === 0 ? null : timeLine(resource, span, words)}
<p>${withTimes(words)}</p>
</div>
${factsOf(resource, now)}
</li>
`;
}

function verdictOf({ total, counts, trouble }: Overview): string {
  if (trouble !== null) return "The working directory can't be read";
  if (total === 0) return "No backup is known yet";
  const attention = total - counts.ok;
  if (attention > 0) {
    const verb = attention === 1 ? "needs" : "need";
    return `${formatCount(attention)} of ${formatNumberOf(total, "resource")} ${verb} attention`;
  }
  return total === 1 ? "The one resource is in order" : `All ${formatCount(total)} resources are in order`;
}

function emptyState(isTroubled: boolean): Html {
  return isTroubled
    ? markup`<p class="empty">Name the File Daemon's working directory with <code>--working-dir</code>, and run the exporter as a user who may read it.</p>`
    : markup`<div class="empty">
<p>Nothing is wrong: no job has left a record in the working directory so far. The first backup of a resource, good or failed, shows up here when it ends.</p>
<p>If jobs have run, the exporter reads another directory than the File Daemon writes to: <code>--working-dir</code> must name the <code>WorkingDirectory</code> of bacula-fd.conf.</p>
</div>`;
}

function filters({ query, counts, total }: Overview): Html {
  const link = (words: HtmlValue, change: Partial<OverviewQuery>, isCurrent: boolean) =>
    choice(words, formatOverviewQuery(query, { page: 1, ...change }), isCurrent);
  const shown = states.toReversed().filter((state) => counts[state] > 0 || query.state === state);
  return markup`<div class="filters">
<nav class="choice" aria-label="By state"><ul>
${link(`All ${formatCount(total)}`, { state: null }, query.state === null)}
${shown.map((state) => link(`${stateWords[state]} ${counts[state]}`, { state }, query.state === state))}
</ul></nav>
<nav class="choice" aria-label="Length of the time lines"><ul>
${dayChoices.map((days) => link(`${days} days`, { days }, query.days === days))}
</ul></nav>
<form method="get" action="./" role="search">
<label for="find">Name</label>
<input id="find" name="find" type="search" maxlength="64" value="${query.find}">
${query.state && markup`<input type="hidden" name="state" value="${query.state}">`}
<input type="hidden" name="days" value="${query.days}">
<button>Find</button>
</form>
</div>`;
}
