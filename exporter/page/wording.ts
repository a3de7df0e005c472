/**
 * Times, durations, sizes and numbers as people read them. Every time is UTC.
 *
 * @module
 */

import type { JobView } from "./job_view.ts";
import { type Html, markup } from "./markup.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const lastSecond = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

const sizes = ["B", "kB", "MB", "GB", "TB", "PB", "EB"] as const;

/** `2026-11-27 20:10:29`, of Unix seconds. */
export function formatTime(seconds: number): string {
  return formatInstant(seconds).slice(0, 19).replace("T", " ");
}

/** `2026-11-27T20:10:29Z`, of Unix seconds: what `pit=` takes. What lies behind the year 9999 is shown as its end. */
export function formatInstant(seconds: number): string {
  return new Date(Math.min(Math.floor(seconds), lastSecond) * 1000).toISOString().replace(".000Z", "Z");
}

/** `4 h 10 min`: the two largest units, rounded down. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / day);
  const hours = Math.floor(whole % day / hour);
  const minutes = Math.floor(whole % hour / minute);
  const two = (large: string, small: number, unit: string) =>
    small === 0 ? large : `${large} ${small} ${unit}`;
  const dayWord = days === 1 ? "day" : "days";
  if (days >= 14) return `${days} days`;
  if (days > 0) return two(`${days} ${dayWord}`, hours, "h");
  if (hours > 0) return two(`${hours} h`, minutes, "min");
  return minutes > 0 ? two(`${minutes} min`, whole % minute, "s") : `${whole} s`;
}

/** `4 h ago`: the largest unit. */
export function formatAge(seconds: number): string {
  const [value, unit] = largest(Math.abs(seconds));
  const amount = `${value} ${unit === "day" && value !== 1 ? "days" : unit}`;
  return seconds < 0 ? `in ${amount}` : `${amount} ago`;
}

/** `5.1 GB`, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const at = Math.min(sizes.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** at;
  // What rounds up to 1000 belongs to the next unit.
  if (at < sizes.length - 1 && Math.round(value) >= 1000) return `1.0 ${sizes[at + 1]}`;
  return `${at === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${sizes[at]}`;
}

/** All that a job saved or restored. */
export function formatContent({ bytes, slice }: Pick<JobView, "bytes" | "slice">): string {
  return formatBytes(bytes + (slice?.bytes ?? 0));
}

/** `1,204,311`. */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 job`, `2 jobs`. */
export function formatNumberOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** A time with its age. */
export function time(seconds: number, now: number): Html {
  const age = formatAge(now - seconds);
  return markup`${plainTime(seconds)} <span class="age">${age}</span>`;
}

/** A time alone. */
export function plainTime(seconds: number): Html {
  return markup`<time datetime="${formatInstant(seconds)}">${formatTime(seconds)}</time>`;
}

/** A sentence whose times stay on one line each. */
export function withTimes(sentence: string): Html {
  const parts = sentence.split(/(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})/);
  return markup`${parts.map((part, at) => at % 2 === 0 ? part : markup`<time>${part}</time>`)}`;
}

function largest(seconds: number): [number, string] {
  if (seconds >= day) return [Math.floor(seconds / day), "day"];
  if (seconds >= hour) return [Math.floor(seconds / hour), "h"];
  if (seconds >= minute) return [Math.floor(seconds / minute), "min"];
  return [Math.floor(seconds), "s"];
}
