import assert from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import type { OplogPosition } from "../timestamp.ts";
import { checkNextJob, linkChain } from "./chain.ts";
import type { OpenedManifest } from "./reader.ts";
import type { Manifest } from "./schema.ts";

const at = (t: number, i = 1, term = 1): OplogPosition => ({ t, i, term });

interface Row {
  readonly name: string;
  readonly level: "F" | "I" | "D";
  readonly parent: { readonly jobName: string; readonly blake3: string } | null;
  readonly from: OplogPosition;
  readonly to: OplogPosition;
  readonly resource: string;
  readonly setName: string;
  readonly setId: string | null;
  readonly databases: readonly string[];
}

function digestOf(name: string): string {
  return Array.from(name, (letter) => letter.charCodeAt(0).toString(16)).join("").padEnd(64, "0");
}

/** Only what links jobs; seals have tests of their own. */
function opened(row: Row & { oplog?: null }): OpenedManifest {
  const digest = digestOf(row.name);
  const manifest = {
    job: { name: row.name, level: row.level },
    resource: row.resource,
    scope: { databases: row.databases, include: [], exclude: [], users: false },
    deployment: { setName: row.setName, setId: row.setId },
    parent: row.parent,
    oplog: row.oplog === null ? null : { from: row.from, to: row.to },
  } as unknown as Manifest;
  return { manifest, digest, id: digest.slice(0, 16), keyId: null };
}

function row(name: string, parent: Row | null, to: OplogPosition, changes: Partial<Row> = {}): Row {
  return {
    name,
    level: parent === null ? "F" : "I",
    parent: parent && { jobName: parent.name, blake3: digestOf(parent.name) },
    from: parent?.to ?? at(to.t - 5, 1, to.term),
    to,
    resource: "rs0",
    setName: "rs0",
    setId: "0".repeat(24),
    databases: ["app", "shop"],
    ...changes,
  };
}

const full = row("Full", null, at(100));
const one = row("Inc1", full, at(110));
const two = row("Inc2", one, at(120, 7, 2));
const three = row("Inc3", two, at(120, 7, 2));
const differential = row("Diff", full, at(130, 1, 2), { level: "D" });
const later = row("Inc4", differential, at(140, 1, 2));

function link(...rows: (Row & { oplog?: null })[]): string[] {
  return linkChain(rows.map(opened)).jobs.map(({ manifest }) => manifest.job.name);
}

Deno.test("linkChain() links a Full, a Differential and Incrementals by their parents", () => {
  assert.deepEqual(link(full), ["Full"]);
  assert.deepEqual(link(three, one, full, two), ["Full", "Inc1", "Inc2", "Inc3"]);
  assert.deepEqual(link(later, differential, full), ["Full", "Diff", "Inc4"]);
  assert.equal(linkChain([opened(full)]).resource, "rs0");
});

Deno.test("linkChain() takes a manifest that comes twice once", () => {
  assert.deepEqual(link(one, full, one, full), ["Full", "Inc1"]);
});

Deno.test("linkChain() takes a Full without an oplog, and nothing after it", () => {
  const standalone = { ...full, oplog: null };
  assert.deepEqual(link(standalone), ["Full"]);
  assert.throws(() => link(standalone, one), {
    code: "chainBroken",
    message: /Full is of a server without an oplog/,
    hint: /leave out Inc1/i,
  });
});

Deno.test("linkChain() compares the sets' ids where both are known", () => {
  const unknown = { ...one, setId: null };
  assert.deepEqual(link(full, unknown), ["Full", "Inc1"]);
  assert.deepEqual(link({ ...full, setId: null }, one), ["Full", "Inc1"]);
  const other = { ...two, setId: "1".repeat(24) };
  assert.throws(() => link(full, unknown, other), {
    message: /Inc2 is of the replica set with id 1+, wanted 0+/,
  });
});

