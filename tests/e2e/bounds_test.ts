/**
 * A chain of jobs taken while writers write, primaries change and one rolls back: every instant in it comes back exactly, with each write up to
 * there and none after it. What is right is told by an oracle that shares nothing with the product.
 */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { until } from "../lab/condition.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { Random } from "../lab/random.ts";
import { rollBack } from "../lab/rollback.ts";
import { Desk } from "./counters/desk.ts";
import { type Aim, chooseAims, describeAim } from "./counters/instants.ts";
import { differences, type Instant, instantAt } from "./counters/ledger.ts";
import { Oracle, readState } from "./counters/oracle.ts";
import { databases, Workload } from "./counters/workload.ts";
import { writeInVain } from "./counters/writers.ts";
import { System } from "./system.ts";

const restores = 50;
const restoresThroughBacula = 3;
const givenSeed = Deno.env.get("PODHEITOR_SEED");
const seed = givenSeed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(givenSeed);

/** A job and the last instant that it has. */
interface Job {
  readonly name: string;
  readonly jobId: number;
  readonly end: Instant;
}

/** An instant to restore to, from the chain that ends with a job. */
interface Task {
  readonly aim: Aim;
  /** Null for the newest. */
  readonly job: string | null;
}

/** A server for one restore after the other. */
interface Lane {
  readonly uri: string;
  readonly client: MongoClient;
  /** Working directory. */
  readonly work: string;
}

Deno.test("every instant of a chain comes back exactly", async (t) => {
  console.log(`PODHEITOR_SEED=${seed} makes the same choices again`);
  const random = new Random(seed);
  await using resources = new AsyncDisposableStack();
  const system = resources.use(await startSystem());
  const { set, lab, client } = system;
  const lanes = [
    await openLane("a", lab.folder, resources),
    await openLane("b", lab.folder, resources),
  ] as const;
  const folder = `${lab.folder}/chain`;
  const jobIds: number[] = [];
  let jobs: readonly Job[] = [];
  let oracle: Oracle;

  async function backUp(level: "F" | "I" | "D", name: string): Promise<void> {
    const options = ["--to", folder, "--level", level, "--job", name, "--working-dir", `${lab.folder}/alone`];
    const done = await system.backend(["backup", ...options, pluginCommand(set.uri, "alone")]);
    assert.equal(done.code, 0, `${name}: ${done.stderr}`);
  }

  async function backUpByBacula(level: "Full" | "Incremental"): Promise<void> {
    const job = await lab.run("Mongo", level);
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    jobIds.push(job.jobId);
  }

  function restoreArguments({ uri, work }: Lane, { aim, job }: Task): string[] {
    const options = ["--from", folder, "--working-dir", work, ...job === null ? [] : ["--job", job]];
    const pit = aim.pit === "" ? "" : ` pit=${aim.pit}`;
    return ["restore", ...options, `podheitor-mongodb: uri=${uri} drop=yes${pit}`];
  }

  /** Restores, and says how the result isn't what was there. */
  async function tryRestore(lane: Lane, task: Task): Promise<string[]> {
    const { code, stderr } = await system.backend(restoreArguments(lane, task));
    const faults = code === 0
      ? differences(await readState(lane.client, databases), oracle.stateAt(task.aim.at))
      : [stderr.trim()];
    return faults.length === 0 ? [] : [`${describeAim(task.aim)}, job ${task.job ?? "newest"}:`, ...faults];
  }

  const isChained = await t.step("jobs succeed while their source is written and rolls back", async () => {
    await Deno.mkdir(`${lab.folder}/alone`);
    await using workload = await Workload.start(set.uri, random.next());
    await workload.grow(200);
    await Promise.all([backUp("F", "full"), backUpByBacula("Full")]);
    await workload.grow(100);
    await backUp("I", "first");
    const steppedDown = set.stepDown();
    await backUp("I", "stepping-down");
    await steppedDown;
    await workload.grow(100);
    await Promise.all([backUp("I", "stepped-down"), backUpByBacula("Incremental")]);
    await rollBack(set, async (lonely) => {
      assert.ok(await writeInVain(new Desk(lonely, workload.ledger, true), "vain"));
      await backUp("I", "lonely");
    });
    await backUp("I", "rolled-back");
    await workload.grow(100);
    await backUp("D", "differential");
    await workload.grow(100);
    await Promise.all([backUp("I", "last"), backUpByBacula("Incremental")]);
    await workload.grow(100);
    await workload.stop();
    oracle = await Oracle.ask(client, workload.ledger, databases);
    const now = oracle.stateAt(oracle.commits.at(-1)!.at);
    assert.deepEqual(differences(await readState(client, databases), now), []);
    jobs = await readJobs(system, folder);
  });
  if (!isChained) return;

  await t.step("each restore gives every write up to its instant, and no other", async () => {
    const aims = chooseAims(jobs.map(({ end }) => end), oracle.commits, restores - 2, random);
    const tasks = aims.map((aim): Task => {
      const reaching = jobs.filter(({ end }) => end >= aim.at);
      return { aim, job: random.pick([null, reaching[random.below(reaching.length)]!.name]) };
    });
    const named = (wanted: string) => jobs.find(({ name }) => name === wanted)!;
    tasks.push(
      { aim: { at: jobs.at(-1)!.end, pit: "", place: "the end" }, job: null },
      {
        aim: { at: named("stepping-down").end, pit: "@inc=2", place: "the second Incremental" },
        job: "rolled-back",
      },
    );
    const middle = tasks.length / 2;
    // One lane goes forward through time, over what the restore before left; the other jumps, in a server without these databases.
    const forward = tasks.slice(0, middle).sort(({ aim: a }, { aim: b }) => Number(a.at - b.at));
    const faults: string[][] = [[], []];
    await Promise.all([forward, tasks.slice(middle)].map(async (queue, at) => {
      for (const task of queue) {
        if (at === 1) await dropDatabases(lanes[1].client);
        faults[at]!.push(...await tryRestore(lanes[at]!, task));
      }
    }));
    assert.equal(faults.flat().join("\n"), "");
  });

  await t.step(
    "a restore that is killed amid its replay, and run again, loses and doubles nothing",
    async () => {
      const [lane] = lanes;
      const task = { aim: { at: jobs.at(-1)!.end, pit: "", place: "the end" }, job: null };
      const applied = async () =>
        (await lane.client.db("admin").command({ serverStatus: 1 }))["metrics"].commands.applyOps.total;
      for (const count of [1, 2 + random.below(8)]) {
        const from = await applied();
        const child = system.startBackend(restoreArguments(lane, task));
        await until(`${count} applyOps`, 60_000, async () => await applied() >= from + count);
        child.kill("SIGKILL");
        assert.equal(
          (await child.output()).signal,
          "SIGKILL",
          "the restore was done before it could be killed",
        );
        assert.deepEqual(await tryRestore(lane, task), [], `killed after ${count} applyOps`);
      }
    },
  );

  await t.step("an instant that the chain doesn't have is refused, and nothing is touched", async () => {
    const [first, last] = [jobs[0]!.end, jobs.at(-1)!.end];
    const before = await readState(lanes[0].client, databases);
    const pits = [first - 1n, last + 1n].map((at) => `${at >> 32n}:${at & 0xffff_ffffn}`);
    for (const pit of [...pits, `${last >> 32n}`, `${(first >> 32n) - 1n}`]) {
      const task = { aim: { at: 0n, pit, place: "outside" }, job: null };
      const { code, stderr } = await system.backend(restoreArguments(lanes[0], task));
      assert.equal(code, 1, `pit=${pit} was taken`);
      assert.match(stderr, /MONGO-406/);
    }
    assert.deepEqual(differences(await readState(lanes[0].client, databases), before), []);
  });

  await t.step("the same through Bacula", async () => {
    const ends = (await readJobs(system, "--working-dir", `${lab.folder}/work`))
      .filter(({ jobId }) => jobIds.includes(jobId)).map(({ end }) => end);
    assert.equal(ends.length, jobIds.length);
    const [{ uri, client: target }] = lanes;
    for (const aim of chooseAims(ends, oracle.commits, 20, random).slice(0, restoresThroughBacula)) {
      await dropDatabases(target);
      const fields = [[1, uri], [2, "yes"], [4, aim.pit]] as const;
      const job = await lab.restore({ from: jobIds, pluginOptions: { fields } });
      assert.deepEqual([job.status, job.errors], ["T", 0], `${describeAim(aim)}\n${job.log}`);
      const faults = differences(await readState(target, databases), oracle.stateAt(aim.at));
      assert.deepEqual(faults, [], describeAim(aim));
    }
  });
});

