/**
 * What the exporter answers: one table of paths.
 *
 * @module
 */

import { metricContentTypes, type MetricFormat, type Metrics } from "./metrics.ts";
import type { SidecarReader } from "./survey.ts";

/** What answers are made from. */
export interface RouteContext {
  readonly sidecars: SidecarReader;
  readonly metrics: Metrics;
  /** Unix seconds, with their fraction. */
  now(): number;
}

/** An answer, complete. */
export interface Answer {
  /** 200 where it isn't said. */
  readonly status?: number;
  readonly contentType: string;
  readonly body: string;
}

/** A path and its answer to GET; HEAD gets the same without its body. */
export interface Route {
  /** As URLPattern has it: `/metrics`, `/resources/:name`. */
  readonly path: string;
  /** What is there, for `--help` and REFERENCE.md. */
  readonly about: string;
  /** `parameters` are the path's, percent-decoded. */
  answer(
    request: Request,
    context: RouteContext,
    parameters: Readonly<Record<string, string | undefined>>,
  ): Answer | Promise<Answer>;
}

/** The table. */
export const routes: readonly Route[] = [
  {
    path: "/metrics",
    about: "the metrics, in OpenMetrics where the scraper asks for it",
    answer: answerMetrics,
  },
  {
    path: "/healthz",
    about: "`ok` while the exporter runs",
    answer: () => ({ contentType: plain, body: "ok\n" }),
  },
];

const plain = "text/plain; charset=utf-8";

/** Nothing is loaded from anywhere, run, framed, or kept. */
const headers = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

const patterns = routes.map((route) => ({ route, pattern: new URLPattern({ pathname: route.path }) }));

/** Answers a request by the table. */
export async function respond(request: Request, context: RouteContext): Promise<Response> {
  for (const { route, pattern } of patterns) {
    const match = pattern.exec(request.url);
    if (match === null) continue;
    if (request.method !== "GET" && request.method !== "HEAD") {
      const refusal = refuse(405, `${route.path} is only for GET and HEAD`);
      return responseOf(request, refusal, { allow: "GET, HEAD" });
    }
    const parameters = Object.fromEntries(
      Object.entries(match.pathname.groups).map(([name, value]) => [name, decode(value)]),
    );
    return responseOf(request, await route.answer(request, context, parameters));
  }
  return responseOf(request, refuse(404, `There is nothing here. There is: ${listPaths()}`));
}

/** A refusal in a sentence. */
export function refuse(status: number, sentence: string): Answer {
  return { status, contentType: plain, body: `${sentence}\n` };
}

/** An answer as it is sent. */
export function responseOf(
  request: Request,
  { status = 200, contentType, body }: Answer,
  more: Readonly<Record<string, string>> = {},
): Response {
  const bytes = new TextEncoder().encode(body);
  return new Response(request.method === "HEAD" ? null : bytes, {
    status,
    headers: {
      ...headers,
      ...more,
      "content-type": contentType,
      ...(request.method === "HEAD" ? { "content-length": String(bytes.length) } : {}),
    },
  });
}

async function answerMetrics(
  request: Request,
  { sidecars, metrics, now }: RouteContext,
): Promise<Answer> {
  const started = performance.now();
  const survey = await sidecars.survey();
  const seconds = (performance.now() - started) / 1000;
  const format = formatFor(request.headers.get("accept") ?? "");
  return {
    contentType: metricContentTypes[format],
    body: await metrics.scrape(survey, now(), seconds, format),
  };
}

/** OpenMetrics where the scraper likes it no less than text. */
function formatFor(accept: string): MetricFormat {
  const weightOf = (type: string) =>
    Math.max(
      0,
      ...accept.split(",").map((one) => one.split(";").map((part) => part.trim().toLowerCase()))
        .filter(([name]) => name === type)
        .map((parts) => Number(parts.find((part) => part.startsWith("q="))?.slice(2) ?? 1) || 0),
    );
  const open = weightOf("application/openmetrics-text");
  return open > 0 && open >= weightOf("text/plain") ? "openmetrics" : "prometheus";
}

function listPaths(): string {
  return routes.map(({ path }) => path).join(", ");
}

/** A path's parameter as it was meant; as it stands where it means nothing. */
function decode(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return value;
  }
}
