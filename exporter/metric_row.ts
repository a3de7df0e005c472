/**
 * What a metric is, and the shapes that most of them have.
 *
 * @module
 */

import type { JobRecord } from "../backend/state/job_record.ts";
import type { Assessment, JobTotals } from "./assessment.ts";
import type { Level } from "./chain.ts";

/** One series of a metric. */
export interface Sample {
  /** In the order of the row's labels, without `resource`. */
  readonly labels: readonly string[];
  readonly value: number;
}

/** Base units, as Prometheus has them. */
export type Unit =
  | "seconds"
  | "unix seconds"
  | "bytes"
  | "documents"
  | "entries"
  | "collections"
  | "jobs"
  | "0 or 1"
  | "";

/** A metric. */
export interface MetricRow {
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly labels: readonly string[];
  readonly unit: Unit;
  /** Where the value comes from, for the reference. */
  readonly from: string;
  /** What a resource has of it; left out where it is of the exporter itself. */
  readonly samples?: (assessment: Assessment, now: number) => readonly Sample[];
  /** Whether the value is another one each second. */
  readonly moves?: true;
}

/** What a resource can have more than one series of besides. */
const levels = ["F", "I", "D"] as const satisfies readonly Level[];
const levelNames = { F: "full", I: "incremental", D: "differential" } as const;

type Value = number | null | undefined;
type Words = Pick<MetricRow, "help" | "unit" | "from">;

/** One value for each resource, and no series where it isn't known. */
export function ofResource(
  { value, ...words }: Words & { value: (assessment: Assessment) => Value },
): MetricRow {
  const samples = (assessment: Assessment) => {
    const known = value(assessment);
    return known === null || known === undefined ? [] : [{ labels: [], value: known }];
  };
  return { type: "gauge", labels: ["resource"], samples, ...words };
}

/** One value for each level that has a good backup. */
export function byLevel({ value, ...words }: Words & { value: (job: JobRecord) => Value }): MetricRow {
  const samples = ({ last }: Assessment) =>
    levels.flatMap((level) => {
      const job = last.good[level];
      const known = job === null ? null : value(job);
      return known === null || known === undefined ? [] : [{ labels: [levelNames[level]], value: known }];
    });
  return { type: "gauge", labels: ["resource", "level"], samples, ...words };
}

/** One value for each kind, level and outcome that is recorded. */
export function ofTotals({ value, ...words }: Words & { value: (totals: JobTotals) => number }): MetricRow {
  const samples = ({ totals }: Assessment) =>
    totals.map((one) => ({
      labels: [one.kind, one.level === null ? "" : levelNames[one.level], one.outcome],
      value: value(one),
    }));
  return { type: "gauge", labels: ["resource", "kind", "level", "outcome"], samples, ...words };
}
