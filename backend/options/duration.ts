/**
 * Durations as operators type them.
 *
 * @module
 */

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** Seconds of `90s`, `30m`, `24h`, `2d` or `1w`, or null for what is none of them. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = /^([1-9]\d{0,6})([smhdw])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * unitSeconds[unit as keyof typeof unitSeconds];
}
