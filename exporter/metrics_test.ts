/** The metrics' text, held against Prometheus' own checker and against the histories that it is made of. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { run } from "../tests/lab/command.ts";
import { histories, type History, historyEnd } from "../tests/lab/histories.ts";
import { ensureTools } from "../tests/lab/tools.ts";
import { assess, type Assessment } from "./assessment.ts";
import { metricRows } from "./metric_table.ts";
import { type MetricFormat, Metrics } from "./metrics.ts";
import { parseResource } from "./sidecar/resource.ts";

const facts = { version: "1.2.3", denoVersion: "2.9.6", startedAt: historyEnd };
const all = Object.entries(histories).map(([name, make]) => assess(make(name, historyEnd).read));
const unreadable = assess(
  parseResource("unreadable", { file: "x", content: { trouble: "It is a link" } }, null),
);

async function textOf(
  resources: readonly Assessment[],
  format: MetricFormat = "prometheus",
): Promise<string> {
  return await new Metrics(facts).scrape({ resources, trouble: null, revision: 1 }, historyEnd, 0.01, format);
}

/** Values by series, without what all series of the text have in common. */
async function seriesOf(history: History): Promise<Map<string, number>> {
  const text = await textOf([assess(history.read)]);
  return new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const [, name, labels = "", value] = /^podheitor_mongodb_(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
      return [`${name} ${labels.replace(/resource="rs0",?/, "")}`.trim(), Number(value)];
    }),
  );
}

Deno.test("scrape() passes promtool check metrics (needs promtool)", async () => {
  await ensureTools(["promtool"]);
  const resources = [...all, unreadable];
  strictEqual(await run("promtool", ["check", "metrics"], { input: await textOf(resources) }), "");
  strictEqual(await run("promtool", ["check", "metrics"], { input: await textOf([]) }), "");
});

