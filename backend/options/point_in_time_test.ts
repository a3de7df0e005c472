import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { compareTimestamps, lastIncrement, type Timestamp } from "../timestamp.ts";
import { type ChainEnd, parsePointInTime, resolvePointInTime } from "./point_in_time.ts";
import { ValueFault } from "./value_fault.ts";

const end = lastIncrement;
const seconds = (text: string) => Date.parse(text) / 1000;

const instants = [
  { text: "1795421234", want: { t: 1795421234, i: end } },
  { text: "0", want: { t: 0, i: end } },
  { text: "4294967295", want: { t: 4294967295, i: end } },
  { text: "1795421234:7", want: { t: 1795421234, i: 7 } },
  { text: "1795421234@7", want: { t: 1795421234, i: 7 } },
  { text: "1795421234:4294967295", want: { t: 1795421234, i: end } },
  { text: "2026-11-23T08:15:00Z", want: { t: seconds("2026-11-23T08:15:00Z"), i: end } },
  { text: "2026-11-23t08:15:00z", want: { t: seconds("2026-11-23T08:15:00Z"), i: end } },
  { text: "2026-11-23T08:15:00.000Z", want: { t: seconds("2026-11-23T08:15:00Z"), i: end } },
  { text: "2026-11-23T08:15:00+05:30", want: { t: seconds("2026-11-23T02:45:00Z"), i: end } },
  { text: "2026-11-23T08:15:00-08:00", want: { t: seconds("2026-11-23T16:15:00Z"), i: end } },
  { text: "2026-11-23T08:15:00+05:30:9", want: { t: seconds("2026-11-23T02:45:00Z"), i: 9 } },
  { text: "2026-11-23T08:15:00Z@9", want: { t: seconds("2026-11-23T08:15:00Z"), i: 9 } },
  { text: "2028-02-29T23:59:59Z", want: { t: seconds("2028-02-29T23:59:59Z"), i: end } },
  { text: "2000-02-29T00:00:00Z", want: { t: seconds("2000-02-29T00:00:00Z"), i: end } },
  { text: "1970-01-01T00:00:00Z", want: { t: 0, i: end } },
  { text: "1969-12-31T23:00:00-01:00", want: { t: 0, i: end } },
  { text: "2106-02-07T06:28:15Z", want: { t: 4294967295, i: end } },
];

for (const { text, want } of instants) {
  Deno.test(`parsePointInTime() reads ${text}`, () =>
    deepStrictEqual(parsePointInTime(text), { kind: "instant", at: want }));
}

const counted = [
  { text: ":inc=1", want: { kind: "incrementOfDay", number: 1 } },
  { text: "@inc=12", want: { kind: "incrementOfChain", number: 12 } },
];

for (const { text, want } of counted) {
  Deno.test(`parsePointInTime() counts with ${text}`, () => deepStrictEqual(parsePointInTime(text), want));
}

const calendar = /no instant of the calendar/;
const shape = /^is no point in time, wanted /;
const range = /outside of the years 1970 to 2106/;
const increment = /increment that is not within 1 to 4294967295/;

const refused = [
  { text: "", want: shape },
  { text: "now", want: shape },
  { text: "-5", want: shape },
  { text: "17954212345", want: shape },
  { text: " 1795421234", want: shape },
  { text: "1795421234\n", want: shape },
  { text: "1795421234.5", want: shape },
  { text: "1795421234:", want: shape },
  { text: "1795421234:5:5", want: shape },
  { text: "1795421234:-1", want: shape },
  { text: "1795421234:0x5", want: shape },
  { text: "2026-11-23", want: shape },
  { text: "2026-11-23T08:15:00", want: shape },
  { text: "2026-11-23 08:15:00Z", want: shape },
  { text: "2026-11-23T08:15Z", want: shape },
  { text: "2026-11-23T08:15:00+0530", want: shape },
  { text: "inc=1", want: shape },
  { text: ":inc=", want: shape },
  { text: ":inc=1x", want: shape },
  { text: ":inc=0", want: /^counts incrementals from 1$/ },
  { text: "@inc=00", want: /^counts incrementals from 1$/ },
  { text: "1795421234:0", want: increment },
  { text: "1795421234:4294967296", want: increment },
  { text: "4294967296", want: range },
  { text: "1969-12-31T23:59:59Z", want: range },
  { text: "1970-01-01T00:00:00+00:01", want: range },
  { text: "2106-02-07T06:28:16Z", want: range },
  { text: "0000-01-01T00:00:00Z", want: range },
  { text: "2026-02-29T00:00:00Z", want: calendar },
  { text: "2100-02-29T00:00:00Z", want: calendar },
  { text: "2026-04-31T00:00:00Z", want: calendar },
  { text: "2026-13-01T00:00:00Z", want: calendar },
  { text: "2026-00-01T00:00:00Z", want: calendar },
  { text: "2026-01-00T00:00:00Z", want: calendar },
  { text: "2026-01-01T24:00:00Z", want: calendar },
  { text: "2026-01-01T00:60:00Z", want: calendar },
  { text: "2016-12-31T23:59:60Z", want: calendar },
  { text: "2026-01-01T00:00:00+24:00", want: calendar },
  { text: "2026-01-01T00:00:00+00:60", want: calendar },
  { text: "2026-11-23T08:15:00.5Z", want: /fraction of a second.*":<increment>"/ },
  { text: "2026-11-23T08:15:00.000001Z:4", want: /fraction of a second/ },
];

