import assert from "node:assert/strict";
import { JobFolderWriter } from "../folder/job_folder.ts";
import type { Manifest } from "../manifest/schema.ts";
import { seal, type SealedManifest, splitParts } from "../manifest/seal.ts";
import { loadSigningKey } from "../manifest/signature.ts";
import { Secret } from "../secret.ts";
import { lastIncrement, type OplogPosition } from "../timestamp.ts";
import { readFolderChains } from "./chain.ts";
import { describeChains } from "./chain_text.ts";

const trust = { keys: [], allowUnsigned: true };
const at = (t: number, i = 1, term = 1): OplogPosition => ({ t, i, term });

interface Job {
  readonly sealed: SealedManifest;
  readonly manifest: Manifest;
}

/** A job of an empty server: its level follows from the first letter of its name, its time from its end in the oplog. */
async function make(
  name: string,
  parent: Job | null,
  to: OplogPosition | null,
  more: Partial<Manifest> = {},
) {
  const from = parent?.manifest.oplog?.to ?? to;
  const oplog = to === null || from === null
    ? null
    : { source: "h:1", from, to, entries: 0, bytes: 0, cutTransactions: 0, namespaces: [], segments: [] };
  const manifest: Manifest = {
    format: "podheitor-mongodb-manifest/1",
    createdAt: new Date((to?.t ?? 1) * 1000).toISOString(),
    program: { name: "test", version: "1" },
    job: { id: 5, name, level: name[0] as "F" | "I" | "D", previousName: null, clientName: "fd" },
    resource: "rs0",
    mode: "dump",
    scope: { databases: ["*"], include: [], exclude: [], users: false },
    authSchema: null,
    deployment: {
      kind: "replicaSet",
      setName: "rs0",
      setId: null,
      serverVersion: "6.0.5",
      featureCompatibilityVersion: "6.0",
      source: "h:1",
      sourceState: "SECONDARY",
      chosenBy: "",
      members: [],
    },
    parent: parent && { jobName: parent.manifest.job.name, blake3: parent.sealed.digest },
    oplog,
    databases: [],
    totals: { databases: 0, collections: 0, documents: 0, bytes: 0, objects: 0 },
    ...more,
  };
  return { manifest, sealed: await seal(manifest, null) };
}

const full = await make("Full", null, at(100));
const one = await make("Inc1", full, at(110));
const two = await make("Inc2", one, at(120, 3));
const differential = await make("Diff", full, at(130));
const three = await make("Inc3", differential, at(140, lastIncrement));

/** Writes each job into a folder of its name; bytes in place of a job become its manifest as they are. */
async function withFolders(
  jobs: Readonly<Record<string, Job | Uint8Array | null>>,
  test: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [folder, job] of Object.entries(jobs)) {
      const writer = await JobFolderWriter.create(directory, folder);
      const sealed = job instanceof Uint8Array ? { ...full.sealed, bytes: job } : job?.sealed;
      for (const part of sealed === undefined ? [] : splitParts(sealed, folder, "rs0")) {
        const object = await writer.restoreObject({
          objectType: 25,
          jobId: 0,
          size: part.bytes.length,
          command: "",
          ...part,
        });
        await object.write(part.bytes);
        await object.end();
      }
      const form = await writer.restoreObject({
        objectType: 27,
        index: 9,
        jobId: 0,
        size: 0,
        name: "form",
        command: "",
      });
      await form.end();
      await writer.commit();
    }
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function withJobs(jobs: readonly Job[], test: (directory: string) => Promise<void>): Promise<void> {
  return withFolders(Object.fromEntries(jobs.map((job) => [job.manifest.job.name, job])), test);
}

/** The names of each chain's jobs, of the jobs in none, and the findings. */
async function view(directory: string) {
  const { resources, findings } = await readFolderChains(directory, trust);
  return {
    chains: resources.flatMap(({ chains }) =>
      chains.map(({ jobs }) => jobs.map(({ name }) => name).join(" "))
    ),
    unlinked: resources.flatMap(({ unlinked }) => unlinked.map(({ name }) => name)),
    findings: findings.map(({ job, problem }) => `${job.replace(directory, "")}: ${problem}`),
  };
}

