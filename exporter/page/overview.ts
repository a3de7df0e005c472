/**
 * What the status page and the JSON say of all resources: those that were asked for, the worst first.
 *
 * @module
 */

import { type Assessment, judge, type State, states } from "../assessment.ts";
import type { Survey } from "../survey.ts";
import { type ResourceSummary, summarize } from "./resource_summary.ts";

/** Which resources, and how they are shown. */
export interface OverviewQuery {
  /** Only resources in this state. */
  readonly state: State | null;
  /** Only resources whose name holds this text, in whatever case. */
  readonly find: string;
  /** From 1 on. */
  readonly page: number;
  /** Resources on a page. */
  readonly size: number;
  /** How many days the time lines show. */
  readonly days: number;
}

/** The resources on one page of those that were asked for. */
export interface Overview {
  readonly query: OverviewQuery;
  /** Unix seconds. */
  readonly now: number;
  /** Why the working directory can't be read, or null. */
  readonly trouble: string | null;
  /** Of all resources. */
  readonly counts: Readonly<Record<State, number>>;
  readonly total: number;
  /** How many were asked for. */
  readonly found: number;
  readonly pages: number;
  readonly resources: readonly ResourceSummary[];
}

/** Lengths of the time lines to choose from. */
export const dayChoices = [7, 30, 90, 365] as const;

/** Days that a line shows unless others are asked for. */
export const defaultDays = 30;

const defaultSize = 50;

/** Reads a query; what means nothing is as if it weren't there. */
export function parseOverviewQuery(parameters: URLSearchParams): OverviewQuery {
  return {
    state: states.find((state) => state === parameters.get("state")) ?? null,
    find: (parameters.get("find") ?? "").trim().slice(0, 64),
    page: parsePage(parameters.get("page")),
    size: defaultSize,
    days: parseDays(parameters.get("days")) ?? defaultDays,
  };
}

/** A length of the time lines, null where it is none. */
export function parseDays(text: string | null): number | null {
  return dayChoices.find((days) => text === String(days)) ?? null;
}

/** The number of a page, 1 where it means nothing. */
export function parsePage(text: string | null): number {
  return text !== null && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1;
}

/** The query as it stands in a link, with changes; defaults are left out. */
export function formatOverviewQuery(query: OverviewQuery, change: Partial<OverviewQuery>): string {
  const { state, find, page, days } = { ...query, ...change };
  const parameters = new URLSearchParams({
    ...state === null ? {} : { state },
    ...find === "" ? {} : { find },
    ...days === defaultDays ? {} : { days: `${days}` },
    ...page === 1 ? {} : { page: `${page}` },
  });
  // A link that is nothing but "" leads to the page itself with the query that it has.
  return parameters.size === 0 ? "." : `?${parameters}`;
}

/**
 * One page of the resources that were asked for.
 *
 * @param now Unix seconds
 */
export function overviewOf(survey: Survey, query: OverviewQuery, now: number): Overview {
  const judged = survey.resources.map((resource) => ({ resource, state: judge(resource, now).state }));
  const found = judged.filter(({ resource, state }) =>
    (query.state === null || state === query.state) &&
    resource.name.toLowerCase().includes(query.find.toLowerCase())
  ).sort((a, b) =>
    states.indexOf(b.state) - states.indexOf(a.state) || lastGood(a.resource) - lastGood(b.resource)
  );
  const pages = Math.max(1, Math.ceil(found.length / query.size));
  const page = Math.min(query.page, pages);
  const count = (state: State) => judged.filter((one) => one.state === state).length;
  return {
    query: { ...query, page },
    now,
    trouble: survey.trouble,
    counts: Object.fromEntries(states.map((state) => [state, count(state)])) as Record<State, number>,
    total: judged.length,
    found: found.length,
    pages,
    resources: found.filter((_, at) => Math.floor(at / query.size) === page - 1)
      .map(({ resource }) => summarize(resource, now)),
  };
}

/** When the last good backup ended; the longest ago comes first. */
function lastGood({ last: { goodBackup } }: Assessment): number {
  return goodBackup === null ? 0 : Date.parse(goodBackup.endedAt);
}
