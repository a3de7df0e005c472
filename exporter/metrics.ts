/**
 * The registry: the metric table as Prometheus reads it.
 *
 * @module
 */

import { Counter, Gauge, type OpenMetricsContentType, Registry, type RegistryContentType } from "prom-client";
import { judge } from "./assessment.ts";
import { type MetricName, metricRows, metricTable } from "./metric_table.ts";
import type { MetricRow } from "./metric_row.ts";
import type { Survey } from "./survey.ts";

/** What the exporter says of itself. */
export interface ExporterFacts {
  readonly version: string;
  readonly denoVersion: string;
  /** Unix seconds. */
  readonly startedAt: number;
}

/** The forms in which metrics are served. */
export type MetricFormat = "prometheus" | "openmetrics";

/** Content type of each form. */
export const metricContentTypes = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const satisfies Record<MetricFormat, string>;

type AnyRegistry = Registry<RegistryContentType>;
type Rows = readonly [MetricName, MetricRow][];

/** What changes when a job ends, and what changes all the time: the former is the bulk, and its text is kept. */
const recordedRows = metricRows.filter(([, { samples, moves }]) => samples !== undefined && !moves);
const movingRows = metricRows.filter(([, { samples, moves }]) => samples !== undefined && moves);

/** Metrics of one exporter. */
export class Metrics {
  /** Of the exporter's own, one for each form: a registry has one. */
  readonly #own = {
    prometheus: new Registry(),
    openmetrics: new Registry<OpenMetricsContentType>(),
  } as const;
  readonly #ownGauges: ReadonlyMap<MetricName, Gauge>;
  readonly #scrapes: Counter;
  #recorded: { readonly of: string; readonly text: string } | null = null;

  constructor({ version, denoVersion, startedAt }: ExporterFacts) {
    this.#own.openmetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.#ownGauges = gaugesOf(
      metricRows.filter(([, { samples, type }]) => samples === undefined && type === "gauge"),
      Object.values(this.#own),
    );
    const scrapes = "podheitor_mongodb_exporter_scrapes_total" satisfies MetricName;
    this.#scrapes = new Counter({
      name: scrapes,
      help: metricTable[scrapes].help,
      registers: Object.values(this.#own),
    });
    this.#gauge("podheitor_mongodb_exporter_build_info").set({ version, deno_version: denoVersion }, 1);
    this.#gauge("podheitor_mongodb_exporter_start_timestamp_seconds").set(startedAt);
  }

  /**
   * The text of one scrape.
   *
   * @param now Unix seconds
   * @param seconds how long it took to get the survey
   */
  async scrape(survey: Survey, now: number, seconds: number, format: MetricFormat): Promise<string> {
    this.#scrapes.inc();
    this.#gauge("podheitor_mongodb_exporter_scrape_duration_seconds").set(seconds);
    this.#gauge("podheitor_mongodb_exporter_scrape_success").set(Number(survey.trouble === null));
    this.#gauge("podheitor_mongodb_exporter_resources").set(survey.resources.length);
    const own = this.#own[format].metrics();
    const resources = [await this.#recordedText(survey, now), await textOf(movingRows, survey, now)];
    const text = resources.join("\n");
    // Gauges read the same in both, but for the blank lines.
    return (format === "openmetrics" ? text.replaceAll("\n\n", "\n") : text) + await own;
  }

  #gauge(name: MetricName): Gauge {
    return this.#ownGauges.get(name)!;
  }

  async #recordedText(survey: Survey, now: number): Promise<string> {
    // A state can change with the clock alone.
    const states = survey.resources.map((resource) => judge(resource, now).state);
    const of = `${survey.revision} ${states.join()}`;
    if (this.#recorded?.of !== of) {
      this.#recorded = { of, text: await textOf(recordedRows, survey, now) };
    }
    return this.#recorded.text;
  }
}

function gaugesOf(rows: Rows, registers: readonly AnyRegistry[]): Map<MetricName, Gauge> {
  return new Map(
    rows.map(([name, { help, labels }]) => [
      name,
      new Gauge({ name, help, labelNames: [...labels], registers: [...registers] }),
    ]),
  );
}

async function textOf(rows: Rows, { resources }: Survey, now: number): Promise<string> {
  const registry = new Registry();
  const gauges = gaugesOf(rows, [registry]);
  for (const [name, { samples, labels: [, ...names] }] of rows) {
    const gauge = gauges.get(name)!;
    for (const resource of resources) {
      for (const { labels, value } of samples!(resource, now)) {
        const others = names.map((label, at) => [label, labels[at]!]);
        gauge.set({ resource: resource.name, ...Object.fromEntries(others) }, value);
      }
    }
  }
  return await registry.metrics();
}
