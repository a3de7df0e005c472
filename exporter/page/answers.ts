/**
 * The answers for people, and the same for programs: both are made of one view.
 *
 * @module
 */

import type { SidecarReader } from "../survey.ts";
import { overviewOf, type OverviewQuery, parseDays, parseOverviewQuery, parsePage } from "./overview.ts";
import { overviewPage } from "./overview_page.ts";
import { detailOf } from "./resource_detail.ts";
import { resourcePage, unknownResourcePage } from "./resource_page.ts";
import { styleSheet } from "./style.ts";

/** What an answer needs: the path's parameter `name`, if it has one, the query, and the time in Unix seconds. */
export interface Question {
  readonly sidecars: SidecarReader;
  readonly name: string;
  readonly query: URLSearchParams;
  readonly now: number;
}

/** An answer's body, and how it is to be taken. */
interface PageAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** `/`: all resources. */
export async function answerOverview({ sidecars, query, now }: Question): Promise<PageAnswer> {
  const overview = overviewOf(await sidecars.survey(), parseOverviewQuery(query), now);
  return page(overview.trouble === null ? 200 : 503, overviewPage(overview));
}

/** `/resources/:name`: one resource. */
export async function answerResource({ sidecars, name, query, now }: Question): Promise<PageAnswer> {
  const resource = await sidecars.history(name);
  if (resource === null) return page(404, unknownResourcePage(name, now));
  const detail = detailOf(resource, instantOf(query), now);
  const shown = { days: parseDays(query.get("days")), page: parsePage(query.get("page")) };
  return page(200, resourcePage(detail, shown, now));
}

/** `/api/v1/resources`: all that are asked for, without pages. */
export async function answerOverviewJson({ sidecars, query, now }: Question): Promise<PageAnswer> {
  const asked: OverviewQuery = { ...parseOverviewQuery(query), page: 1, size: Infinity };
  const { trouble, counts, total, resources } = overviewOf(await sidecars.survey(), asked, now);
  return json(trouble === null ? 200 : 503, { now: Math.floor(now), trouble, counts, total, resources });
}

/** `/api/v1/resources/:name`: one resource with its jobs and the steps to restore it. */
export async function answerResourceJson({ sidecars, name, query, now }: Question): Promise<PageAnswer> {
  const resource = await sidecars.history(name);
  if (resource === null) return json(404, { error: "There is no resource of this name" });
  return json(200, { now: Math.floor(now), ...detailOf(resource, instantOf(query), now) });
}

/** `/style.css`. */
export function answerStyle(): PageAnswer {
  return { status: 200, contentType: "text/css; charset=utf-8", body: styleSheet };
}

function instantOf(query: URLSearchParams): string {
  return (query.get("instant") ?? "").trim().slice(0, 40);
}

function page(status: number, body: string): PageAnswer {
  return { status, contentType: "text/html; charset=utf-8", body };
}

function json(status: number, body: unknown): PageAnswer {
  return { status, contentType: "application/json", body: `${JSON.stringify(body, null, 1)}\n` };
}
