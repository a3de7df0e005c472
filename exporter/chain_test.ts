/** What can be restored, told from records and tips. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { compareTimestamps, type OplogPosition } from "../backend/timestamp.ts";
import { histories, History, historyEnd } from "../tests/lab/histories.ts";
import { type Coverage, coverageOf } from "./chain.ts";

const hour = 3600;

function summaryOf({ chains, gaps, current, unlinked }: Coverage) {
  return {
    chains: chains.map(({ jobs }) => jobs),
    gaps: gaps.length,
    current: current?.jobs ?? null,
    unlinked: unlinked.length,
  };
}

const cases = [
  { name: "empty", want: { chains: [], gaps: 0, current: null, unlinked: 0 } },
  { name: "oneJob", want: { chains: [1], gaps: 0, current: 1, unlinked: 0 } },
  { name: "gap", want: { chains: [3, 2], gaps: 1, current: 2, unlinked: 0 } },
  { name: "failingChain", want: { chains: [2], gaps: 0, current: 2, unlinked: 0 } },
  { name: "failingRehearsal", want: { chains: [3], gaps: 0, current: 3, unlinked: 0 } },
] as const;

for (const { name, want } of cases) {
  Deno.test(`coverageOf() links the jobs of the history ${name}`, () => {
    deepStrictEqual(summaryOf(coverageOf(histories[name]("rs0", historyEnd).read)), want);
  });
}

Deno.test("coverageOf() has a chain for each Full of a year, and all but the last hours of each week", () => {
  const { chains, gaps, current } = coverageOf(histories.year("rs0", historyEnd).read);
  strictEqual(chains.length, 53);
  strictEqual(gaps.length, 52);
  strictEqual(current, chains.at(-1));
  strictEqual(gaps.every(({ after, before }) => before.t - after.t <= 25 * hour), true);
});

Deno.test("coverageOf() reaches back to a Full whose record is forgotten, by its tip", () => {
  const history = new History("rs0", historyEnd).backup("F");
  for (let at = 0; at < 400; at++) history.wait(hour).backup("I");
  strictEqual(history.jobs.some(({ level }) => level === "F"), false);
  deepStrictEqual(summaryOf(coverageOf(history.read)), { chains: [401], gaps: 0, current: 401, unlinked: 0 });
});

Deno.test("coverageOf() looks at a chain's jobs twice as often when it is twice as long", () => {
  const looksAt = (length: number) => {
    const history = new History("rs0", historyEnd).backup("F");
    for (let at = 1; at < length; at++) history.wait(hour).backup("I");
    history.tips = null;
    const { read } = history;
    let looks = 0;
    for (const { oplog } of read.jobs) {
      const { t } = oplog!.end;
      Object.defineProperty(oplog!.end, "t", { get: () => (looks++, t) });
    }
    strictEqual(coverageOf(read).chains[0]!.jobs, length);
    return looks;
  };
  const [short, long] = [looksAt(200), looksAt(400)];
  ok(long < 2.5 * short, `${long} looks after ${short}`);
});

Deno.test("coverageOf() comes to an end where parents go round in a circle", () => {
  const history = new History("rs0", historyEnd).backup("F").backup("I").backup("I").wait(hour).backup("I");
  const [third, second, first] = history.jobs;
  // Positions are all the same, so that each continues what it names.
  for (const { oplog } of history.jobs) {
    Object.assign(oplog!, { start: first!.oplog!.end, end: first!.oplog!.end });
  }
  first!.previousJobName = second!.jobName;
  strictEqual(third!.previousJobName, second!.jobName);
  history.tips = null;
  deepStrictEqual(summaryOf(coverageOf(history.read)), { chains: [1], gaps: 0, current: null, unlinked: 3 });
});

Deno.test("coverageOf() has no use for what lost its Full", () => {
  const history = new History("rs0", historyEnd).backup("F").backup("I").wait(hour).backup("I");
  history.jobs.splice(1);
  history.tips = null;
  deepStrictEqual(summaryOf(coverageOf(history.read)), { chains: [], gaps: 0, current: null, unlinked: 1 });
});

Deno.test("coverageOf() doesn't believe a slice that begins elsewhere than where its parent ends", () => {
  for (const change of [{ t: 1 }, { i: 9 }, { term: 4 }]) {
    const history = new History("rs0", historyEnd).backup("F").wait(hour).backup("I");
    const [incremental] = history.jobs;
    Object.assign(incremental!.oplog!.start, change);
    history.tips = null;
    strictEqual(coverageOf(history.read).unlinked.length, 1, JSON.stringify(change));
  }
});

Deno.test("coverageOf() takes no tip of a job that failed after its backend was done", () => {
  const history = new History("rs0", historyEnd).backup("F").wait(hour).backup("I");
  history.jobs[0] = { ...history.jobs[0]!, outcome: "failed" };
  deepStrictEqual(summaryOf(coverageOf(history.read)), { chains: [1], gaps: 0, current: 1, unlinked: 0 });
});

Deno.test("coverageOf() has Fulls of a server without an oplog, and no instant", () => {
  const history = new History("rs0", historyEnd).backup("F", { oplog: null }).wait(hour)
    .backup("F", { oplog: null });
  const { chains, gaps, current } = coverageOf(history.read);
  deepStrictEqual([chains.length, gaps.length, current?.covered], [2, 0, null]);
});

const steps = fc.array(
  fc.record({
    what: fc.constantFrom("F", "I", "D", "failed", "restore", "lost", "lying"),
    wait: fc.integer({ min: 1, max: 5000 }),
  }),
  { maxLength: 40 },
);

Deno.test("coverageOf(): of any history, an instant is covered exactly where an unbroken row of slices leads to it", () => {
  fc.assert(fc.property(steps, (steps) => {
    const history = new History("rs0", historyEnd);
    for (const { what, wait } of steps) {
      history.wait(wait);
      if (what === "failed") history.failedBackup("I", "oplogGap", "Gone");
      else if (what === "restore") history.restore();
      else if (what === "F") history.backup("F");
      else if (history.jobs.some(({ level, outcome }) => level === "F" && outcome === "success")) {
        if (what === "lost" || what === "lying") {
          history.backup("I");
          // Its record, and with it the way from what follows, isn't there or says something else.
          if (what === "lost") history.jobs.shift();
          else history.jobs[0]!.oplog!.start.t -= 1;
        } else history.backup(what);
      }
    }
    history.tips = null;
    const { chains, gaps, unlinked } = coverageOf(history.read);
    const good = history.jobs.filter(({ kind, outcome }) => kind === "backup" && outcome === "success");
    const reach = new Map<string, OplogPosition>();
    for (const { level, jobName, previousJobName, oplog } of good.toReversed()) {
      const parentEnd = level === "F"
        ? oplog!.end
        : reach.has(previousJobName!)
        ? good.find((one) => one.jobName === previousJobName)!.oplog!.end
        : null;
      const isLinked = parentEnd !== null &&
        (level === "F" || compareTimestamps(parentEnd, oplog!.start) === 0);
      if (!isLinked) continue;
      const full = level === "F" ? oplog!.end : reach.get(previousJobName!)!;
      reach.set(jobName, full);
    }
    const spans = good.flatMap(({ jobName, oplog }) => {
      const from = reach.get(jobName);
      return from === undefined ? [] : [{ from, to: oplog!.end }];
    });
    strictEqual(unlinked.length, good.length - spans.length);
    strictEqual(chains.reduce((sum, { jobs }) => sum + jobs, 0), spans.length);
    const ends = [...spans.flatMap(({ from, to }) => [from.t, to.t]), ...gaps.map(({ before }) => before.t)];
    for (const second of ends.flatMap((t) => [t - 1, t, t + 1])) {
      const inside = (from: OplogPosition, to: OplogPosition) => from.t <= second && second <= to.t;
      strictEqual(
        chains.some(({ covered }) => covered !== null && inside(covered.from, covered.to)),
        spans.some(({ from, to }) => inside(from, to)),
      );
      const isInGap = gaps.some(({ after, before }) => after.t < second && second < before.t);
      if (isInGap) strictEqual(spans.some(({ from, to }) => inside(from, to)), false);
    }
  }));
});
