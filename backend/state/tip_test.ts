import assert from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import {
  addTip,
  findParent,
  formatTips,
  jobInterval,
  type ParentQuery,
  parseTips,
  type Tip,
  type TipsFile,
} from "./tip.ts";

const setId = "0123456789abcdef01234567";

/** Of these databases, whole, without users. */
function scope(...databases: string[]): Tip["scope"] {
  return { databases, include: [], exclude: [], users: false };
}

function tip(jobName: string, more: Partial<Tip> = {}): Tip {
  return {
    jobName,
    jobId: 1,
    level: "F",
    parentName: null,
    endedAt: "2026-01-01T00:00:00.000Z",
    setName: "rs0",
    setId,
    member: "h:1",
    scope: scope("app", "shop"),
    position: { t: 100, i: 1, term: 1 },
    manifestDigest: "ab".repeat(32),
    ...more,
  };
}

function fileOf(...tips: Tip[]): TipsFile {
  return { format: "podheitor-mongodb-tip/1", resource: "rs0", tips };
}

const namesOf = (file: TipsFile) => file.tips.map(({ jobName }) => jobName);

const hex = (length: number) =>
  fc.array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length })
    .map((digits) => digits.join(""));
const text = fc.string({ minLength: 1, unit: "binary" });
const uint32 = fc.nat(0xffff_ffff);

const anyTip: fc.Arbitrary<Tip> = fc.record({
  jobName: text,
  jobId: fc.maxSafeNat(),
  level: fc.constantFrom("F", "I", "D"),
  parentName: fc.option(text),
  endedAt: fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString()),
  setName: text,
  setId: fc.option(hex(24)),
  member: text,
  scope: fc.record({
    databases: fc.array(text),
    include: fc.array(text),
    exclude: fc.array(text),
    users: fc.boolean(),
  }),
  position: fc.record({ t: uint32, i: uint32, term: fc.maxSafeInteger() }),
  manifestDigest: hex(64),
});

Deno.test("parseTips() gives what formatTips() was given", () => {
  fc.assert(fc.property(fc.array(anyTip), text, (tips, resource) => {
    const file: TipsFile = { format: "podheitor-mongodb-tip/1", resource, tips };
    // Made of plain records: fast-check's have no prototype.
    assert.deepEqual(parseTips(formatTips(file)), JSON.parse(JSON.stringify(file)));
  }));
});

Deno.test("formatTips() ends with one line break", () => {
  assert.match(formatTips(fileOf(tip("A"))), /[^\n]\n$/);
});

Deno.test("parseTips() refuses a file that was cut off anywhere", () => {
  const whole = formatTips(fileOf(tip("A"), tip("B"))).trimEnd();
  fc.assert(fc.property(fc.nat(whole.length - 1), (length) => {
    assert.throws(() => parseTips(whole.slice(0, length)));
  }));
});

const malformed: readonly { name: string; change: object; inFile?: boolean; want: RegExp }[] = [
  { name: "another format", change: { format: "podheitor-mongodb-tip/2" }, inFile: true, want: /^format: / },
  { name: "no resource", change: { resource: "" }, inFile: true, want: /^resource: / },
  { name: "no tips", change: { tips: undefined }, inFile: true, want: /^tips: / },
  { name: "what it doesn't know", change: { more: 1 }, inFile: true, want: /"more"/ },
  { name: "what a tip doesn't have", change: { more: 1 }, want: /^tips\.0: .*"more"/ },
  { name: "a job without a name", change: { jobName: "" }, want: /^tips\.0\.jobName: / },
  { name: "a job's number below 0", change: { jobId: -1 }, want: /^tips\.0\.jobId: / },
  { name: "another level", change: { level: "B" }, want: /^tips\.0\.level: / },
  { name: "no parent at all", change: { parentName: undefined }, want: /^tips\.0\.parentName: / },
  { name: "an empty parent", change: { parentName: "" }, want: /^tips\.0\.parentName: / },
  { name: "a day for a time", change: { endedAt: "2026-01-01" }, want: /^tips\.0\.endedAt: / },
  { name: "a local time", change: { endedAt: "2026-01-01T00:00:00" }, want: /^tips\.0\.endedAt: / },
  { name: "no name of a set", change: { setName: "" }, want: /^tips\.0\.setName: / },
  { name: "a short id of a set", change: { setId: setId.slice(1) }, want: /^tips\.0\.setId: / },
  { name: "an id in capitals", change: { setId: setId.toUpperCase() }, want: /^tips\.0\.setId: / },
  { name: "no member", change: { member: null }, want: /^tips\.0\.member: / },
  { name: "a scope that is a list", change: { scope: ["app"] }, want: /^tips\.0\.scope: / },
  { name: "a database without a name", change: { scope: { databases: [""] } }, want: /databases\.0: / },
  { name: "seconds of 33 bits", change: { position: { t: 2 ** 32, i: 0, term: 1 } }, want: /position\.t: / },
  { name: "an increment below 0", change: { position: { t: 1, i: -1, term: 1 } }, want: /position\.i: / },
  { name: "half a term", change: { position: { t: 1, i: 0, term: 0.5 } }, want: /position\.term: / },
  { name: "a short digest", change: { manifestDigest: "ab".repeat(31) }, want: /manifestDigest: / },
];

