/**
 * What can be restored, in words: they stand below the picture, and in its place for whoever can't see it.
 *
 * @module
 */

import type { Hole, ResourceSummary, Stretch } from "./resource_summary.ts";
import { formatDuration, formatNumberOf, formatTime } from "./wording.ts";

/** All that can be restored of a resource, in one to three sentences. */
export function restorableWords({ restorable, gaps }: ResourceSummary): string {
  const newest = restorable.at(-1);
  if (newest === undefined) return "Nothing is known that could be restored.";
  const older = restorable.slice(0, -1);
  const sentences = [`${stretchWords(newest)}.`];
  if (older.length > 0) {
    const since = formatTime(Math.min(...older.map(({ fullEnd }) => fullEnd)));
    sentences.push(`${formatNumberOf(older.length, "older chain")}, since ${since}.`);
  }
  if (gaps.length > 0) sentences.push(`${formatNumberOf(gaps.length, "gap")} between them.`);
  return sentences.join(" ");
}

/** What one Full and the jobs that continue it give, without a full stop. */
export function stretchWords({ covered, seconds, fullEnd }: Stretch): string {
  if (covered === null) return `The state that the Full of ${formatTime(fullEnd)} read, and no other instant`;
  if (seconds === null) return `The state at ${formatTime(covered.to)}, and no other instant`;
  const { first, last } = seconds;
  if (first === last) {
    return `The instant ${formatTime(first)}, and what came until ${formatTime(covered.to)}`;
  }
  return `Any instant from ${formatTime(first)} to ${formatTime(last)} (${formatDuration(last - first)})`;
}

/** A time that no job covers, without a full stop. */
export function gapWords({ after, before }: Hole): string {
  return `No instant between ${formatTime(after)} and ${formatTime(before)} (${
    formatDuration(before - after)
  })`;
}