for (const { text, want } of refused) {
  Deno.test(`parsePointInTime() refuses ${JSON.stringify(text)}`, () => {
    throws(() => parsePointInTime(text), { name: "ValueFault", message: want });
  });
}

Deno.test("parsePointInTime() reads any second in any offset, and any increment", () => {
  const second = fc.integer({ min: 0, max: 0xffff_ffff });
  const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
  const i = fc.option(fc.integer({ min: 1, max: end }), { nil: null });
  const mark = fc.constantFrom(":", "@");
  fc.assert(fc.property(second, offset, i, mark, fc.boolean(), (t, minutes, i, mark, small) => {
    const local = new Date((t + minutes * 60) * 1000);
    const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
      String(part).padStart(2, "0")
    );
    const behind = i === null ? "" : `${mark}${i}`;
    const instant = `${local.toISOString().slice(0, 19)}${minutes < 0 ? "-" : "+"}${hours}:${rest}`;
    const want = { kind: "instant", at: { t, i: i ?? end } };
    deepStrictEqual(parsePointInTime(`${small ? instant.toLowerCase() : instant}${behind}`), want);
    deepStrictEqual(parsePointInTime(`${t}${behind}`), want);
  }));
});

Deno.test("parsePointInTime() takes a day as often as the calendar has it", () => {
  const part = (max: number) => fc.integer({ min: 0, max });
  fc.assert(fc.property(fc.integer({ min: 1971, max: 2105 }), part(13), part(32), (year, month, day) => {
    const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    const days = [0, 31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] ?? 0;
    const text = `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}T12:00:00Z`;
    let isTaken = true;
    try {
      parsePointInTime(text);
    } catch {
      isTaken = false;
    }
    strictEqual(isTaken, day >= 1 && day <= days, text);
  }));
});

Deno.test("parsePointInTime() throws nothing but a ValueFault, which shows nothing of the text", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.integer().map(String),
    fc.constantFrom("2026", "-", "02", "29", "T", "t", "00", ":", "Z", "+", ".", "@", ":inc=", "@inc=", "0"),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }).map((all) => all.join("")), (text) => {
      try {
        parsePointInTime(text);
      } catch (thrown) {
        ok(thrown instanceof ValueFault, String(thrown));
      }
    }),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."GHJKLQXZ"), minLength: 3 }), (secret) => {
    for (const text of [secret, `${secret}:5`, `1795421234:${secret}`, `2026-11-23T08:15:00.5Z${secret}`]) {
      throws(() => parsePointInTime(text), (thrown: Error) => !thrown.message.includes(secret));
    }
  }));
});

const day0 = seconds("2026-11-22T12:00:00Z");
const day1 = seconds("2026-11-23T08:00:00Z");

function job(level: ChainEnd["level"], t: number, i: number): ChainEnd {
  return { level, jobName: `${level}.${t}.${i}`, to: { t, i, term: 1 } };
}

const chain = [
  job("F", day0, 3),
  job("I", day0 + 3600, 1),
  job("D", day1, 1),
  job("I", day1 + 10, 2),
  job("I", day1 + 20, 4),
];
const dayOf = (t: number) => new Date(t * 1000).toISOString().slice(0, 10);

function resolve(text: string, jobs: readonly ChainEnd[] = chain): Timestamp {
  return resolvePointInTime(parsePointInTime(text), jobs, dayOf);
}

const resolved = [
  { name: "the Full's very end", text: `${day0}:3`, want: { t: day0, i: 3 } },
  { name: "the rest of the second in which the Full ended", text: `${day0}`, want: { t: day0, i: end } },
  {
    name: "an instant between jobs' ends",
    text: `${day0 + 4000}:9`,
    want: { t: day0 + 4000, i: 9 },
  },
  {
    name: "the last whole second",
    text: `${day1 + 19}`,
    want: { t: day1 + 19, i: end },
  },
  { name: "the last job's very end", text: `${day1 + 20}:4`, want: { t: day1 + 20, i: 4 } },
  { name: "the first incremental of the newest day", text: ":inc=1", want: { t: day1, i: 1 } },
  { name: "the last incremental of the newest day", text: ":inc=3", want: { t: day1 + 20, i: 4 } },
  { name: "the first incremental since the Full", text: "@inc=1", want: { t: day0 + 3600, i: 1 } },
  { name: "the last incremental since the Full", text: "@inc=4", want: { t: day1 + 20, i: 4 } },
];

for (const { name, text, want } of resolved) {
  Deno.test(`resolvePointInTime() gives ${name}`, () => deepStrictEqual(resolve(text), want));
}

