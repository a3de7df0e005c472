/**
 * Which of a set's members is read: judged from what is known of them, and nothing else.
 *
 * @module
 */

import type { TagSet } from "../options/tag_sets.ts";
import type { Member } from "../ports.ts";
import type { SourceRules } from "./source_rules.ts";

/** What is known of a member. */
export interface MemberFacts {
  /** `host:port`, as the set's configuration names it. */
  readonly host: string;
  /** `PRIMARY`, `SECONDARY`, `ARBITER`, … */
  readonly state: string;
  /** Why it can't be asked anything, or null. */
  readonly trouble: string | null;
  readonly hidden: boolean;
  /** By how much it is behind on purpose. */
  readonly delaySeconds: number;
  /** Whether it builds the indexes that the others have. */
  readonly hasIndexes: boolean;
  /** Null where they aren't known. */
  readonly tags: TagSet | null;
  /** When its last write was made, in Unix milliseconds; null where nobody says. */
  readonly writtenAtMs: number | null;
  /** How far its oplog reaches; null where that isn't known. */
  readonly oplogSeconds: number | null;
  /** How long it takes to answer; null for one that wasn't asked. */
  readonly answerMs: number | null;
}

/** Members that answer so much later than the fastest one are as near as that, as MongoDB's drivers have it. */
const nearMs = 15;

/** What a part of a score can be at most. */
const lagMaxSeconds = 99_999;
const oplogMaxMinutes = 99_999;

/**
 * Every member with its score, the best first; those that can't be read come last and have none. A score has, from its first digit on: whether the member
 * is of the wanted kind, whether it is hidden, how little it lags, and how far its oplog reaches.
 */
export function judgeMembers(members: readonly MemberFacts[], rules: SourceRules): Member[] {
  const newest = newestWrite(members);
  const lagOf = ({ writtenAtMs, trouble }: MemberFacts) =>
    writtenAtMs === null || newest === null || trouble !== null
      ? null
      : Math.max(0, Math.round((newest - writtenAtMs) / 1000));
  const first = new Map(members.map((one) => [one, refusalOf(one, lagOf(one), rules)]));
  const fit = members.filter((one) => first.get(one) === null);
  const tags = rules.tagSets?.find((set) => fit.some((one) => needsTags(one, rules) && hasTags(one, set)));
  const fastest = Math.min(...fit.map(({ answerMs }) => answerMs ?? Infinity));
  return members.map((one) => {
    const lagSeconds = lagOf(one);
    const isUntagged = rules.tagSets !== null && needsTags(one, rules) &&
      (tags === undefined || !hasTags(one, tags));
    const refusal = first.get(one) ?? (isUntagged ? "it doesn't have the tags" : null);
    return {
      host: one.host,
      state: one.state,
      healthy: one.trouble === null,
      hidden: one.hidden,
      lagSeconds,
      score: refusal === null ? scoreOf(one, lagSeconds, rules, fastest) : null,
      reason: refusal ?? meritsOf(one, lagSeconds),
    };
  }).sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || (a.host < b.host ? -1 : 1));
}

/** The primary's last write; without a primary, the last of all. */
function newestWrite(members: readonly MemberFacts[]): number | null {
  const primaries = members.filter(({ state, writtenAtMs }) => state === "PRIMARY" && writtenAtMs !== null);
  const writes = (primaries.length > 0 ? primaries : members).flatMap(({ writtenAtMs }) => writtenAtMs ?? []);
  return writes.length === 0 ? null : Math.max(...writes);
}

/** What speaks against a member whatever the others are like, or null. */
function refusalOf(one: MemberFacts, lagSeconds: number | null, rules: SourceRules): string | null {
  const { source, avoid, readPreference, maxStalenessSeconds, maxLagSeconds } = rules;
  const host = one.host.toLowerCase();
  if (source !== null && host !== source) return "source= names another member";
  if (avoid.includes(host)) return "avoid= names it";
  if (one.trouble !== null) return one.trouble;
  if (one.state !== "SECONDARY" && one.state !== "PRIMARY") return stateRefusal(one.state);
  if (!one.hasIndexes) return "it has no indexes to back up (buildIndexes: false)";
  if (one.delaySeconds > 0 && source === null) return `it is delayed by ${one.delaySeconds} s`;
  if (readPreference === "primary" && one.state !== "PRIMARY") return "it is not the primary";
  if (readPreference === "secondary" && one.state !== "SECONDARY") return "it is not a secondary";
  if (lagSeconds === null) return null;
  const lag = lagSeconds - one.delaySeconds;
  if (maxStalenessSeconds > 0 && lag > maxStalenessSeconds && one.state === "SECONDARY") {
    return `it is ${lagSeconds} s behind, more than maxStalenessSeconds`;
  }
  return maxLagSeconds > 0 && lag > maxLagSeconds
    ? `it is ${lagSeconds} s behind, more than max_source_lag`
    : null;
}

function stateRefusal(state: string): string {
  if (state === "ARBITER") return "it is an arbiter, which has no data";
  if (state === "STARTUP" || state === "STARTUP2") return `it is starting or in initial sync (${state})`;
  return `it is in state ${state}`;
}

/** A primary that is read for being the primary needs none. */
function needsTags({ state }: MemberFacts, { readPreference }: SourceRules): boolean {
  return state === "SECONDARY" || readPreference === "nearest";
}

function hasTags({ tags }: MemberFacts, wanted: TagSet): boolean {
  return [...wanted].every(([name, value]) => tags?.get(name) === value);
}

function scoreOf(one: MemberFacts, lagSeconds: number | null, rules: SourceRules, fastestMs: number): number {
  const parts = [
    { value: Number(isPreferred(one, rules, fastestMs)), max: 1 },
    { value: Number(one.hidden), max: 1 },
    { value: lagMaxSeconds - Math.min(lagSeconds ?? lagMaxSeconds, lagMaxSeconds), max: lagMaxSeconds },
    { value: Math.min(Math.floor((one.oplogSeconds ?? 0) / 60), oplogMaxMinutes), max: oplogMaxMinutes },
  ];
  return parts.reduce((score, { value, max }) => score * (max + 1) + value, 0);
}

function isPreferred(one: MemberFacts, { readPreference }: SourceRules, fastestMs: number): boolean {
  switch (readPreference) {
    case "nearest":
      return one.answerMs !== null && one.answerMs <= fastestMs + nearMs;
    case "primary":
    case "primaryPreferred":
      return one.state === "PRIMARY";
    case "secondary":
    case "secondaryPreferred":
      return one.state === "SECONDARY";
  }
}

function meritsOf(one: MemberFacts, lagSeconds: number | null): string {
  return [
    ...one.hidden ? ["hidden"] : [],
    ...one.delaySeconds > 0 ? [`delayed by ${one.delaySeconds} s`] : [],
    lagSeconds === null ? "its lag isn't known" : `${lagSeconds} s behind`,
    ...one.oplogSeconds !== null
      ? [`oplog of ${(one.oplogSeconds / 3600).toFixed(1)} h`]
      : one.state === "PRIMARY"
      ? []
      : ["how far its oplog reaches isn't known"],
  ].join(", ");
}
