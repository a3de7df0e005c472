/** Grafana's dashboard: its queries are PromQL, and of metrics and labels that there are. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { run } from "../lab/command.ts";
import { withFolder } from "../lab/folder.ts";
import { ensureTools } from "../lab/tools.ts";
import { interpolate, type Panel, readDashboard } from "./dashboard.ts";
import { findUnknownNames } from "./promql_names.ts";

const dashboard = await readDashboard();
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const queries = panels.flatMap(({ title, targets }) => targets!.map((target) => ({ title, ...target })));

Deno.test("the dashboard asks for metrics and labels of the metric table", () => {
  ok(queries.length > 20);
  for (const { title, expr, legendFormat } of queries) {
    deepStrictEqual([title, findUnknownNames(interpolate(expr))], [title, []]);
    const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => `${label}=""`);
    for (const [name] of expr.matchAll(/\bpodheitor_\w+|\bup\b/g)) {
      deepStrictEqual([title, findUnknownNames(`${name}{${labels.join()}}`)], [title, []]);
    }
  }
});

Deno.test("Prometheus parses every query of the dashboard", async () => {
  await ensureTools(["promtool"]);
  const rules = queries.map(({ expr }, at) => ({ record: `query_${at}`, expr: interpolate(expr) }));
  await withFolder(async (folder) => {
    const path = `${folder}/queries.yml`;
    await Deno.writeTextFile(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    match(await run("promtool", ["check", "rules", path]), new RegExp(`${rules.length} rules found`));
  });
});

Deno.test("the dashboard has its variables, and panels side by side", () => {
  strictEqual(dashboard.schemaVersion, 41);
  deepStrictEqual(dashboard.templating.list.map(({ name }) => name), ["datasource", "resource"]);
  const definition = dashboard.templating.list[1]!.definition!;
  const [, name, label] = /^label_values\((\w+), (\w+)\)$/.exec(definition)!;
  deepStrictEqual(findUnknownNames(`${name}{${label}=""}`), []);
  strictEqual(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  for (const { title, datasource } of panels) {
    deepStrictEqual([title, datasource?.uid], [title, "${datasource}"]);
  }
  for (const [at, panel] of dashboard.panels.entries()) {
    ok(panel.gridPos.x + panel.gridPos.w <= 24, panel.title);
    for (const other of dashboard.panels.slice(at + 1)) {
      ok(!isOverlapping(panel, other), `${panel.title} and ${other.title}`);
    }
  }
});

function isOverlapping({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

for (
  const [query, want] of [
    ['podheitor_mongodb_nothing{resource="x"}', ["podheitor_mongodb_nothing"]],
    ['podheitor_mongodb_chain_jobs{level="x"}', ["podheitor_mongodb_chain_jobs{level}"]],
    ["sum by (resource, level) (podheitor_mongodb_chain_jobs)", ["level"]],
    ['up{job="podheitor_x"} unless on (job, instance) podheitor_mongodb_exporter_resources', []],
    ['podheitor_mongodb_resource_state{state=~"a{2}|b",resource!="c"}', []],
  ] as const
) {
  Deno.test(`findUnknownNames() of ${query}`, () => deepStrictEqual(findUnknownNames(query), want));
}
