import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Member } from "../ports.ts";
import { judgeMembers, type MemberFacts } from "./source_choice.ts";
import type { ReadMode, SourceRules } from "./source_rules.ts";

const modes: readonly ReadMode[] = [
  "secondaryPreferred",
  "secondary",
  "primaryPreferred",
  "primary",
  "nearest",
];

const anyRules: SourceRules = {
  readPreference: "secondaryPreferred",
  tagSets: null,
  maxStalenessSeconds: 0,
  maxLagSeconds: 0,
  source: null,
  avoid: [],
  text: "",
};

/** A healthy secondary that is not behind, but for what is said. */
function fact(host: string, more: Partial<MemberFacts> = {}): MemberFacts {
  return {
    host,
    state: "SECONDARY",
    trouble: null,
    hidden: false,
    delaySeconds: 0,
    hasIndexes: true,
    tags: new Map(),
    writtenAtMs: 1_000_000_000_000,
    oplogSeconds: 3600,
    answerMs: 1,
    ...more,
  };
}

const primary = fact("p:1", { state: "PRIMARY" });
const behind = (seconds: number) => ({ writtenAtMs: primary.writtenAtMs! - seconds * 1000 });
const tags = (values: Record<string, string>) => new Map(Object.entries(values));

function best(members: readonly MemberFacts[], rules: Partial<SourceRules> = {}): string | null {
  const [first] = judgeMembers(members, { ...anyRules, ...rules });
  return first?.score == null ? null : first.host;
}

const rows: { name: string; members: MemberFacts[]; rules?: Partial<SourceRules>; want: string | null }[] = [
  { name: "a secondary before the primary", members: [primary, fact("a:1")], want: "a:1" },
  {
    name: "hidden before visible, however far it lags",
    members: [primary, fact("a:1"), fact("h:1", { hidden: true, ...behind(99) })],
    want: "h:1",
  },
  {
    name: "the least lag before the longest oplog",
    members: [primary, fact("a:1", behind(1)), fact("b:1", { ...behind(2), oplogSeconds: 9e6 })],
    want: "a:1",
  },
  {
    name: "the longest oplog among equals",
    members: [primary, fact("a:1"), fact("b:1", { oplogSeconds: 7200 })],
    want: "b:1",
  },
  {
    name: "a member whose lag isn't known last of its kind",
    members: [primary, fact("a:1", { writtenAtMs: null }), fact("b:1", behind(1000))],
    want: "b:1",
  },
  {
    name: "the primary where no secondary will do",
    members: [primary, fact("a:1", { state: "RECOVERING" })],
    want: "p:1",
  },
  {
    name: "nothing rather than the primary with readPreference=secondary",
    members: [primary, fact("a:1", { state: "STARTUP2" })],
    rules: { readPreference: "secondary" },
    want: null,
  },
  {
    name: "the primary with readPreference=primary",
    members: [fact("a:1"), primary],
    rules: { readPreference: "primary" },
    want: "p:1",
  },
  {
    name: "a secondary with readPreference=primaryPreferred and no primary",
    members: [fact("a:1")],
    rules: { readPreference: "primaryPreferred" },
    want: "a:1",
  },
  {
    name: "the one that answers first with readPreference=nearest",
    members: [primary, fact("h:1", { hidden: true, answerMs: 40 })],
    rules: { readPreference: "nearest" },
    want: "p:1",
  },
  {
    name: "the first set of tags that any member has",
    members: [
      primary,
      fact("a:1", { tags: tags({ dc: "west" }) }),
      fact("b:1", { tags: tags({ dc: "east" }), ...behind(9) }),
    ],
    rules: { tagSets: [tags({ dc: "north" }), tags({ dc: "east" }), tags({ dc: "west" })] },
    want: "b:1",
  },
  {
    name: "any member where the last set of tags is empty",
    members: [primary, fact("a:1")],
    rules: { tagSets: [tags({ dc: "east" }), tags({})] },
    want: "a:1",
  },
  {
    name: "the primary where no secondary has the tags",
    members: [primary, fact("a:1")],
    rules: { tagSets: [tags({ dc: "east" })] },
    want: "p:1",
  },
  {
    name: "a tagged secondary that is stale no more than others",
    members: [primary, fact("a:1", { tags: tags({ dc: "east" }), ...behind(200) }), fact("b:1")],
    rules: { tagSets: [tags({ dc: "east" }), tags({})], maxStalenessSeconds: 100 },
    want: "b:1",
  },
  {
    name: "no member with lag above max_source_lag",
    members: [primary, fact("a:1", { hidden: true, ...behind(11) }), fact("b:1", behind(10))],
    rules: { maxLagSeconds: 10 },
    want: "b:1",
  },
  {
    name: "a delayed member only where it is named",
    members: [primary, fact("d:1", { hidden: true, delaySeconds: 3600, ...behind(3605) })],
    want: "p:1",
  },
  {
    name: "a named delayed member, whose delay is no lag",
    members: [primary, fact("a:1"), fact("D:1", { hidden: true, delaySeconds: 3600, ...behind(3605) })],
    rules: { source: "d:1", maxLagSeconds: 10 },
    want: "D:1",
  },
  {
    name: "nobody else than the named one",
    members: [primary, fact("a:1"), fact("b:1", { trouble: "it is gone" })],
    rules: { source: "b:1" },
    want: null,
  },
  {
    name: "none to avoid, the primary included",
    members: [primary, fact("A:1")],
    rules: { avoid: ["a:1", "p:1"] },
    want: null,
  },
  { name: "none without indexes", members: [primary, fact("a:1", { hasIndexes: false })], want: "p:1" },
  { name: "nothing of nothing", members: [], want: null },
];
for (const { name, members, rules, want } of rows) {
  Deno.test(`judgeMembers() takes ${name}`, () => {
    strictEqual(best(members, rules), want);
    strictEqual(best(members.toReversed(), rules), want);
  });
}

