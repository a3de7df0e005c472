/** What a scrape of the exporter costs, with many resources, and whether its memory stays where it is. */

import { exporterFlags } from "../../packaging/permissions.ts";
import { until } from "../lab/condition.ts";
import { Exporter } from "../lab/exporter.ts";
import { histories } from "../lab/histories.ts";
import { type Cost, cpuSecondsOf, peakRssOf } from "./process.ts";
import { makeBare } from "./programs.ts";
import { makeRows, type Row, type Table } from "./report.ts";
import { type Bench, measureInTurn, type Subject } from "./turns.ts";

const resources = 1000;

/** CPU time that the first scrape may take, in times of the bare parser's. */
const firstMaxRatio = 8;

/** The longest that a scrape may take which finds nothing changed. */
const warmMaxMs = 100;

/** Resources whose scrapes are many. */
const fewResources = 20;

/** Marks at which the most memory so far is looked at: what is resident at an instant depends on the last collection of garbage. */
const scrapes = [50_000, 100_000] as const;

/** Scrapers that are at work at the same time, as several Prometheus servers and a page would be. */
const scrapers = 8;

/** What memory may grow by from the first mark to the last one. */
const growthMaxBytes = 32 * 2 ** 20;

/** Scrapes of a year's jobs of 1,000 resources, and 100,000 scrapes of some. */
export async function measureExporter(bench: Bench): Promise<Table> {
  bench.say(`writing a year's jobs of ${resources} resources`);
  const many = `${bench.folder}/many`;
  await layHistories(many, resources);
  const results: { name: string; costs: Cost[] }[] = await measureInTurn(
    await makeFirstLooks(bench, many),
    bench,
  );
  const notes = [judgeFirst(makeRows(results))];
  {
    await using exporter = await Exporter.start(many, { built: bench.exporter });
    bench.say("scraping them");
    await scrape(exporter);
    const warm: Cost[] = [];
    for (let at = 0; at < 10 * bench.runs; at++) warm.push(await scrape(exporter));
    results.push({ name: "a scrape that finds nothing changed", costs: warm });
    const changed: Cost[] = [];
    for (let at = 0; at < bench.runs; at++) {
      await layHistory(many, `rs${at}`);
      // A look at the directory serves all scrapes of a quarter of a second.
      const laidAt = performance.now();
      await until("the next look", 5000, () => performance.now() - laidAt > 300);
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

/** Those that read every file, both without compiled code. */
async function makeFirstLooks(bench: Bench, folder: string): Promise<Subject[]> {
  const bareParser = await makeBare(bench, "bare_parser", exporterFlags);
  return [
    { name: "bare parser of the same files", program: bareParser(folder) },
    {
      name: "start and first scrape, which reads every file",
      program: async () => {
        const startedAt = performance.now();
        await using exporter = await Exporter.start(folder, { built: bench.exporter });
        await scrape(exporter);
        return {
          wallSeconds: (performance.now() - startedAt) / 1000,
          cpuSeconds: cpuSecondsOf(exporter.pid),
          peakRssBytes: peakRssOf(exporter.pid) ?? NaN,
          output: "",
        };
      },
    },
  ];
}

function judgeFirst([bare, first]: readonly Row[]): string {
  const ratio = first!.cpuSeconds / bare!.cpuSeconds;
  return `${ratio <= firstMaxRatio ? "The first scrape is quick" : "THE FIRST SCRAPE IS SLOW"}: it takes ${
    ratio.toFixed(1)
  } times the CPU time of the bare parser, at most ${firstMaxRatio} times are wanted`;
}

async function measureEndurance(bench: Bench): Promise<string[]> {
  const few = `${bench.folder}/few`;
  await layHistories(few, fewResources);
  await using exporter = await Exporter.start(few, { built: bench.exporter });
  await scrape(exporter);
  const marks = [peakRssOf(exporter.pid) ?? NaN];
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
    marks.push(peakRssOf(exporter.pid) ?? NaN);
  }
  const perSecond = done / ((performance.now() - startedAt) / 1000);
  const [start, early, late] = marks as [number, number, number];
  const verdict = late - early <= growthMaxBytes ? "Memory is flat" : "MEMORY GROWS";
  return [
    `${fewResources} resources, ${scrapers} scrapers: ${perSecond.toFixed(0)} scrapes a second`,
    `${verdict}: at most ${mib(start)} resident at the start, ${mib(early)} after ${
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
  await histories.year(resource, Math.floor(Date.now() / 1000)).write(folder);
}

function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  return Number(kib) * 1024;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