Deno.test("scrape() has every row of the table, with its help, type and labels and no others", async () => {
  const text = await textOf([...all, unreadable]);
  const declared = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  deepStrictEqual(declared.sort(), metricRows.map(([name, { type }]) => `${name} ${type}`).sort());
  for (const [name, { help, labels }] of metricRows) {
    ok(text.includes(`# HELP ${name} ${help}\n`), name);
    const series = [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? `, "gm"))];
    ok(series.length > 0, `${name} has no series of any history`);
    for (const [, said = ""] of series) {
      deepStrictEqual([...said.matchAll(/(\w+)="/g)].map(([, label]) => label), labels, name);
    }
  }
});

Deno.test("scrape() in OpenMetrics has the same series, ends with EOF and has no empty line", async () => {
  const open = await textOf(all, "openmetrics");
  ok(open.endsWith("\n# EOF\n"));
  strictEqual(/\n\n/.test(open), false);
  match(open, /^# TYPE podheitor_mongodb_exporter_scrapes counter\n/m);
  const seriesOnly = (text: string) => text.split("\n").filter((line) => !/^(#|$)/.test(line)).sort();
  deepStrictEqual(seriesOnly(open), seriesOnly(await textOf(all)));
});

Deno.test("scrape() counts itself and says what it looked at", async () => {
  const metrics = new Metrics(facts);
  const survey = { resources: all, trouble: "The working directory can't be read", revision: 1 };
  await metrics.scrape(survey, historyEnd, 0.5, "prometheus");
  const text = await metrics.scrape(survey, historyEnd, 0.25, "openmetrics");
  match(text, /^podheitor_mongodb_exporter_scrapes_total 2$/m);
  match(text, /^podheitor_mongodb_exporter_scrape_duration_seconds 0\.25$/m);
  match(text, /^podheitor_mongodb_exporter_scrape_success 0$/m);
  match(text, new RegExp(`^podheitor_mongodb_exporter_resources ${all.length}$`, "m"));
  match(text, /^podheitor_mongodb_exporter_build_info\{version="1\.2\.3",deno_version="2\.9\.6"\} 1$/m);
});

const year = 'outcome="success"';
const cases: { name: keyof typeof histories; want: Record<string, number>; missing?: string[] }[] = [
  {
    name: "empty",
    want: { 'resource_state state="never"': 1, resource_success: 1, chain_jobs: 0 },
    missing: ["last_success_timestamp", "oplog_lag_seconds", "last_backup_success"],
  },
  {
    name: "oneJob",
    want: {
      last_success_timestamp: historyEnd - 3000,
      backup_duration_seconds: 600,
      oplog_lag_seconds: 3001,
      'last_backup_bytes level="full"': 5_100_273_664,
      'last_backup_oplog_entries level="full"': 3120,
      chain_end_timestamp_seconds: historyEnd - 3001,
      chain_deadline_timestamp_seconds: historyEnd - 3001 + 4 * 86_400,
      'source_oplog_window_seconds of="member"': 2 * 86_400,
      'source_oplog_window_seconds of="set"': 4 * 86_400,
      source_lag_seconds: 1,
      'last_verification_collections how="counted"': 37,
    },
    missing: ["last_rehearsal_success", "last_restore_success", "last_backup_error"],
  },
  {
    name: "year",
    want: {
      'resource_state state="ok"': 1,
      [`recorded_jobs kind="backup",level="full",${year}`]: 53,
      [`recorded_jobs kind="rehearsal",level="",${year}`]: 12,
      coverage_gaps: 52,
      chain_jobs: 6,
      last_rehearsal_success: 1,
    },
  },
  {
    name: "gap",
    want: { 'recorded_failures code="402"': 1, coverage_gaps: 1, chain_jobs: 2, last_backup_success: 1 },
    missing: ['last_backup_error code="402"'],
  },
  {
    name: "failingChain",
    want: {
      'last_backup_error code="301"': 1,
      'recorded_failures code="301"': 10,
      last_backup_success: 0,
      'resource_state state="failed"': 1,
      'resource_state state="ok"': 0,
    },
  },
  {
    name: "failingRehearsal",
    want: {
      last_rehearsal_success: 0,
      last_rehearsal_findings: 2,
      last_rehearsal_duration_seconds: 1200,
      'recorded_failures code="605"': 1,
      last_backup_success: 1,
    },
    missing: ["last_proven_rehearsal_timestamp_seconds"],
  },
];

for (const { name, want, missing = [] } of cases) {
  Deno.test(`scrape() has the values of the history ${name}`, async () => {
    const series = await seriesOf(histories[name]("rs0", historyEnd));
    deepStrictEqual(Object.fromEntries(Object.keys(want).map((key) => [key, series.get(key)])), want);
    deepStrictEqual(missing.filter((key) => series.has(key)), []);
  });
}

Deno.test("scrape(): a resource that can't be read has success 0 and no values of its jobs", async () => {
  const text = await textOf([unreadable]);
  match(text, /^podheitor_mongodb_resource_success\{resource="unreadable"\} 0$/m);
  match(text, /^podheitor_mongodb_resource_state\{resource="unreadable",state="unreadable"\} 1$/m);
  strictEqual(/^podheitor_mongodb_last_\w+\{/m.test(text), false);
});

Deno.test("scrape() follows the survey and the clock, though it keeps its text", async () => {
  const metrics = new Metrics(facts);
  const value = (text: string, series: string) =>
    new RegExp(`^podheitor_mongodb_${series} (\\S+)$`, "m").exec(text)?.[1];
  const at = async (names: readonly Assessment[], revision: number, now: number) =>
    await metrics.scrape({ resources: names, trouble: null, revision }, now, 0, "prometheus");
  const [one, two] = ["one", "two"].map((name) => assess(histories.oneJob(name, historyEnd).read));
  const first = await at([one!], 1, historyEnd);
  strictEqual(value(first, 'oplog_lag_seconds\\{resource="one"\\}'), "3001");
  const later = await at([one!], 1, historyEnd + 5 * 86_400);
  strictEqual(value(later, 'oplog_lag_seconds\\{resource="one"\\}'), String(3001 + 5 * 86_400));
  strictEqual(value(later, 'resource_state\\{resource="one",state="warning"\\}'), "1");
  const changed = await at([two!], 2, historyEnd);
  ok(!changed.includes('"one"') && changed.includes('"two"'));
});