Deno.test("readFolderChains() describes a chain: its jobs, what it covers, and what comes next", () =>
  withJobs([two, full, one], async (directory) => {
    const { resources, findings } = await readFolderChains(directory, trust);
    assert.deepEqual(findings, []);
    const [{ resource, chains: [chain], unlinked }] = [resources[0]!];
    assert.deepEqual([resources.length, resource, unlinked], [1, "rs0", []]);
    assert.deepEqual(chain!.jobs[1], {
      name: "Inc1",
      jobId: 5,
      level: "I",
      endedAt: "1970-01-01T00:01:50.000Z",
      manifestId: one.sealed.id,
      parent: "Full",
      from: at(100),
      to: at(110),
      slice: { entries: 0, bytes: 0, segments: 0 },
      keyId: null,
    });
    assert.deepEqual(chain!.covered, {
      from: at(100),
      to: at(120, 3),
      seconds: { first: 100, last: 119 },
    });
    assert.deepEqual(chain!.next, { level: "I", from: at(120, 3), after: "Inc2" });
  }));

Deno.test("readFolderChains() makes a chain of each Full and of each Differential, and expects more of the latest only", () =>
  withJobs([full, one, two, differential, three], async (directory) => {
    assert.deepEqual(await view(directory), {
      chains: ["Full Inc1 Inc2", "Full Diff Inc3"],
      unlinked: [],
      findings: [],
    });
    const { resources: [rs0] } = await readFolderChains(directory, trust);
    assert.deepEqual(rs0!.chains.map(({ next }) => next?.after), [undefined, "Inc3"]);
    assert.deepEqual(rs0!.chains[1]!.covered!.seconds, { first: 100, last: 140 });
  }));

Deno.test("readFolderChains() covers no whole second with a Full alone, and no instant without an oplog", async () => {
  await withJobs([full], async (directory) => {
    const [chain] = (await readFolderChains(directory, trust)).resources[0]!.chains;
    assert.deepEqual(chain!.covered, { from: at(100), to: at(100), seconds: null });
  });
  const deployment = { ...full.manifest.deployment, kind: "standalone" as const, setName: null };
  await withJobs([await make("Full", null, null, { deployment })], async (directory) => {
    const report = await readFolderChains(directory, trust);
    const [chain] = report.resources[0]!.chains;
    assert.deepEqual([chain!.covered, chain!.next, report.findings], [null, null, []]);
    assert.match(describeChains(report).join("\n"), /no oplog[^]*Next expected: a Full, since/);
  });
});

Deno.test("readFolderChains() keeps resources apart and takes a copy of a job once", async () => {
  const other = await make("Full2", null, at(100), { resource: "a" });
  await withFolders({ Full: full, Copy: full, Inc1: one, Other: other }, async (directory) => {
    assert.deepEqual(await view(directory), { chains: ["Full2", "Full Inc1"], unlinked: [], findings: [] });
    const { resources } = await readFolderChains(directory, trust);
    assert.deepEqual(resources.map(({ resource }) => resource), ["a", "rs0"]);
  });
});

const lone = { ...two.manifest, oplog: { ...two.manifest.oplog!, from: at(111) } };
const gap = { manifest: lone, sealed: await seal(lone, null) };

const faults: readonly {
  readonly name: string;
  readonly jobs: readonly Job[];
  readonly chains: readonly string[];
  readonly unlinked: readonly string[];
  readonly findings: readonly RegExp[];
}[] = [
  {
    name: "an orphan and what follows it",
    jobs: [full, two, await make("Inc9", two, at(190))],
    chains: ["Full"],
    unlinked: ["Inc2", "Inc9"],
    findings: [/^Inc2: it continues Inc1 \(manifest [0-9a-f]{16}\), which is not here: add that job, or/],
  },
  {
    name: "a gap",
    jobs: [full, one, gap],
    chains: ["Full Inc1"],
    unlinked: ["Inc2"],
    findings: [/^Inc2: MONGO-405 .* Inc2 begins at 111\.1 .*, wanted 110\.1 /],
  },
  {
    name: "two Incrementals of one job",
    jobs: [full, one, two, await make("Inc1b", full, at(115))],
    chains: ["Full Inc1b", "Full Inc1 Inc2"],
    unlinked: [],
    findings: [/^Full: the Incrementals Inc1, Inc1b each continue it/],
  },
  {
    name: "a Full whose slice makes no sense",
    jobs: [await make("Full", null, at(100), { oplog: { ...full.manifest.oplog!, from: at(99, 1, 9) } })],
    chains: [],
    unlinked: ["Full"],
    findings: [/^Full: MONGO-405 .*the slice of Full/],
  },
];

