/**
 * Takes measurements by turns: what disturbs the machine for a while then disturbs all of them.
 *
 * @module
 */

import type { ReplicaSet } from "../lab/mongod.ts";
import { until } from "../lab/condition.ts";
import { type Cost, measure, type Program } from "./process.ts";

/** What every part of the benchmark gets. */
export interface Bench {
  /** Our backend's executable. */
  readonly backend: string;
  /** The File Daemon's plugin. */
  readonly plugin: string;
  /** The exporter's. */
  readonly exporter: string;
  /** A folder for backups and the rest; the part's own, and empty. */
  readonly folder: string;
  /** How often each subject is measured. */
  readonly runs: number;
  isMissing(peer: string): boolean;
  /** Tells whoever waits how far it is. */
  say(text: string): void;
}

/** Something that is measured. */
export interface Subject {
  readonly name: string;
  /** Run as a process of its own; or whatever else is to be measured, which measures itself. */
  readonly program: Program | (() => Promise<Cost & { readonly output: string }>);
  /** Clears the way before a run; not measured. */
  before?(): Promise<void>;
  /** Goes on while it runs, and ends by being disposed of. */
  during?(): Promise<AsyncDisposable>;
  /** Looks at what a run printed. */
  check?(output: string): void;
}

/**
 * Every subject once, then every subject again.
 *
 * @param set has to settle before each; none where a server has no members
 */
export async function measureInTurn(subjects: readonly Subject[], { runs, say }: Bench, set?: ReplicaSet) {
  const results = subjects.map((subject) => ({ name: subject.name, subject, costs: [] as Cost[] }));
  for (let run = 1; run <= runs; run++) {
    for (const { name, subject, costs } of results) {
      await subject.before?.();
      if (set !== undefined) await settle(set);
      const { output, ...cost } = await measureInCompany(subject);
      subject.check?.(output);
      costs.push(cost);
      say(`run ${run} of ${runs}: ${name}: ${cost.wallSeconds.toFixed(2)} s`);
    }
  }
  return results;
}

async function measureInCompany(subject: Subject) {
  await using _company = await subject.during?.();
  const { program } = subject;
  return typeof program === "function" ? await program() : await measure(program);
}

/** Resolves when every member has all writes, and has them on its disk. */
export async function settle(set: ReplicaSet): Promise<void> {
  await until("all members to have the same data", 300_000, async () => {
    const status = await set.command(await set.primary(), { replSetGetStatus: 1 });
    const members = status["members"] as { optime: unknown }[];
    return new Set(members.map(({ optime }) => JSON.stringify(optime))).size === 1;
  });
  for (const member of set.members) await set.command(member, { fsync: 1 });
}
