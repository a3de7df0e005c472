/**
 * Names in PromQL held against the metric table.
 *
 * @module
 */

import type { MetricRow } from "../../exporter/metric_row.ts";
import { metricTable } from "../../exporter/metric_table.ts";

/** Labels that Prometheus gives to every series of a target. */
const targetLabels = ["job", "instance"];

/** Series that Prometheus itself makes. */
const ownLabels: ReadonlyMap<string, readonly string[]> = new Map([
  ["up", targetLabels],
  ["ALERTS", [...targetLabels, "alertname", "alertstate", "severity", "resource", "code"]],
]);

/** What a query says that no metric has: names, and labels of selectors and of `by`, `on`, `ignoring`, `without`. */
export function findUnknownNames(query: string): string[] {
  const unknown: string[] = [];
  const known = new Set<string>();
  const withoutTexts = query.replaceAll(/"(?:\\.|[^"\\])*"/g, '""');
  for (const [, name, selector] of withoutTexts.matchAll(/\b(podheitor_\w+|up|ALERTS)\b(?:\{([^}]*)\})?/g)) {
    const labels = labelsOf(name!);
    if (labels === null) unknown.push(name!);
    for (const label of labels ?? []) known.add(label);
    for (const [, label] of (selector ?? "").matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (labels !== null && !labels.includes(label!)) unknown.push(`${name}{${label}}`);
    }
  }
  for (const [, list] of withoutTexts.matchAll(/\b(?:by|on|ignoring|without)\s*\(([^)]*)\)/g)) {
    unknown.push(
      ...list!.split(",").map((label) => label.trim()).filter((label) => label && !known.has(label)),
    );
  }
  return unknown;
}

/** Labels that a metric's series have, or null where there is no such metric. */
function labelsOf(name: string): readonly string[] | null {
  const own = ownLabels.get(name);
  if (own !== undefined) return own;
  if (!Object.hasOwn(metricTable, name)) return null;
  const row: MetricRow = metricTable[name as keyof typeof metricTable];
  return [...targetLabels, ...row.labels];
}