for (const { name, jobs, chains, unlinked, findings } of faults) {
  Deno.test(`readFolderChains() finds ${name}`, () =>
    withJobs(jobs, async (directory) => {
      const found = await view(directory);
      assert.deepEqual([found.chains, found.unlinked], [chains, unlinked]);
      assert.equal(found.findings.length, findings.length, found.findings.join("\n"));
      findings.forEach((want, index) => assert.match(found.findings[index]!, want));
    }));
}

Deno.test("readFolderChains() goes on after manifests that are malformed, missing or not to be trusted", async () => {
  const cut = full.sealed.bytes.subarray(1);
  await withFolders({ Bad: cut, Empty: null, Full: full, Inc1: one }, async (directory) => {
    const found = await view(directory);
    assert.deepEqual(found.chains, ["Full Inc1"]);
    assert.equal(found.findings.length, 2);
    assert.match(found.findings[0]!, /^\/Bad: MONGO-501 .* Hint: /);
    assert.match(found.findings[1]!, /^\/Empty: MONGO-503 /);
    const report = await readFolderChains(directory, { keys: [], allowUnsigned: false });
    assert.deepEqual(report.resources, []);
    assert.deepEqual(report.findings.map(({ problem }) => problem.slice(0, 9)), [
      "MONGO-501",
      "MONGO-503",
      "MONGO-502",
      "MONGO-502",
    ]);
  });
});

Deno.test("describeChains() says what an operator wants to know", () =>
  withJobs([full, one, gap], async (directory) => {
    const first = "100.1 (1970-01-01T00:01:40Z)";
    const last = "110.1 (1970-01-01T00:01:50Z)";
    const size = "0 entries, 0 B in 0 segments, NOT SIGNED";
    const lines = describeChains(await readFolderChains(directory, trust));
    assert.deepEqual(lines.slice(0, -2), [
      "Resource rs0: 1 chain",
      "  Chain of 2 jobs:",
      `    Full, Full of 1970-01-01T00:01:40.000Z: ${first} to ${first}, ${size}`,
      `    Inc1, Incremental of 1970-01-01T00:01:50.000Z: ${first} to ${last}, ${size}`,
      `    Covered: ${first} to ${last}; whole seconds 100 (1970-01-01T00:01:40Z) to 109 (1970-01-01T00:01:49Z)`,
      `    Next expected: an Incremental continuing from ${last} of term 1, after job Inc1`,
      "  In no chain:",
      `    Inc2, Incremental of 1970-01-01T00:02:00.000Z: 111.1 (1970-01-01T00:01:51Z) to 120.3 (1970-01-01T00:02:00Z), ${size}`,
    ]);
    assert.match(lines.at(-2)!, /^Finding: rs0, Inc2: MONGO-405 /);
    assert.equal(lines.at(-1), "1 finding");
  }));

Deno.test("describeChains() names the key that signed a job", async () => {
  const noFile = () => Promise.reject(new Error("no file"));
  const key = await loadSigningKey(new Secret(new Uint8Array(32).fill(3).toBase64()), noFile);
  const signed = { manifest: full.manifest, sealed: await seal(full.manifest, key) };
  await withJobs([signed], async (directory) => {
    const report = await readFolderChains(directory, { keys: [key.publicKey], allowUnsigned: false });
    assert.match(describeChains(report)[2]!, new RegExp(`, signed by ${key.id}$`));
  });
});
