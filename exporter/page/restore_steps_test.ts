/** What is to be typed is what bconsole and the backend take. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { lastIncrement, wholeSeconds } from "../../backend/timestamp.ts";
import { optionRows } from "../../backend/options/table.ts";
import { parsePluginCommand } from "../../backend/options/command.ts";
import { histories, History, historyEnd } from "../../tests/lab/histories.ts";
import { restoreCommand } from "../../tests/lab/bacula_restore.ts";
import { coverageOf } from "../chain.ts";
import { planRestore, type RestorePlan, type RestoreSteps } from "./restore_steps.ts";

const day = 86_400;

function planOf({ read }: History, asked = ""): RestorePlan {
  return planRestore(read, coverageOf(read), asked);
}

function linesOf({ steps }: RestorePlan, purpose: RestoreSteps["purpose"]): readonly string[] {
  return steps.find((one) => one.purpose === purpose)?.lines ?? [];
}

function fieldOf(option: string): number {
  return 1 + optionRows.filter(([, row]) => row.form).findIndex(([name]) => name === option);
}

Deno.test("planRestore() names the jobs that lead to the newest state, and no others", () => {
  const history = new History("rs0", historyEnd - day).backup("F").backup("I").backup("I").backup("D")
    .rehearsal().failedBackup("I", "connect", "Nobody answers").backup("I");
  const plan = planOf(history);
  deepStrictEqual(linesOf(plan, "newest"), [
    "restore jobid=1,4,7 where=/",
    "cd /@mongodb",
    "mark rs0",
    "done",
    "yes",
  ]);
  deepStrictEqual(plan.jobs, [6, 3, 0].map((at) => history.jobs[at]!.jobName));
});

Deno.test("planRestore() answers the form at a restore's prompt by its own numbers, as the end-to-end tests type them", () => {
  const asked = new Date((historyEnd - day + 600) * 1000).toISOString().replace(".000Z", "Z");
  const plan = planOf(new History("rs0", historyEnd - day).backup("F").backup("I"), asked);
  const [pit, dry, drop, include, from, to] = ["pit", "dry_run", "drop", "include", "ns_from", "ns_to"]
    .map(fieldOf);
  const one = "DATABASE.COLLECTION";
  const wanted = [
    ["instant", [[pit, asked]]],
    ["plan", [[pit, asked], [dry, "yes"]]],
    ["replace", [[drop, "yes"], [pit, asked]]],
    ["collection", [[pit, asked], [include, one]]],
    ["beside", [[pit, asked], [include, one], [from, one], [to, `${one}_restored`]]],
  ] as const;
  for (const [purpose, fields] of wanted) {
    const typed = restoreCommand({
      from: [1, 2],
      files: ["/@mongodb/rs0"],
      pluginOptions: { fields: fields.map(([field, value]) => [field!, value]) },
    });
    // The tests' Director has a name for its client, and they quote what needs no quotes.
    const plain = typed.map((line) => line.replace("client=lab-fd ", "").replaceAll('"', ""));
    deepStrictEqual(linesOf(plan, purpose), plain);
  }
  strictEqual(linesOf(plan, "files")[0], "restore jobid=1,2 where=/restore/here");
});

Deno.test("planRestore() has commands that the backend takes for jobs that Bacula doesn't know", () => {
  const history = new History("rs0", historyEnd - day).backup("F", { jobName: "it's one", jobId: 1 })
    .backup("I", { jobName: "two", jobId: 1 });
  const plan = planOf(history, `${historyEnd - day + 605}`);
  for (const { lines, tool } of plan.steps) {
    strictEqual(tool, "shell");
    strictEqual(lines.length, 1);
    const command = /^podheitor-mongodb-backend restore --from FOLDER --job two .*"(podheitor-mongodb: .*)"$/
      .exec(lines[0]!)?.[1];
    parsePluginCommand(command!.replace("FILE", "/etc/podheitor/rs0.uri"));
  }
  match(linesOf(planOf(history, `${historyEnd}`), "newest").join(), /^$/);
  match(linesOf(planOf(withoutLast(history)), "newest")[0]!, /--job 'it'\\''s one' /);
});

const refusals = [
  { name: "a word", asked: "yesterday", want: /^yesterday is no instant: say a Unix second or one like / },
  { name: "a day that isn't", asked: "2026-02-31T00:00:00Z", want: /^2026-02-31T00:00:00Z is no instant/ },
  {
    name: "a time before all",
    asked: "2020-01-01T00:00:00Z",
    want: /^No job covers the end of 2020-01-01 00:00:00: the first one after is 2026-11-19 \d\d:09:59\.$/,
  },
  {
    name: "a time in a gap",
    asked: "2026-11-24 00:00",
    want:
      /^No job covers the end of 2026-11-24 00:00:00: the last one before is 2026-11-21 \S+, the first one after is 2026-11-25 \S+\.$/,
  },
  {
    name: "the future",
    asked: "2027-01-01T00:00:00+01:00",
    want: /^No job covers the end of 2026-12-31 23:00:00: the last one before is 2026-11-26 \S+\.$/,
  },
] as const;

for (const { name, asked, want } of refusals) {
  Deno.test(`planRestore() refuses ${name} with what there is`, () => {
    const { refusal, steps, jobs } = planOf(histories.gap("rs0", historyEnd), asked);
    match(refusal!, want);
    deepStrictEqual([steps, jobs], [[], []]);
  });
}

Deno.test("planRestore() says that there is nothing where no Full is known", () => {
  strictEqual(planOf(histories.empty("rs0", historyEnd)).refusal, "No Full is known.");
});

const levels = fc.array(fc.constantFrom("F", "I", "D", "failed"), { maxLength: 25 });

Deno.test("planRestore(): every second that is covered has jobs that lead to it, every other one is refused", () => {
  fc.assert(fc.property(levels, fc.integer({ min: 0, max: 3000 }), (levels, later) => {
    const history = new History("rs0", historyEnd - day);
    let hasFull = false;
    for (const level of levels) {
      if (level === "failed") history.failedBackup("I", "connect", "Nobody answers");
      else history.backup(hasFull ? level : "F");
      hasFull ||= level !== "failed";
    }
    const instant = historyEnd - day + later;
    const plan = planOf(history, `${instant}`);
    const isCovered = coverageOf(history.read).chains.some(({ covered }) => {
      const seconds = covered === null ? null : wholeSeconds(covered.from, covered.to);
      return seconds !== null && seconds.first <= instant && instant <= seconds.last;
    });
    strictEqual(plan.refusal === null, isCovered);
    const jobs = plan.jobs.map((name) => history.jobs.find(({ jobName }) => jobName === name)!);
    strictEqual(jobs.length > 0, isCovered);
    for (const [at, job] of jobs.entries()) {
      strictEqual(job.level === "F", at === 0);
      if (at > 0) strictEqual(job.previousJobName, jobs[at - 1]!.jobName);
    }
    if (!isCovered) return;
    const end = jobs.at(-1)!.oplog!.end;
    ok(end.t > instant || (end.t === instant && end.i === lastIncrement));
    // One job less would end before.
    ok(jobs.length === 1 || jobs.at(-2)!.oplog!.end.t <= instant);
  }));
});

function withoutLast(history: History): History {
  history.jobs.shift();
  history.tips = null;
  return history;
}
