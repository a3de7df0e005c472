/**
 * What is said of one resource: its summary, its jobs, and how to restore it.
 *
 * @module
 */

import { assess } from "../assessment.ts";
import type { Resource } from "../sidecar/resource.ts";
import { type JobView, viewJob } from "./job_view.ts";
import { type ResourceSummary, summarize } from "./resource_summary.ts";
import { planRestore, type RestorePlan } from "./restore_steps.ts";

/** One resource in full. */
export interface ResourceDetail extends ResourceSummary {
  /** Newest first. */
  readonly jobs: readonly JobView[];
  /** Good backups to which no Full leads: nothing can be restored by them. */
  readonly unlinked: readonly string[];
  readonly restore: RestorePlan;
}

/**
 * All of a resource.
 *
 * @param asked the second through whose end to restore, a Unix second or RFC 3339; "" for the newest state
 * @param now Unix seconds
 */
export function detailOf(resource: Resource, asked: string, now: number): ResourceDetail {
  const assessment = assess(resource);
  return {
    ...summarize(assessment, now),
    jobs: resource.jobs.map(viewJob),
    unlinked: assessment.coverage.unlinked.map(({ name }) => name),
    restore: planRestore(resource, assessment.coverage, asked),
  };
}
