/** The alerts: promtool takes them, and they fire on the histories that they are for, and only on those. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import * as yaml from "yaml";
import { commandsOf } from "../documents/register.ts";
import { run } from "../lab/command.ts";
import { withFolder } from "../lab/folder.ts";
import { historyEnd } from "../lab/histories.ts";
import { ensureTools } from "../lab/tools.ts";
import { intervalSeconds, type PlayedSeries, playHistory } from "./played_history.ts";
import { findUnknownNames } from "./promql_names.ts";
import { type Scene, scenes } from "./scenes.ts";

const checkout = new URL("../..", import.meta.url).pathname;
const rulesPath = `${checkout}packaging/prometheus/podheitor-mongodb.rules.yml`;
const alertPrefix = "PodHeitorMongoDB";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<"summary" | "description" | "runbook", string>>;
}

const { groups } = yaml.parse(await Deno.readTextFile(rulesPath)) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap(({ rules }) => rules);

Deno.test("promtool takes the rules and the example of a scrape configuration", async () => {
  await ensureTools(["promtool"]);
  const wanted = [
    /^promtool check config .*\n.*is valid/,
    new RegExp(`^promtool check rules .*\n.*SUCCESS: ${rules.length} rules found`),
  ];
  const said: string[] = [];
  for (const { text } of await commandsOf("tests/monitoring/rules_test.ts")) {
    const output = await run("sh", ["-c", text], { cwd: `${checkout}packaging/prometheus` });
    said.push(`${text}\n${output.replaceAll("\n", " ")}`);
  }
  strictEqual(said.length, wanted.length);
  for (const [at, pattern] of wanted.entries()) match(said[at]!, pattern);
});

Deno.test("every name and label in the rules is one of the metric table", () => {
  for (const { alert, expr } of rules) deepStrictEqual([alert, findUnknownNames(expr)], [alert, []]);
  for (const { alert, expr, annotations } of rules) {
    const used = [...Object.values(annotations).join(" ").matchAll(/\$labels\.(\w+)/g)].map(([, name]) =>
      name!
    );
    const selector = `${/podheitor_mongodb_\w+|up/.exec(expr)![0]}{${
      used.map((name) => `${name}=""`).join()
    }}`;
    deepStrictEqual([alert, findUnknownNames(selector)], [alert, []]);
  }
});

Deno.test("every alert says what it is, and has its section among the runbooks", async () => {
  const runbooks = await Deno.readTextFile(`${checkout}docs/runbooks.md`);
  const sections = runbooks.split(/^## /m).slice(1);
  deepStrictEqual(sections.map((section) => section.split("\n", 1)[0]), rules.map(({ alert }) => alert));
  for (const section of sections) match(section, /\*\*Meaning:\*\* .*\n.*\*\*Look:\*\* .*\n.*\*\*Do:\*\* /s);
  for (const { alert, labels, annotations } of rules) {
    deepStrictEqual(Object.keys(annotations), ["summary", "description", "runbook"]);
    strictEqual(annotations.runbook, `docs/runbooks.md#${alert.toLowerCase()}`);
    match(annotations.description, /^[A-Z{].*\.$/);
    match(labels.severity, /^(critical|warning|info)$/);
  }
});

Deno.test("each alert fires in one of the scenes", () => {
  const fired = new Set(scenes.flatMap(({ fires }) => Object.values(fires).flat()));
  deepStrictEqual(
    [...fired].map((name) => alertPrefix + name).sort(),
    rules.map(({ alert }) => alert).sort(),
  );
});

for (const scene of scenes) {
  Deno.test(`alerts on ${scene.name}`, async () => {
    await ensureTools(["promtool"]);
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/test.yml`, JSON.stringify(await promtoolTest(scene)));
      await run("promtool", ["test", "rules", `${folder}/test.yml`]);
    });
  });
}

/** A scene as promtool tests it: the series that rules name, and all that fires at each of its instants. */
async function promtoolTest({ name, history, days, target, spoil, fires }: Scene): Promise<unknown> {
  const steps = Math.round(days * 86_400 / intervalSeconds);
  const start = historyEnd - steps * intervalSeconds;
  const labels = { job: "podheitor-mongodb", instance: "db1:9105" };
  const series = new Map(
    target === "up" ? [...await playHistory(history, start, historyEnd, spoil)].filter(isNamedInRules) : [],
  );
  const up: PlayedSeries = new Map(
    target === "none" ? [] : [["up", Array(steps + 1).fill(Number(target === "up"))]],
  );
  return {
    rule_files: [rulesPath],
    evaluation_interval: `${intervalSeconds}s`,
    tests: [{
      name,
      interval: `${intervalSeconds}s`,
      input_series: [...series, ...up].map(([series, values]) => ({
        series: withLabels(series, labels),
        values: notate(values, steps + 1),
      })),
      promql_expr_test: Object.entries(fires).map(([hours, alerts]) => ({
        expr: `count by (alertname) (ALERTS{alertstate="firing"})`,
        eval_time: `${historyEnd - Number(hours) * 3600 - start}s`,
        exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alertPrefix}${alert}"}`, value: 1 })),
      })),
    }],
  };
}

function isNamedInRules([series]: readonly [string, unknown]): boolean {
  const name = series.split("{", 1)[0]!;
  return rules.some(({ expr }) => new RegExp(`\\b${name}\\b`).test(expr));
}

function withLabels(series: string, labels: Readonly<Record<string, string>>): string {
  const [name, own] = series.endsWith("}") ? series.slice(0, -1).split("{", 2) : [series, undefined];
  const added = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${[...own === undefined ? [] : [own], ...added].join()}}`;
}

/** Values in promtool's notation, runs in short. */
function notate(values: readonly (number | null)[], count: number): string {
  const runs: { value: number | null; times: number }[] = [];
  for (let at = 0; at < count; at++) {
    const value = values[at] ?? null;
    const last = runs.at(-1);
    if (last !== undefined && last.value === value) last.times++;
    else runs.push({ value, times: 1 });
  }
  return runs.map(({ value, times }) => value === null ? `_x${times}` : `${value}+0x${times - 1}`).join(" ");
}
