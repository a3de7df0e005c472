/** What a scrape of the exporter costs, with many resources, and whether its memory stays where it is. */

import { Exporter } from "../lab/exporter.ts";
import { histories } from "../lab/histories.ts";
import type { Cost } from "./process.ts";
import { makeRows, type Table } from "./report.ts";
import type { Bench } from "./turns.ts";

const resources = 1000;

/** The longest that a scrape may take which finds nothing changed. */
const warmMaxMs = 100;

/** Resources whose scrapes are many. */
const fewResources = 20;
const scrapes = [10_000, 100_000] as const;

/** Scrapers that are at work at the same time, as several Prometheus servers and a page would be. */
const scrapers = 8;

/** What memory may grow by from the first mark to the last one. */
const growthMaxBytes = 32 * 2 ** 20;

/** Scrapes of a year's jobs of 1,000 resources, and 100,000 scrapes of some. */
export async function measureExporter(bench: Bench): Promise<Table> {
  bench.say(`writing a year's jobs of ${resources} resources`);
  const many = `${bench.folder}/many`;
  await layHistories(many, resources);
  const results: { name: string; costs: Cost[] }[] = [];
  const notes: string[] = [];
  {
    await using exporter = await Exporter.start(many, { built: bench.exporter });
    bench.say("scraping them");
    results.push({ name: "the first scrape, which reads every file", costs: [await scrape(exporter)] });
    const warm: Cost[] = [];
    for (let at = 0; at < 10 * bench.runs; at++) warm.push(await scrape(exporter));
    results.push({ name: "a scrape that finds nothing changed", costs: warm });
    const changed: Cost[] = [];
    for (let at = 0; at < bench.runs; at++) {
      await layHistory(many, `rs${at}`);
      changed.push(await scrape(exporter));
    }
    results.push({ name: "a scrape after one job", costs: changed });
    const times = warm.map(({ wallSeconds }) => wallSeconds * 1000).sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)]!;
    notes.push(
      `${median <= warmMaxMs ? "Scrapes are quick" : "SCRAPES ARE SLOW"}: a warm one takes ${
        median.toFixed(0)
      } ms, ` +
        `at most ${warmMaxMs} ms are wanted; resident ${mib(rssOf(exporter.pid))}`,
    );
  }
  notes.push(...await measureEndurance(bench));
  return {
    about: `Exporter: ${resources} resources, each with a year's jobs; to the last byte`,
    entries: null,
    bytes: null,
    rows: makeRows(results),
    notes,
  };
}

async function measureEndurance(bench: Bench): Promise<string[]> {
  const few = `${bench.folder}/few`;
  await layHistories(few, fewResources);
  await using exporter = await Exporter.start(few, { built: bench.exporter });
  await scrape(exporter);
  const marks = [rssOf(exporter.pid)];
  const startedAt = performance.now();
  let done = 0;
  for (const mark of scrapes) {
    bench.say(`scraping ${mark.toLocaleString("en")} times`);
    await Promise.all(Array.from({ length: scrapers }, async () => {
      while (done < mark) {
        done++;
        await scrape(exporter);
      }
    }));
    marks.push(rssOf(exporter.pid));
  }
  const perSecond = done / ((performance.now() - startedAt) / 1000);
  const [start, early, late] = marks as [number, number, number];
  const verdict = late - early <= growthMaxBytes ? "Memory is flat" : "MEMORY GROWS";
  return [
    `${fewResources} resources, ${scrapers} scrapers: ${perSecond.toFixed(0)} scrapes a second`,
    `${verdict}: resident ${mib(start)} at the start, ${mib(early)} after ${
      scrapes[0].toLocaleString("en")
    } scrapes, ` +
    `${mib(late)} after ${scrapes[1].toLocaleString("en")}`,
  ];
}

async function scrape({ url }: Exporter): Promise<Cost> {
  const startedAt = performance.now();
  const response = await fetch(`${url}/metrics`, { headers: { "accept-encoding": "identity" } });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`The exporter answers ${response.status}`);
  return { wallSeconds: (performance.now() - startedAt) / 1000, cpuSeconds: NaN, peakRssBytes: NaN };
}

async function layHistories(folder: string, count: number): Promise<void> {
  await Deno.mkdir(folder);
  for (let at = 0; at < count; at++) await layHistory(folder, `rs${at}`);
}

async function layHistory(folder: string, resource: string): Promise<void> {
  await histories.year(resource, Date.now() / 1000).write(folder);
}

function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  return Number(kib) * 1024;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
