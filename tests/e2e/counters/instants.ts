/** Instants to restore to: every kind of place in a chain, in every way to write it. */

import type { Random } from "../../lab/random.ts";
import { formatInstant, type Instant, instantAt, lastIncrement } from "./ledger.ts";
import type { Commit } from "./oracle.ts";

/** An instant. */
export interface Aim {
  readonly at: Instant;
  /** As `pit=` takes it. */
  readonly pit: string;
  /** What is there, for a reader. */
  readonly place: string;
}

/**
 * Chooses so many instants, in a random order: the end of every job and what is next to it, then transactions, bare seconds, single writes and
 * anything between them in turn.
 *
 * @param ends of the chain's jobs, the Full's first
 * @param commits the workload's, in order
 */
export function chooseAims(
  ends: readonly Instant[],
  commits: readonly Commit[],
  count: number,
  random: Random,
): Aim[] {
  const [first, last] = [ends[0]!, ends.at(-1)!];
  const covered = commits.filter(({ at }) => at > first && at <= last);
  const transactions = covered.filter(({ write }) => write.changes.length > 1);
  const [firstSecond, wholeSeconds] = [secondsOf(first), secondsOf(last) - secondsOf(first)];
  const pick = <T>(choices: readonly T[]) => choices[random.below(choices.length)]!;
  const kinds: readonly (() => [place: string, at: Instant])[] = [
    () => ["a transaction's commit", pick(transactions).at],
    () => ["just before a transaction's commit", pick(transactions).at - 1n],
    () => ["the end of a second", instantAt(firstSecond + random.below(wholeSeconds), lastIncrement)],
    () => ["a write", pick(covered).at],
    () => ["just before a write", pick(covered).at - 1n],
    () => ["anywhere", instantAt(firstSecond + random.below(wholeSeconds), 1 + random.below(300))],
  ];
  const aims = new Map<Instant, Aim>();
  function add(place: string, at: Instant): void {
    if (at < first || at > last || (at & BigInt(lastIncrement)) === 0n) return;
    aims.set(at, { at, pit: formatPit(at, random), place });
  }
  for (const end of ends) {
    add("just before a job's end", end - 1n);
    add("a job's end", end);
    add("just after a job's end", end + 1n);
  }
  for (let turn = 0; aims.size < count; turn++) add(...kinds[turn % kinds.length]!());
  return [...aims.values()].map((aim) => ({ aim, key: random.next() })).sort((a, b) => a.key - b.key).map((
    { aim },
  ) => aim);
}

/** One of the ways to write an instant. */
function formatPit(at: Instant, random: Random): string {
  const seconds = secondsOf(at);
  const increment = at & BigInt(lastIncrement);
  const utc = new Date(seconds * 1000).toISOString().replace(".000Z", "");
  const elsewhere = new Date((seconds + 5.5 * 3600) * 1000).toISOString().replace(".000Z", "");
  const second = random.pick([`${seconds}`, `${seconds}`, `${utc}Z`, `${elsewhere}+05:30`]);
  return increment === BigInt(lastIncrement) ? second : `${second}${random.pick([":", "@"])}${increment}`;
}

function secondsOf(at: Instant): number {
  return Number(at >> 32n);
}

/** For messages. */
export function describeAim({ at, pit, place }: Aim): string {
  return `pit=${pit} (${place}, ${formatInstant(at)})`;
}
