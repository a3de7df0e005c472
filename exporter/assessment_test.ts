/** What a history amounts to, and what is said of it. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { histories, History, historyEnd } from "../tests/lab/histories.ts";
import { assess, judge, type State } from "./assessment.ts";
import { parseResource } from "./sidecar/resource.ts";

const hour = 3600;
const day = 24 * hour;

function start(before: number): History {
  return new History("rs0", historyEnd - before);
}

const verdicts: readonly { name: string; history: History; want: State; reason: RegExp }[] = [
  {
    name: "nothing recorded",
    history: histories.empty("rs0", historyEnd),
    want: "never",
    reason: /^No job is recorded\.$/,
  },
  {
    name: "a restore and no backup",
    history: start(hour).restore(),
    want: "never",
    reason: /^No backup is recorded\.$/,
  },
  {
    name: "a backup",
    history: histories.oneJob("rs0", historyEnd),
    want: "ok",
    reason: /^The last backup ended well, 50 minutes ago\.$/,
  },
  { name: "a year", history: histories.year("rs0", historyEnd), want: "ok", reason: /ended well/ },
  { name: "a gap that a Full ended", history: histories.gap("rs0", historyEnd), want: "ok", reason: /well/ },
  {
    name: "a chain that fails",
    history: histories.failingChain("rs0", historyEnd),
    want: "failed",
    reason: /^The last backup failed: job 12, MONGO-301 Cannot reach the source: .*\.$/,
  },
  {
    name: "a rehearsal with findings",
    history: histories.failingRehearsal("rs0", historyEnd),
    want: "failed",
    reason: /^The last rehearsal found 2 differences, the first one in shop\.orders: 12 documents .*\.$/,
  },
  {
    name: "a rehearsal with findings, and a good one after it",
    history: histories.failingRehearsal("rs0", historyEnd).rehearsal(),
    want: "ok",
    reason: /well/,
  },
  {
    name: "a cancelled backup",
    history: start(hour).backup("F").failedBackup("I", "canceled", "The job was cancelled"),
    want: "warning",
    reason: /^The last backup was cancelled\.$/,
  },
  {
    name: "warnings in the log",
    history: start(hour).backup("F", { warnings: 2 }),
    want: "warning",
    reason: /^The log of the last backup, job 1, has 2 warnings\.$/,
  },
  {
    name: "a chain's end that the oplog will lose soon",
    history: start(3 * day).backup("F"),
    want: "warning",
    reason: /^The oplog will have lost the end of the chain in 1 day: run an Incremental before\.$/,
  },
  {
    name: "a chain's end that the oplog has lost",
    history: start(5 * day).backup("F"),
    want: "warning",
    reason: /^The oplog must be expected to have lost the end of the chain 23 hours ago: run a Full\.$/,
  },
  {
    name: "a last backup that no Full leads to",
    history: withoutFull(),
    want: "failed",
    reason: /^No Full that is known leads to the last backup, .*: run a Full\.$/,
  },
];

for (const { name, history, want, reason } of verdicts) {
  Deno.test(`judge() says ${want} of ${name}`, () => {
    const verdict = judge(assess(history.read), historyEnd);
    match(verdict.reason, reason);
    strictEqual(verdict.state, want);
  });
}

Deno.test("judge() says unreadable of whatever can't be read, and which file", () => {
  const file = "podheitor-mongodb-rs0-stats.json";
  const resource = parseResource("rs0", { file, content: { text: "{" } }, null);
  deepStrictEqual(judge(assess(resource), historyEnd), {
    state: "unreadable",
    reason: `${file} can't be read. It is malformed: it is no JSON.`,
  });
});

Deno.test("judge() quotes an error on one line, and not without end", () => {
  const history = start(hour).failedBackup("F", "connect", `Cannot:\n  ${"a".repeat(5000)}`);
  const { reason } = judge(assess(history.read), historyEnd);
  match(reason, /^The last backup failed: job 1, MONGO-301 Cannot: a{392}…\.$/);
});

Deno.test("assess() finds the newest job of each sort", () => {
  const history = start(10 * day).backup("F").rehearsal().restore().backup("I").backup("D").restore({
    outcome: "failed",
    error: { code: 601, text: "Not empty" },
  }).rehearsal(["shop.orders: other"]).failedBackup("I", "oplogGap", "Gone");
  const { last, failures, deadline, coverage } = assess(history.read);
  deepStrictEqual(
    Object.fromEntries(
      Object.entries({ ...last, ...last.good, good: null }).map(([name, job]) => [name, job?.jobId ?? null]),
    ),
    {
      backup: 8,
      goodBackup: 5,
      good: null,
      F: 1,
      I: 4,
      D: 5,
      failedBackup: 8,
      restore: 6,
      goodRestore: 3,
      rehearsal: 7,
      provenRehearsal: 2,
      verified: 1,
    },
  );
  deepStrictEqual([...failures], [[402, 1], [605, 1], [601, 1]]);
  strictEqual(deadline, coverage.current!.covered!.to.t + 4 * day);
});

const jobs = fc.array(fc.constantFrom("F", "I", "failed", "restore", "rehearsal", "finding"), {
  maxLength: 60,
});

Deno.test("assess() and judge(): totals add up, and every state has a sentence, of any history", () => {
  fc.assert(fc.property(jobs, fc.integer({ min: 0, max: 10 * day }), (jobs, later) => {
    const history = start(0);
    for (const job of jobs) {
      if (job === "failed") history.failedBackup("F", "connect", "Nobody answers.");
      else if (job === "restore") history.restore();
      else if (job === "rehearsal") history.rehearsal();
      else if (job === "finding") history.rehearsal(["shop.orders: other"]);
      else history.backup(job === "I" && history.tips !== null ? "I" : "F");
    }
    const assessment = assess(history.read);
    const sum = (of: (one: { jobs: number; bytes: number }) => number) =>
      assessment.totals.reduce((total, one) => total + of(one), 0);
    strictEqual(sum(({ jobs }) => jobs), history.jobs.length);
    strictEqual(
      sum(({ bytes }) => bytes),
      history.jobs.reduce((total, { bytes, slice }) => total + bytes + (slice?.bytes ?? 0), 0),
    );
    match(judge(assessment, historyEnd + later).reason, /^[A-Z].*[^.]\.$/);
  }));
});

function withoutFull(): History {
  const history = start(day).backup("F").backup("I").backup("I");
  history.jobs.splice(1);
  history.tips = null;
  return history;
}
