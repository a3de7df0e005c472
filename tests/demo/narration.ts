/**
 * What the demo says: a sentence before each step, a job's own words, and whether that was what it should be.
 *
 * @module
 */

import type { JobResult } from "../lab/bacula.ts";

const started = performance.now();
let step = 0;

/** Whole seconds since the demo's start. */
export function elapsedSeconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}

/** Says what comes next. */
export function narrate(text: string): void {
  console.log(`\n\x1b[1m[${elapsedSeconds().padStart(3)} s] ${++step}. ${text}\x1b[0m`);
}

/** Adds to the step. */
export function say(text: string): void {
  console.log(`   ${text}`);
}

/** The part of a job's log that an operator looks at: what the plugin says, and how it ended. */
export function showJob({ jobId, status, errors, log }: JobResult): void {
  let isShown = false;
  for (const line of log.split("\n")) {
    // A message's further lines have no daemon before them; Bacula's own summary ends a job, and has many.
    if (/^\S+ JobId \d+:/.test(line)) isShown = /podheitor-mongodb|Fatal/.test(line);
    if ((isShown && line.trim() !== "") || line.includes("Termination:")) {
      console.log(`   | ${line.trimEnd()}`);
    }
  }
  say(`job ${jobId}: status ${status}, JobErrors ${errors}`);
}

/** Shows a job and holds it to a good end. */
export function expectGood(name: string, job: JobResult): void {
  showJob(job);
  expect(job.status === "T" && job.errors === 0, `the ${name} ended well`);
}

/** @throws Error, which ends the demo, unless `good` */
export function expect(good: boolean, sentence: string): void {
  say(`${good ? "yes" : "NO"}: ${sentence}`);
  if (!good) throw new Error(`The demo did not show what it should: ${sentence}`);
}