const refusals: readonly {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly message: RegExp;
  readonly hint: RegExp;
}[] = [
  { name: "no jobs", rows: [], message: /there are no jobs, wanted one/, hint: /Restore the Full/ },
  { name: "no Full", rows: [one, two], message: /there is no Full, wanted one/, hint: /Restore the Full/ },
  {
    name: "several Fulls",
    rows: [full, one, { ...full, name: "Full2" }],
    message: /there are 2 Fulls, Full, Full2, wanted one/,
    hint: /Choose one Full and what follows it/,
  },
  {
    name: "several resources",
    rows: [full, { ...one, resource: "rs1" }],
    message: /of the resources rs0, rs1/,
    hint: /one resource/,
  },
  {
    name: "a missing parent",
    rows: [full, two],
    message: /Inc2 continues Inc1 \(manifest 496e633100000000\), which is not among the jobs/,
    hint: /Add Inc1 to the jobs to restore, or leave out Inc2/,
  },
  {
    name: "several missing parents",
    rows: [full, two, later],
    message: /Inc2 continues Inc1 .*; Inc4 continues Diff /,
    hint: /Add Inc1, Diff/,
  },
  {
    name: "a parent of the same name with another manifest",
    rows: [full, { ...one, parent: { jobName: "Full", blake3: "ab".repeat(32) } }],
    message:
      /Inc1 continues Full \(manifest abab.*\), which is not the one of that name that is here \(manifest 4675/,
    hint: /Add Full/,
  },
  {
    name: "a parent's manifest with another name",
    rows: [full, { ...one, parent: { ...one.parent!, jobName: "Other" } }],
    message: /Inc1 continues Other .*, wanted Full/,
    hint: /changed/,
  },
  {
    name: "two Incrementals of one parent",
    rows: [full, one, two, { ...one, name: "Inc1b" }],
    message: /Inc1 \(Incremental\) and Inc1b \(Incremental\) each continue Full/,
    hint: /^Leave out Inc1b: Inc1 leads on to 120\.7 /,
  },
  {
    name: "Incrementals that a Differential has superseded",
    rows: [full, one, two, three, differential, later],
    message: /Diff \(Differential\) and Inc1 \(Incremental\) each continue Full/,
    hint: /^Leave out Inc1, Inc2, Inc3: Diff leads on to 140\.1 /,
  },
  {
    name: "a Differential that reaches no further than the Incrementals: fewer jobs are better",
    rows: [full, one, two, { ...differential, name: "Next", to: two.to }],
    message: /each continue Full/,
    hint: /^Leave out Inc1, Inc2: Next leads/,
  },
  {
    name: "Incrementals that reach further than a Differential",
    rows: [full, one, two, { ...differential, to: at(111) }],
    message: /each continue Full/,
    hint: /^Leave out Diff: Inc1 leads on to 120\.7 /,
  },
  {
    name: "several Differentials",
    rows: [full, differential, { ...differential, name: "Diff2", to: at(150, 1, 2) }],
    message: /each continue Full/,
    hint: /^Leave out Diff: Diff2 leads/,
  },
  {
    name: "a Full that continues a job",
    rows: [{ ...full, parent: { jobName: "Inc1", blake3: digestOf("Inc1") } }, one],
    message: /Full, the first, is of level Full and continues Inc1, wanted a Full/,
    hint: /changed/,
  },
  {
    name: "another replica set",
    rows: [full, { ...one, setName: "rs1" }],
    message: /Inc1 is of replica set rs1, wanted rs0 as in Full/,
    hint: /Leave out Inc1 and what follows it/,
  },
  {
    name: "another set of that name",
    rows: [full, { ...one, setId: "1".repeat(24) }],
    message: /Inc1 is of the replica set with id 1{24}, wanted 0{24}/,
    hint: /another source/,
  },
  {
    name: "other databases",
    rows: [full, { ...one, databases: ["app"] }],
    message: /Inc1 is of the scope database=app users=no, wanted database=app,shop users=no as in Full/,
    hint: /database=/,
  },
  {
    name: "a gap",
    rows: [full, one, { ...two, from: at(111) }],
    message: /Inc2 begins at 111\.1 \(.*\) of term 1, wanted 110\.1 \(.*\) of term 1, where Inc1 ends/,
    hint: /leave out Inc2 and what follows it/,
  },
  {
    name: "an overlap",
    rows: [full, one, { ...two, from: at(110, 0) }],
    message: /begins at 110\.0 .*, wanted 110\.1/,
    hint: /leave out Inc2/,
  },
  {
    name: "another term at the same place",
    rows: [full, one, { ...two, from: at(110, 1, 2) }],
    message: /begins at 110\.1 \(.*\) of term 2, wanted 110\.1 \(.*\) of term 1/,
    hint: /leave out Inc2/,
  },
  {
    name: "an end before the start",
    rows: [full, { ...one, to: at(99) }],
    message: /the slice of Inc1 goes from 100\.1 .* to 99\.1 .*, wanted an end that is not before/,
    hint: /changed/,
  },
  {
    name: "a term that decreases",
    rows: [full, one, two, { ...three, to: at(130, 1, 1) }],
    message: /the slice of Inc3 goes from .* of term 2 to 130\.1 .* of term 1/,
    hint: /changed/,
  },
  {
    name: "a Full's term that decreases",
    rows: [{ ...full, from: at(90, 1, 2) }],
    message: /the slice of Full goes from/,
    hint: /changed/,
  },
];

for (const { name, rows, message, hint } of refusals) {
  Deno.test(`linkChain() refuses ${name}`, () => {
    assert.throws(() => link(...rows), { name: "PluginError", code: "chainBroken", message, hint });
    assert.throws(() => link(...[...rows].reverse()), { message, hint });
  });
}

Deno.test("linkChain() refuses jobs in a circle and an Incremental without a slice", () => {
  const circle = row("Inc2", one, at(100), { from: at(100) });
  const begun = row("Inc1", circle, at(100), { from: at(100) });
  assert.throws(() => link(full, begun, circle), { message: /Inc1, Inc2 can't be reached from Full/ });
  assert.throws(() => link(full, { ...one, oplog: null }), { message: /Inc1 has no slice of the oplog/ });
});

Deno.test("checkNextJob() takes a first job, and each that continues the last one", () => {
  checkNextJob([], opened(full));
  checkNextJob([opened(full)], opened(one));
  const [first, second] = [opened(full), opened(one)];
  const sameName = { ...opened(two), manifest: { ...opened(two).manifest, job: first.manifest.job } };
  assert.throws(() => checkNextJob([first, second], sameName), { message: /two manifests of the job Full/ });
  const resealed = opened({ ...one, parent: { jobName: "Full", blake3: "ab".repeat(32) } });
  assert.throws(() => checkNextJob([first], resealed), {
    message: /continues Full \(manifest abab.*wanted Full/,
  });
  assert.throws(() => checkNextJob([], second), { message: /Inc1, the first, is of level Incremental/ });
  assert.throws(() => checkNextJob([first, second], opened(differential)), {
    code: "chainBroken",
  });
});

/** A good chain of up to a dozen jobs; steps are seconds, increments and terms that pass in each. */
const goodChain = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(1)), { minLength: 2, maxLength: 12 }).map(
  (steps) => {
    const rows = [full];
    for (const [seconds, increments, terms] of steps) {
      const parent = rows.at(-1)!;
      const { t, i, term } = parent.to;
      const to = at(t + seconds, seconds > 0 ? increments : i + increments, term + terms);
      rows.push(row(`Job${String(rows.length).padStart(2, "0")}`, parent, to));
    }
    return rows;
  },
);

Deno.test("linkChain() links any order of a good chain to the same chain", () => {
  fc.assert(fc.property(
    goodChain.chain((rows) =>
      fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }), fc.subarray(rows))
    ),
    ([rows, shuffled, twice]) => {
      assert.deepEqual(link(...shuffled, ...twice), rows.map(({ name }) => name));
    },
  ));
});