for (const { name, change, inFile = false, want } of malformed) {
  Deno.test(`parseTips() refuses ${name}`, () => {
    const text = JSON.stringify(
      inFile ? { ...fileOf(tip("A")), ...change } : fileOf({ ...tip("A"), ...change }),
    );
    assert.throws(() => parseTips(text), { message: want });
  });
}

Deno.test("addTip() begins a file, puts the newest first and replaces one of the same name", () => {
  let file = addTip(null, "rs0", tip("A"));
  assert.deepEqual(file, fileOf(tip("A")));
  file = addTip(addTip(file, "rs0", tip("B")), "rs0", tip("C"));
  assert.deepEqual(namesOf(file), ["C", "B", "A"]);
  const again = tip("B", { jobId: 9 });
  assert.deepEqual(addTip(file, "rs0", again), fileOf(again, tip("C"), tip("A")));
  assert.deepEqual(namesOf(file), ["C", "B", "A"]);
});

Deno.test("addTip() keeps the newest 200, and a Full that one of them goes back to by way of others", () => {
  let file = addTip(null, "rs0", tip("Lone"));
  file = addTip(file, "rs0", tip("Full"));
  file = addTip(file, "rs0", tip("Inc", { level: "I", parentName: "Full" }));
  file = addTip(file, "rs0", tip("Next", { level: "I", parentName: "Inc" }));
  for (let at = 1; at < 200; at++) file = addTip(file, "rs0", tip(`F${at}`));
  assert.equal(file.tips.length, 202);
  assert.deepEqual(namesOf(file).slice(-4), ["F1", "Next", "Inc", "Full"]);
  // With the last Incremental goes what only it went back to.
  file = addTip(file, "rs0", tip("F200"));
  assert.deepEqual(namesOf(file), Array.from({ length: 200 }, (_, at) => `F${200 - at}`));
});

/** Jobs one after another; each is a Full or continues the job so many before it, and some take a name again. */
const history = fc.array(
  fc.record({
    back: fc.option(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.nat(400))),
    reused: fc.option(fc.nat(), { freq: 20 }),
  }),
  { maxLength: 420, size: "max" },
).map((steps) =>
  steps.map(({ back, reused }, at) =>
    tip(`J${reused === null ? at : reused % (at + 1)}`, {
      jobId: at,
      parentName: back === null ? null : `J${at - back}`,
    })
  )
);

/** Names of a job and all that it goes back to, as far as they are known. */
function lineOf(tips: ReadonlyMap<string, Tip>, name: string | null, seen = new Set<string>()): Set<string> {
  const one = name === null ? undefined : tips.get(name);
  return one === undefined || seen.has(one.jobName)
    ? seen
    : lineOf(tips, one.parentName, seen.add(one.jobName));
}