async function startSystem(): Promise<System> {
  return await System.start({
    // Each change of a transaction then is an entry of the oplog by itself.
    set: { extraArgs: ["--setParameter", "maxNumberOfTransactionOperationsInSingleOplogEntry=1"] },
    commands: (uri) => ({ Mongo: pluginCommand(uri, "through-bacula") }),
  });
}

function pluginCommand(uri: string, resource: string): string {
  return `podheitor-mongodb: uri=${uri} database=${databases.join()} resource=${resource}`;
}

async function openLane(name: string, folder: string, resources: AsyncDisposableStack): Promise<Lane> {
  const { uri } = resources.use(await ReplicaSet.start({ name: `lane-${name}`, members: 1 }));
  const client = await new MongoClient(uri).connect();
  resources.defer(() => client.close());
  const work = `${folder}/lane-${name}`;
  await Deno.mkdir(work);
  return { uri, client, work };
}

async function dropDatabases(client: MongoClient): Promise<void> {
  for (const name of databases) await client.db(name).dropDatabase();
}

/** The jobs that the command `chain` finds in a place, by their ends. */
async function readJobs(system: System, ...place: string[]): Promise<Job[]> {
  const { code, stdout, stderr } = await system.backend(["chain", ...place, "--json"]);
  assert.equal(code, 0, stdout + stderr);
  const jobs = new Map<string, Job>();
  for (const { chains } of JSON.parse(stdout).resources) {
    for (const { name, jobId, to } of chains.flatMap(({ jobs }: { jobs: unknown[] }) => jobs)) {
      jobs.set(name, { name, jobId, end: instantAt(to.t, to.i) });
    }
  }
  return [...jobs.values()].sort((a, b) => Number(a.end - b.end));
}