Deno.test("linkChain() refuses a good chain without any one of its jobs but the last", () => {
  fc.assert(fc.property(goodChain, fc.nat(), (rows, which) => {
    const missing = which % (rows.length - 1);
    assert.throws(() => link(...rows.toSpliced(missing, 1)), { code: "chainBroken" });
  }));
});

/** Every way of changing one field that ties a job to its parent. */
const changes: readonly ((one: Row) => Row)[] = [
  (one) => ({ ...one, level: "F" }),
  (one) => ({ ...one, resource: "other" }),
  (one) => ({ ...one, setName: "other" }),
  (one) => ({ ...one, setId: "f".repeat(24) }),
  (one) => ({ ...one, databases: ["app"] }),
  (one) => ({ ...one, parent: null }),
  (one) => ({ ...one, parent: { ...one.parent!, jobName: "other" } }),
  (one) => ({ ...one, parent: { ...one.parent!, blake3: "f".repeat(64) } }),
  (one) => ({ ...one, parent: { jobName: one.name, blake3: digestOf(one.name) } }),
  ...(["t", "i", "term"] as const).flatMap((field) =>
    [1, -1].map((by) => (one: Row) => ({ ...one, from: { ...one.from, [field]: one.from[field] + by } }))
  ),
  (one) => ({ ...one, to: { ...one.to, t: one.from.t - 1 } }),
  (one) => ({ ...one, to: { ...one.to, term: one.from.term - 1 } }),
];

Deno.test("linkChain() refuses a good chain with any one link changed", () => {
  fc.assert(fc.property(goodChain, fc.nat(), fc.constantFrom(...changes), (rows, which, change) => {
    const changed = 1 + which % (rows.length - 1);
    assert.throws(() => link(...rows.toSpliced(changed, 1, change(rows[changed]!))), (error) => {
      assert.ok(error instanceof PluginError);
      assert.equal(error.code, "chainBroken");
      assert.notEqual(error.hint, "");
      return true;
    });
  }));
});
