import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { histories, historyEnd } from "../../tests/lab/histories.ts";
import { run } from "../../tests/lab/command.ts";
import { parseStats, parseStatsLeniently } from "./job_record.ts";

const { statsText } = histories.failingRehearsal("rs0", historyEnd);

Deno.test("parseStats() reads records of before there were slice, window, lag and verification", () => {
  const file = JSON.parse(statsText);
  const added = ["slice", "oplogWindow", "lagSeconds", "verification"] as const;
  for (const job of file.jobs) for (const name of added) delete job[name];
  for (const job of parseStats(JSON.stringify(file)).jobs) {
    deepStrictEqual(added.map((name) => job[name]), [null, null, null, null]);
  }
});

Deno.test("parseStatsLeniently() has what parseStats() has, whatever fields are added anywhere", () => {
  const { jobs } = parseStats(statsText);
  // Every object that the file has, by the number in which the text names it.
  const objects = statsText.match(/\{/g)!.length;
  fc.assert(
    fc.property(fc.array(fc.nat(objects - 1)), fc.jsonValue(), (chosen, value) => {
      let at = 0;
      const text = statsText.replaceAll(
        "{",
        () => chosen.includes(at++) ? `{"added": ${JSON.stringify(value)},` : "{",
      );
      const { jobs: read, problems } = parseStatsLeniently(text);
      deepStrictEqual(problems, []);
      deepStrictEqual(read, jobs);
    }),
    { numRuns: 200 },
  );
});

Deno.test("parseStatsLeniently() leaves out jobs that can't be read, each with a problem", () => {
  const { jobs } = parseStats(statsText);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(jobs.length - 1)), fc.jsonValue(), (spoilt, value) => {
      const file = JSON.parse(statsText);
      for (const at of spoilt) file.jobs[at] = { ...file.jobs[at], outcome: [value] };
      const read = parseStatsLeniently(JSON.stringify(file));
      deepStrictEqual(read.jobs, jobs.filter((_, at) => !spoilt.includes(at)));
      strictEqual(read.problems.length, spoilt.length);
      for (const at of spoilt) {
        strictEqual(read.problems.some((one) => one.startsWith(`jobs.${at}.outcome: `)), true);
      }
    }),
  );
});

/** Paths of all values within one. */
function pathsOf(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, one]) => pathsOf(one).map((path) => [key, ...path]))];
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaceAt(copy[key], rest, by);
  return copy;
}

Deno.test("parseStatsLeniently() refuses of a job what parseStats() refuses, in the same words", () => {
  const file = JSON.parse(statsText);
  const job = file.jobs.find(({ kind }: { kind: string }) => kind === "rehearsal");
  const backup = file.jobs.find(({ kind }: { kind: string }) => kind === "backup");
  const places = [job, backup].flatMap((job) => pathsOf(job).slice(1).map((path) => ({ job, path })));
  const scalar = fc.oneof(
    fc.constantFrom(
      -1,
      0.5,
      2 ** 53,
      -(2 ** 53),
      "",
      "F",
      "success",
      "2026-01-01T00:00:00",
      "2026-13-01T00:00:00Z",
    ),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
  );
  const values = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }));
  fc.assert(
    fc.property(fc.constantFrom(...places), values, ({ job, path }, value) => {
      const text = JSON.stringify({ ...file, jobs: [replaceAt(job, path, value)] });
      const read = parseStatsLeniently(text);
      const { problems: [problem] } = read;
      if (problem === undefined) deepStrictEqual(read.jobs, parseStats(text).jobs);
      else throws(() => parseStats(text), { message: problem });
    }),
    { numRuns: 2000 },
  );
});

/** Prints how many times as long as its JSON a text takes. By turns, and the least of each: what else the machine does is no part of it. */
const comparison = `
import { parseStatsLeniently } from ${JSON.stringify(import.meta.resolve("./job_record.ts"))};
const text = await new Response(Deno.stdin.readable).text();
const msOf = (work) => {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
};
let [least, leastBare] = [Infinity, Infinity];
for (let turn = 0; turn < 40; turn++) {
  leastBare = Math.min(leastBare, msOf(() => JSON.parse(text)));
  least = Math.min(least, msOf(() => parseStatsLeniently(text)));
}
console.log(least / leastBare);
`;

Deno.test("parseStatsLeniently() costs some times what the text's JSON does, also where nothing is compiled", async () => {
  const { statsText: text } = histories.year("rs0", historyEnd);
  const args = ["eval", "--v8-flags=--jitless", comparison];
  const ratio = Number(await run(Deno.execPath(), args, { cwd: import.meta.dirname!, input: text }));
  ok(ratio < 8, `${ratio} times`);
});

Deno.test("parseStatsLeniently() takes any text or throws an Error", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.nat(statsText.length - 2).map((at) => statsText.slice(0, at)),
  );
  fc.assert(fc.property(texts, (text) => throws(() => parseStatsLeniently(text), Error)));
});
