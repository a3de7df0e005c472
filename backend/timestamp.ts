import { PluginError } from "./errors.ts";

/** A BSON timestamp: `t` Unix seconds, `i` increment within that second; both unsigned 32-bit. */
export interface Timestamp {
  readonly t: number;
  readonly i: number;
}

/** A place in the oplog: the timestamp and the election term that wrote it. */
export interface OplogPosition extends Timestamp {
  readonly term: number;
}

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.t - b.t || a.i - b.i;
}

/** The timestamp of a BSON Timestamp's 64 bits. */
export function timestampFromBits(bits: bigint): Timestamp {
  if (bits < 0n || bits > 0xffff_ffff_ffff_ffffn) {
    throw new PluginError("internal", `Cannot read a timestamp: ${bits} is not an unsigned 64-bit number`);
  }
  return { t: Number(bits >> 32n), i: Number(bits & 0xffff_ffffn) };
}

/** The largest increment within a second: a timestamp with it stands for the second's end. */
export const lastIncrement = 0xffff_ffff;

/**
 * First and last second, as Unix seconds, whose very end lies within a stretch of the oplog; null where there is none. The last one counts only where nothing
 * more can have happened in it.
 */
export function wholeSeconds(from: Timestamp, to: Timestamp): { first: number; last: number } | null {
  const last = to.i === lastIncrement ? to.t : to.t - 1;
  return last < from.t ? null : { first: from.t, last };
}

/** `1719900000.4 (2024-07-02T06:00:00Z)`, for operators. */
export function describeTimestamp(at: Timestamp): string {
  return `${at.t}.${at.i} (${new Date(at.t * 1000).toISOString().replace(".000Z", "Z")})`;
}