const covers = new RegExp(
  `cover ${day0}\\.3 \\(2026-11-22T12:00:00Z\\) to ${day1 + 20}\\.4 \\(2026-11-23T08:00:20Z\\), ` +
    `as bare seconds ${day0} to ${day1 + 19}\\.`,
);
const notCovered = [
  {
    name: "long before the Full's end",
    text: "1970-01-01T00:00:00Z",
    want:
      /before or within its own dump; the earliest instant .* is its end, \d+\.3 \(2026-11-22T12:00:00Z\)/,
  },
  { name: "an increment before the Full's end", text: `${day0}:2`, want: /its own dump/ },
  {
    name: "an increment behind the last job's end",
    text: `${day1 + 20}:5`,
    want: /the chain ends at \d+\.4 /,
  },
  { name: "a second behind the last job's end", text: `${day1 + 21}`, want: /the chain ends at \d+\.4 / },
  {
    name: "the second within which the last job ends",
    text: `${day1 + 20}`,
    want: new RegExp(`ends within that second.* say ${day1 + 20}:4, or leave pit= out`),
  },
];

for (const { name, text, want } of notCovered) {
  Deno.test(`resolvePointInTime() refuses ${name}, and says what is covered`, () => {
    throws(() => resolve(text), { code: "pointInTime", message: want, hint: covers });
  });
}

const tooMany = [
  { text: ":inc=4", jobs: chain, want: "incremental 4: the chain has 3 on its newest day, 2026-11-23" },
  { text: "@inc=5", jobs: chain, want: "incremental 5: the chain has 4 since its Full" },
  { text: ":inc=1", jobs: chain.slice(0, 1), want: "incremental 1: the chain has 0 since its Full" },
  { text: "@inc=1", jobs: chain.slice(0, 1), want: "incremental 1: the chain has 0 since its Full" },
];

for (const { text, jobs, want } of tooMany) {
  Deno.test(`resolvePointInTime() refuses ${text} of ${jobs.length} jobs, and says how many there are`, () => {
    throws(() => resolve(text, jobs), { code: "pointInTime", message: `Cannot restore to ${want}` });
  });
}

Deno.test("resolvePointInTime() takes of a Full alone nothing but its end", () => {
  const alone = chain.slice(0, 1);
  deepStrictEqual(resolve(`${day0}:3`, alone), { t: day0, i: 3 });
  throws(() => resolve(`${day0}`, alone), { code: "pointInTime", hint: /, and no whole second\./ });
});

Deno.test("resolvePointInTime() names a single whole second as one", () => {
  const short = [job("F", day0, 3), job("I", day0 + 1, 1)];
  throws(() => resolve(`${day0 + 1}`, short), {
    code: "pointInTime",
    hint: new RegExp(`, as bare seconds ${day0}\\.`),
  });
});

Deno.test("resolvePointInTime() takes exactly what is from the Full's end to the last job's, both inclusive", () => {
  const place = fc.record({ t: fc.integer({ min: 100, max: 104 }), i: fc.integer({ min: 1, max: 4 }) });
  const ends = fc.array(place, { minLength: 1, maxLength: 5 }).map((all) => all.sort(compareTimestamps));
  const target = fc.record({
    t: fc.integer({ min: 98, max: 106 }),
    i: fc.constantFrom(1, 2, 3, 4, 5, end),
  });
  fc.assert(fc.property(ends, target, (places, at) => {
    const jobs = places.map(({ t, i }, index) => job(index === 0 ? "F" : "I", t, i));
    const isCovered = compareTimestamps(places[0]!, at) <= 0 && compareTimestamps(at, places.at(-1)!) <= 0;
    try {
      deepStrictEqual(resolvePointInTime({ kind: "instant", at }, jobs, dayOf), at);
      ok(isCovered);
    } catch (thrown) {
      if (!(thrown instanceof PluginError)) throw thrown;
      strictEqual(thrown.code, "pointInTime");
      ok(!isCovered, thrown.message);
    }
  }));
});

Deno.test("resolvePointInTime() takes the bare seconds that its refusal names, and not those beside them", () => {
  const start = fc.record({ t: fc.integer({ min: 100, max: 104 }), i: fc.constantFrom(1, 2, end) });
  fc.assert(fc.property(start, fc.nat({ max: 4 }), fc.constantFrom(1, 2, end), (from, length, i) => {
    const jobs = [
      job("F", from.t, from.i),
      job("I", from.t + length, Math.max(i, length === 0 ? from.i : 1)),
    ];
    const taken: number[] = [];
    let hint = "";
    for (let t = 99; t < 112; t++) {
      try {
        resolvePointInTime({ kind: "instant", at: { t, i: end } }, jobs, dayOf);
        taken.push(t);
      } catch (thrown) {
        hint = (thrown as PluginError).hint;
      }
    }
    const [, first, last] = /as bare seconds (\d+)(?: to (\d+))?\./.exec(hint) ?? [];
    deepStrictEqual([taken[0], taken.at(-1)], [
      first === undefined ? undefined : Number(first),
      first === undefined ? undefined : Number(last ?? first),
    ]);
  }));
});