const host = fc.constantFrom("a:1", "b:1", "c:1", "d:1", "e:1", "f:1");
const tagSet = fc.record({ dc: fc.constantFrom("east", "west"), use: fc.constantFrom("app", "backup") }, {
  requiredKeys: [],
}).map((values) => tags(values as Record<string, string>));
const anyFact: fc.Arbitrary<MemberFacts> = fc.record({
  host,
  state: fc.constantFrom(
    "PRIMARY",
    "SECONDARY",
    "SECONDARY",
    "SECONDARY",
    "ARBITER",
    "RECOVERING",
    "STARTUP2",
    "REMOVED",
  ),
  trouble: fc.constantFrom(null, null, null, "it is gone"),
  hidden: fc.boolean(),
  delaySeconds: fc.constantFrom(0, 0, 0, 60),
  hasIndexes: fc.constantFrom(true, true, true, false),
  tags: fc.option(tagSet),
  writtenAtMs: fc.option(fc.integer({ min: 0, max: 200_000 }).map((back) => 1_000_000_000_000 - back)),
  oplogSeconds: fc.option(fc.nat(1_000_000)),
  answerMs: fc.option(fc.nat(100)),
});
const anyMembers = fc.uniqueArray(anyFact, { selector: (one) => one.host, maxLength: 6 });
const anyRule: fc.Arbitrary<SourceRules> = fc.record({
  readPreference: fc.constantFrom(...modes),
  tagSets: fc.option(fc.array(tagSet, { minLength: 1, maxLength: 3 })),
  maxStalenessSeconds: fc.constantFrom(0, 50, 120),
  maxLagSeconds: fc.constantFrom(0, 30, 300),
  source: fc.option(host, { freq: 4 }),
  avoid: fc.array(host, { maxLength: 2 }),
  text: fc.constant(""),
});

Deno.test("judgeMembers() names every member once, with a reason, whatever their order", () => {
  fc.assert(fc.property(anyMembers, anyRule, fc.nat(), (members, rules, turn) => {
    const judged = judgeMembers(members, rules);
    deepStrictEqual(judged.map(({ host }) => host).sort(), members.map(({ host }) => host).sort());
    ok(judged.every(({ reason, score }) => reason !== "" && (score === null || Number.isSafeInteger(score))));
    const at = turn % Math.max(members.length, 1);
    deepStrictEqual(judgeMembers([...members.slice(at), ...members.slice(0, at)], rules), judged);
  }));
});

Deno.test("judgeMembers() scores no member that must not be read", () => {
  fc.assert(fc.property(anyMembers, anyRule, (members, rules) => {
    for (const { host, score, lagSeconds } of judgeMembers(members, rules)) {
      if (score === null) continue;
      const one = members.find((member) => member.host === host)!;
      ok(["PRIMARY", "SECONDARY"].includes(one.state) && one.trouble === null && one.hasIndexes);
      ok(one.delaySeconds === 0 || rules.source === host);
      ok(rules.source === null || rules.source === host);
      ok(!rules.avoid.includes(host));
      ok(rules.readPreference !== "primary" || one.state === "PRIMARY");
      ok(rules.readPreference !== "secondary" || one.state === "SECONDARY");
      const lag = (lagSeconds ?? 0) - one.delaySeconds;
      ok(rules.maxLagSeconds === 0 || lag <= rules.maxLagSeconds);
      ok(one.state === "PRIMARY" || rules.maxStalenessSeconds === 0 || lag <= rules.maxStalenessSeconds);
      const isTagged = rules.tagSets === null ||
        rules.tagSets.some((set) => [...set].every(([name, value]) => one.tags?.get(name) === value));
      ok(isTagged || (one.state === "PRIMARY" && rules.readPreference !== "nearest"));
    }
  }));
});

Deno.test("judgeMembers() puts kind, hidden, lag and oplog in this order", () => {
  const kinds: Partial<Record<ReadMode, string>> = {
    secondaryPreferred: "SECONDARY",
    primaryPreferred: "PRIMARY",
  };
  const rank = (
    { readPreference }: SourceRules,
    members: readonly MemberFacts[],
    { host, lagSeconds }: Member,
  ) => {
    const one = members.find((member) => member.host === host)!;
    const isWanted = (kinds[readPreference] ?? one.state) === one.state;
    return [
      Number(isWanted),
      Number(one.hidden),
      -(lagSeconds ?? 1e9),
      Math.floor((one.oplogSeconds ?? 0) / 60),
    ];
  };
  const rule = anyRule.filter(({ readPreference }) => readPreference !== "nearest");
  fc.assert(fc.property(anyMembers, rule, (members, rules) => {
    const ranks = judgeMembers(members, rules).filter(({ score }) => score !== null).map((one) =>
      rank(rules, members, one)
    );
    deepStrictEqual(
      ranks,
      ranks.toSorted((a, b) => b.map((value, at) => value - a[at]!).find((more) => more !== 0) ?? 0),
    );
  }));
});

Deno.test("judgeMembers() leaves out nobody without need", () => {
  fc.assert(fc.property(anyMembers, (members) => {
    const wanted = members.filter((one) =>
      ["PRIMARY", "SECONDARY"].includes(one.state) && one.trouble === null && one.hasIndexes &&
      one.delaySeconds === 0
    );
    const scored = judgeMembers(members, anyRules).filter(({ score }) => score !== null);
    deepStrictEqual(scored.map(({ host }) => host).sort(), wanted.map(({ host }) => host).sort());
  }));
});
