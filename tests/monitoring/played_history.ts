/**
 * What Prometheus would have scraped while a history happened: its files are written as they were at each instant, and the exporter's own code reads and
 * serves them.
 *
 * @module
 */

import { formatStats } from "../../backend/state/job_record.ts";
import { formatTips } from "../../backend/state/tip.ts";
import { type MetricName, metricTable } from "../../exporter/metric_table.ts";
import type { MetricRow } from "../../exporter/metric_row.ts";
import { Metrics } from "../../exporter/metrics.ts";
import { WorkingDirectory } from "../../exporter/sidecar/working_directory.ts";
import { History } from "../lab/histories.ts";
import { withFolder } from "../lab/folder.ts";

/** How often is scraped. */
export const intervalSeconds = 900;

/** Each series by its name with labels: a value for each scrape, null where it wasn't served. */
export type PlayedSeries = ReadonlyMap<string, readonly (number | null)[]>;

/**
 * Plays a history, or none at all, from `start` to `end` (Unix seconds). The instants in the series' values count from `start`, as promtool's clock does.
 *
 * @param spoil does something to the working directory after each change of its files
 */
export async function playHistory(
  history: History | null,
  start: number,
  end: number,
  spoil: (folder: string) => void = () => {},
): Promise<PlayedSeries> {
  const series = new Map<string, (number | null)[]>();
  await withFolder(async (parent) => {
    const folder = `${parent}/working`;
    await Deno.mkdir(folder);
    let exporter = startExporter(folder, start);
    let known = -1;
    for (let now = start, step = 0; now <= end; now += intervalSeconds, step++) {
      const jobs = history?.jobs.filter(({ endedAt }) => Date.parse(endedAt) <= now * 1000).length ?? 0;
      if (jobs !== known) {
        if (history !== null) await writeAsOf(history, now, folder);
        spoil(folder);
        known = jobs;
        // A running one looks at the directory a few times a second at most, and this clock is faster.
        exporter = startExporter(folder, now);
      }
      const text = await exporter.metrics.scrape(await exporter.sidecars.survey(), now, 0.001, "prometheus");
      for (const [name, value] of samplesOf(text)) {
        const values = series.get(name) ?? [];
        series.set(name, values);
        while (values.length < step) values.push(null);
        values.push(isInstant(name) ? value - start : value);
      }
    }
  });
  return series;
}

function startExporter(
  folder: string,
  startedAt: number,
): { sidecars: WorkingDirectory; metrics: Metrics } {
  return {
    sidecars: new WorkingDirectory(folder, Deno.uid(), () => {}),
    metrics: new Metrics({ version: "0.1.0", denoVersion: Deno.version.deno, startedAt }),
  };
}

/** The files as they were at an instant, Unix seconds. */
async function writeAsOf(history: History, now: number, folder: string): Promise<void> {
  const { resource } = history;
  const ended = ({ endedAt }: { endedAt: string }) => Date.parse(endedAt) <= now * 1000;
  const jobs = history.jobs.filter(ended);
  const file = (kind: string) => `${folder}/podheitor-mongodb-${resource}-${kind}.json`;
  await Deno.writeTextFile(
    file("stats"),
    formatStats({ format: "podheitor-mongodb-stats/1", resource, jobs }),
    { mode: 0o640 },
  );
  const tips = history.tips?.tips.filter(ended) ?? [];
  if (tips.length > 0) {
    await Deno.writeTextFile(file("tip"), formatTips({ ...history.tips!, tips }), { mode: 0o640 });
  }
}

/** Names with labels, and values, of the text that Prometheus scrapes. */
function* samplesOf(text: string): Generator<readonly [string, number]> {
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const at = line.lastIndexOf(" ");
    yield [line.slice(0, at), Number(line.slice(at + 1))];
  }
}

function isInstant(series: string): boolean {
  const row: MetricRow = metricTable[series.split("{", 1)[0] as MetricName];
  return row.unit === "unix seconds";
}