Deno.test("addTip() forgets only what is old and what no kept job goes back to", () => {
  fc.assert(
    fc.property(history, (tips) => {
      let file: TipsFile | null = null;
      for (const one of tips) {
        const before: Tip[] = [one, ...(file?.tips ?? []).filter(({ jobName }) => jobName !== one.jobName)];
        file = addTip(file, "rs0", one);
        if (before.length <= 200) {
          assert.deepEqual(file.tips, before);
          continue;
        }
        const known = new Map(before.map((tip) => [tip.jobName, tip]));
        const wanted = new Set(before.slice(0, 200).flatMap(({ jobName }) => [...lineOf(known, jobName)]));
        assert.deepEqual(file.tips, before.filter(({ jobName }) => wanted.has(jobName)));
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("addTip() comes to an end where parents go round in a circle", () => {
  const circle = fileOf(tip("A", { parentName: "B" }), tip("B", { parentName: "A" }));
  assert.deepEqual(namesOf(addTip(circle, "rs0", tip("C", { parentName: "C" }))), ["C", "A", "B"]);
});

const query: ParentQuery = {
  previousJobName: "B",
  resource: "rs0",
  setName: "rs0",
  setId,
  scope: scope("app", "shop"),
};
const known = fileOf(tip("D"), tip("C"), tip("B", { jobId: 2 }), tip("A"));

const found: readonly { name: string; file?: TipsFile; query?: Partial<ParentQuery> }[] = [
  { name: "the job of that name, not the newest" },
  { name: "databases in another order", query: { scope: scope("shop", "app") } },
  { name: "a database named twice", query: { scope: scope("shop", "app", "shop") } },
  { name: "a set whose id isn't known now", query: { setId: null } },
  { name: "a set whose id wasn't known then", file: fileOf(tip("B", { jobId: 2, setId: null })) },
];

for (const { name, file = known, query: changed } of found) {
  Deno.test(`findParent() finds ${name}`, () => {
    assert.equal(findParent(file, { ...query, ...changed }).jobId, 2);
  });
}

const refused: readonly {
  name: string;
  file?: TipsFile | null;
  query?: Partial<ParentQuery>;
  want: string;
}[] = [
  {
    name: "when Bacula names no job",
    query: { previousJobName: "" },
    want: "Bacula names no earlier job",
  },
  {
    name: "when Bacula names no job and there is no file",
    file: null,
    query: { previousJobName: "" },
    want: "Bacula names no earlier job",
  },
  {
    name: "a job that isn't recorded, and says which are",
    query: { previousJobName: "E" },
    want:
      'the previous job E isn\'t recorded for resource "rs0" on this machine; the newest known are: D, C, B',
  },
  {
    name: "any job where there is no file",
    file: null,
    want: 'the previous job B isn\'t recorded for resource "rs0" on this machine; the newest known are: none',
  },
  {
    name: "a name in small letters",
    query: { previousJobName: "b" },
    want:
      'the previous job b isn\'t recorded for resource "rs0" on this machine; the newest known are: D, C, B',
  },
  {
    name: "another set",
    query: { setName: "rs1" },
    want: `B backed up another replica set (rs0, id ${setId}), this is rs1, id ${setId}`,
  },
  {
    name: "another set whose id isn't known",
    query: { setName: "rs1", setId: null },
    want: `B backed up another replica set (rs0, id ${setId}), this is rs1, id unknown`,
  },
  {
    name: "another set of the same name",
    query: { setId: "f".repeat(24) },
    want: `B backed up another replica set (rs0, id ${setId}), this is rs0, id ${"f".repeat(24)}`,
  },
  {
    name: "a narrower scope",
    query: { scope: scope("shop") },
    want: "the FileSet says database=shop users=no now, B had database=app,shop users=no",
  },
  {
    name: "a wider scope",
    query: { scope: scope("zoo", "shop", "app") },
    want: "the FileSet says database=app,shop,zoo users=no now, B had database=app,shop users=no",
  },
  {
    name: "all databases after some",
    query: { scope: scope("*") },
    want: "the FileSet says database=* users=no now, B had database=app,shop users=no",
  },
  {
    name: "users for the first time",
    query: { scope: { ...scope("app", "shop"), users: true } },
    want: "the FileSet says database=app,shop users=yes now, B had database=app,shop users=no",
  },
  {
    name: "other patterns",
    query: { scope: { ...scope("app", "shop"), include: ["app.*"], exclude: ["app.z", "app.a"] } },
    want: "the FileSet says database=app,shop include=app.* exclude=app.a,app.z users=no now, " +
      "B had database=app,shop users=no",
  },
];

for (const { name, file = known, query: changed, want } of refused) {
  Deno.test(`findParent() refuses ${name}`, () => {
    assert.throws(() => findParent(file, { ...query, ...changed }), (thrown) => {
      assert.ok(thrown instanceof PluginError);
      assert.equal(thrown.code, "parentUnknown");
      assert.equal(thrown.message, `Cannot continue a chain: ${want}`);
      assert.match(thrown.hint, /^Run a Full\b/);
      return true;
    });
  });
}

const intervals: readonly { name: string; file: TipsFile | null; now: string; want: number | null }[] = [
  { name: "is null without a file", file: null, now: "2026-01-01T00:00:00Z", want: null },
  { name: "is null without a job", file: fileOf(), now: "2026-01-01T00:00:00Z", want: null },
  {
    name: "counts from the newest job's end, in whole seconds",
    file: fileOf(tip("B", { endedAt: "2026-01-01T12:00:00.400Z" }), tip("A")),
    now: "2026-01-02T12:00:01Z",
    want: 86_401,
  },
  {
    name: "is 0 when the clock went back",
    file: fileOf(tip("A")),
    now: "2025-12-31T23:00:00Z",
    want: 0,
  },
];

for (const { name, file, now, want } of intervals) {
  Deno.test(`jobInterval() ${name}`, () => assert.equal(jobInterval(file, new Date(now)), want));
}

Deno.test("parseTips() reads files of before there were patterns and users in a scope", () => {
  const { scope: { databases }, ...rest } = tip("A");
  const old = JSON.stringify({ ...fileOf(), tips: [{ ...rest, scope: { databases } }] });
  assert.deepEqual(parseTips(old), fileOf(tip("A")));
});
