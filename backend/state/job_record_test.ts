import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { histories, historyEnd } from "../../tests/lab/histories.ts";
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

Deno.test("parseStatsLeniently() takes any text or throws an Error", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.nat(statsText.length - 2).map((at) => statsText.slice(0, at)),
  );
  fc.assert(fc.property(texts, (text) => throws(() => parseStatsLeniently(text), Error)));
});
