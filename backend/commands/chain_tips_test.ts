import assert from "node:assert/strict";
import { formatTips, type Tip } from "../state/tip.ts";
import { describeChains } from "./chain_text.ts";
import { readTipChains } from "./chain_tips.ts";

const main = new URL("../main.ts", import.meta.url).pathname;

/** A tip at a second of the oplog; its level follows from the first letter of its name. */
function tip(jobName: string, parentName: string | null, t: number, more: Partial<Tip> = {}): Tip {
  return {
    jobName,
    jobId: t,
    level: jobName[0] as "F" | "I" | "D",
    parentName,
    endedAt: new Date(t * 1000).toISOString(),
    setName: "rs0",
    setId: null,
    member: "h:1",
    scope: { databases: ["*"], include: [], exclude: [], users: false },
    position: { t, i: 1, term: 1 },
    manifestDigest: "ab".repeat(32),
    ...more,
  };
}

const full = tip("Full", null, 100);
const one = tip("Inc1", "Full", 110);

async function withTips(
  files: Readonly<Record<string, readonly Tip[] | string>>,
  test: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [resource, tips] of Object.entries(files)) {
      const text = typeof tips === "string"
        ? tips
        : formatTips({ format: "podheitor-mongodb-tip/1", resource, tips: [...tips] });
      await Deno.writeTextFile(`${directory}/podheitor-mongodb-${resource}-tip.json`, text);
    }
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("readTipChains() tells of each resource what its working directory knows", () =>
  withTips({ rs1: [tip("Full9", null, 50)], rs0: [one, full] }, async (directory) => {
    const { resources, findings } = await readTipChains(directory);
    assert.deepEqual([resources.map(({ resource }) => resource), findings], [["rs0", "rs1"], []]);
    const [chain] = resources[0]!.chains;
    assert.deepEqual(chain!.jobs.map(({ name, from, to }) => [name, from?.t, to?.t]), [
      ["Full", undefined, 100],
      ["Inc1", 100, 110],
    ]);
    assert.deepEqual(chain!.covered!.seconds, { first: 100, last: 109 });
    assert.deepEqual(chain!.next, { level: "I", from: one.position, after: "Inc1" });
    const lines = describeChains({ resources, findings });
    assert.equal(lines[2], "    Full, Full of 1970-01-01T00:01:40.000Z: to 100.1 (1970-01-01T00:01:40Z)");
    assert.equal(lines.at(-1), "clean");
  }));

Deno.test("readTipChains() takes a fork for what a failed job leaves", () =>
  withTips({ rs0: [tip("Inc1again", "Full", 115), one, full] }, async (directory) => {
    const { resources, findings } = await readTipChains(directory);
    assert.deepEqual([resources[0]!.chains.length, findings], [2, []]);
    assert.deepEqual(resources[0]!.chains.map(({ next }) => next?.after), [undefined, "Inc1again"]);
  }));

const faults: readonly { readonly name: string; readonly tip: Tip; readonly want: RegExp }[] = [
  {
    name: "an orphan",
    tip: tip("Inc2", "Inc9", 120),
    want: /^it continues Inc9, which is not here: .*run a Full/,
  },
  { name: "jobs in a circle", tip: tip("Inc2", "Inc2", 120), want: /can't be reached from any Full/ },
  {
    name: "an Incremental that continues nothing",
    tip: tip("Inc2", null, 120),
    want: /MONGO-405 .*Inc2 is of level I and continues nothing/,
  },
  {
    name: "a Full that continues a job",
    tip: tip("Inc2", "Inc1", 120, { level: "F" }),
    want: /MONGO-405 .*Inc2 is of level F and continues Inc1/,
  },
  {
    name: "another set",
    tip: tip("Inc2", "Inc1", 120, { setName: "x" }),
    want: /MONGO-403 .*another replica set/,
  },
  {
    name: "another scope",
    tip: tip("Inc2", "Inc1", 120, { scope: { databases: ["a"], include: [], exclude: [], users: false } }),
    want: /MONGO-403 .*database=a users=no now, Inc1 had database=\* users=no/,
  },
  {
    name: "an end before its parent's",
    tip: tip("Inc2", "Inc1", 109),
    want: /MONGO-405 .*Inc2 ends at 109\.1 /,
  },
  {
    name: "a term that decreases",
    tip: tip("Inc2", "Inc1", 120, { position: { t: 120, i: 1, term: 0 } }),
    want: /MONGO-405 .*of term 0, wanted nothing before 110\.1 .*of term 1, where Inc1 ends/,
  },
];

for (const { name, tip, want } of faults) {
  Deno.test(`readTipChains() finds ${name}`, () =>
    withTips({ rs0: [tip, one, full] }, async (directory) => {
      const { resources: [rs0], findings } = await readTipChains(directory);
      assert.deepEqual(rs0!.chains.map(({ jobs }) => jobs.map(({ name }) => name)), [["Full", "Inc1"]]);
      assert.deepEqual(rs0!.unlinked.map(({ name }) => name), ["Inc2"]);
      assert.deepEqual(findings.map(({ resource, job }) => [resource, job]), [["rs0", "Inc2"]]);
      assert.match(findings[0]!.problem, want);
    }));
}

Deno.test("readTipChains() goes on after a file that can't be read", () =>
  withTips({ a: "{", rs0: [one, full] }, async (directory) => {
    const { resources, findings } = await readTipChains(directory);
    assert.deepEqual(resources.map(({ resource }) => resource), ["rs0"]);
    assert.deepEqual(findings.map(({ resource, job }) => [resource, job]), [["a", directory]]);
    assert.match(findings[0]!.problem, /^MONGO-702 .* Hint: /);
  }));

/** Runs the `chain` command as a program of its own. */
async function chain(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, "chain", ...args],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", HOME: Deno.env.get("HOME") ?? "" },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, error: error! };
}

Deno.test("chain says by its exit status how it went, and prints one JSON document when asked to", async () => {
  await withTips({ rs0: [one, full] }, async (directory) => {
    const clean = await chain("--working-dir", directory, "--json");
    assert.deepEqual([clean.code, JSON.parse(clean.out)], [0, await readTipChains(directory)]);
    const both = await chain(directory, "--working-dir", directory);
    assert.equal(both.code, 2);
    assert.match(both.error, /MONGO-110 Cannot run: --working-dir goes with neither a folder nor --key/);
    assert.match((await chain(directory)).error, /no job is there/);
  });
  await withTips({ rs0: [one] }, async (directory) => {
    const { code, out } = await chain("--working-dir", directory);
    assert.equal(code, 1);
    assert.match(out, /Finding: rs0, Inc1: it continues Full, which is not here[^]*\n1 finding\n$/);
  });
  for (const args of [[], ["/nowhere"], ["--working-dir", "/nowhere"]]) {
    const { code, error } = await chain(...args);
    assert.equal(code, 2, error);
    assert.match(error, /^MONGO-(110|702) /);
  }
});
