/**
 * The benchmark's result, as an object and as text.
 *
 * @module
 */

import type { ChecksumSpeed } from "./checksums.ts";
import type { Cost } from "./process.ts";
import { medianCost } from "./statistics.ts";

/** A subject with the medians of what its runs cost. */
export interface Row extends Cost {
  readonly name: string;
  /** Its wall time in times of the first row's. */
  readonly ratio: number;
  readonly runs: readonly Cost[];
}

/** What one part measured. */
export interface Table {
  /** What was done to what. */
  readonly about: string;
  /** What each subject dealt with; null where that isn't what counts. */
  readonly entries: number | null;
  readonly bytes: number | null;
  readonly rows: readonly Row[];
  /** What the rows mean. */
  readonly notes: readonly string[];
}

/** All that was measured. */
export interface Report {
  /** Version of mongod. */
  readonly server: string;
  readonly cores: number;
  /** The machine's load of the last minute, at the start and at the end. */
  readonly load: readonly [number, number];
  readonly runs: number;
  readonly seconds: number;
  readonly tables: readonly Table[];
  readonly checksums: readonly ChecksumSpeed[];
  /** Programs to compare with that this machine lacks. */
  readonly missing: readonly string[];
}

/** Rows of results, the first of which the others are compared with. */
export function makeRows(results: readonly { name: string; costs: readonly Cost[] }[]): Row[] {
  const medians = results.map(({ name, costs }) => ({ name, ...medianCost(costs), runs: costs }));
  const first = medians[0]?.wallSeconds ?? NaN;
  return medians.map((row) => ({ ...row, ratio: row.wallSeconds / first }));
}

/** Tables with their headings and what else is to be said. */
export function formatReport(report: Report): string {
  const { server, cores, load, runs, seconds, tables, checksums, missing } = report;
  const lines = [
    `MongoDB ${server}; ${cores} cores, load ${load.map((value) => value.toFixed(1)).join(" to ")}; ` +
    `medians of ${runs}; ${seconds.toFixed(0)} s in all`,
    ...tables.flatMap(formatTable),
  ];
  if (checksums.length > 0) lines.push("");
  for (const { name, bytesPerSecond } of checksums) {
    lines.push(`${name.padEnd(nameWidth)}${(bytesPerSecond / 1e6).toFixed(0).padStart(10)} MB/s`);
  }
  if (missing.length > 0) lines.push("", `Not compared, as this machine lacks them: ${missing.join(", ")}`);
  return lines.join("\n");
}

const nameWidth = 54;

function formatTable({ about, entries, bytes, rows, notes }: Table): string[] {
  const isPerEntry = entries !== null;
  const heading = ["wall s", "ratio", "CPU s", "peak MiB", ...isPerEntry ? ["entries/s"] : []];
  if (bytes !== null) heading.push("MB/s");
  return [
    "",
    about,
    formatRow("", heading),
    ...rows.map(({ name, wallSeconds, ratio, cpuSeconds, peakRssBytes }) =>
      formatRow(name, [
        wallSeconds.toFixed(2),
        ratio.toFixed(2),
        known(cpuSeconds, (seconds) => seconds.toFixed(2)),
        known(peakRssBytes, (size) => (size / 2 ** 20).toFixed(0)),
        ...entries === null ? [] : [Math.round(entries / wallSeconds).toLocaleString("en")],
        ...bytes === null ? [] : [(bytes / 1e6 / wallSeconds).toFixed(0)],
      ])
    ),
    ...notes,
  ];
}

/** A cost that wasn't measured is no number. */
function known(cost: number, format: (cost: number) => string): string {
  return Number.isNaN(cost) ? "-" : format(cost);
}

function formatRow(name: string, columns: readonly string[]): string {
  return name.padEnd(nameWidth) + columns.map((column) => column.padStart(10)).join("");
}
