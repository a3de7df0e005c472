/**
 * The benchmark's result, as an object and as text.
 *
 * @module
 */

import type { ChecksumSpeed } from "./checksums.ts";
import type { Dataset } from "./dataset.ts";
import type { Cost } from "./process.ts";

/** A subject with the medians of what its runs cost. */
export interface Row extends Cost {
  readonly name: string;
  /** Its wall time in times of the first row's. */
  readonly ratio: number;
  readonly runs: readonly Cost[];
}

/** All that was measured. */
export interface Report {
  /** Version of mongod. */
  readonly server: string;
  readonly dataset: Dataset;
  readonly cores: number;
  /** The machine's load of the last minute, at the start and at the end. */
  readonly load: readonly [number, number];
  readonly rows: readonly Row[];
  readonly checksums: readonly ChecksumSpeed[];
  /** Programs to compare with that this machine lacks. */
  readonly missing: readonly string[];
}

/** A table with its heading and what else is to be said. */
export function formatReport({ server, dataset, cores, load, rows, checksums, missing }: Report): string {
  const lines = [
    `MongoDB ${server}, replica set of three; ${dataset.databases.length} databases, ` +
    `${dataset.documents.toLocaleString("en")} documents, ${megabytes(dataset.bytes)} MB`,
    `${cores} cores, load ${load.map((value) => value.toFixed(1)).join(" to ")}; medians of ${
      rows[0]?.runs.length ?? 0
    }`,
    "",
    formatRow("", "wall s", "ratio", "CPU s", "peak MiB", "MB/s"),
    ...rows.map(({ name, wallSeconds, ratio, cpuSeconds, peakRssBytes }) =>
      formatRow(
        name,
        wallSeconds.toFixed(2),
        ratio.toFixed(2),
        cpuSeconds.toFixed(2),
        (peakRssBytes / 2 ** 20).toFixed(0),
        megabytes(dataset.bytes / wallSeconds),
      )
    ),
    "",
    ...checksums.map(({ name, bytesPerSecond }) =>
      `${name.padEnd(38)}${megabytes(bytesPerSecond).padStart(8)} MB/s`
    ),
  ];
  if (missing.length > 0) lines.push("", `Not compared, as this machine lacks them: ${missing.join(", ")}`);
  return lines.join("\n");
}

function formatRow(name: string, ...columns: string[]): string {
  return name.padEnd(38) + columns.map((column) => column.padStart(10)).join("");
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
