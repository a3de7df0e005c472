/** A backup is proven by restoring it into a server of its own. */

import assert from "node:assert/strict";
import { type JobRecord, parseStats } from "../../backend/state/job_record.ts";
import { build } from "../../packaging/build.ts";
import { findMongod } from "../lab/mongod_binary.ts";
import { until } from "../lab/condition.ts";
import { fingerprint, loadDataset } from "./dataset.ts";
import { signingKey, System } from "./system.ts";

Deno.test("rehearsals of a chain", async (t) => {
  const { path } = await findMongod();
  await using system = await System.start({
    set: { members: 1 },
    lab: { env: { PODHEITOR_MONGODB_MONGOD: path } },
    commands: (uri) => ({ Mongo: `podheitor-mongodb: uri=${uri} segment_size=1M` }),
  });
  const { client, set, lab } = system;
  // Updates of 4.4 are in a form that only the server reads.
  const updates = system.serverVersion >= 5 ? "replay" : "validation";
  const env = { MONGOD_BIN: path, PATH: "/usr/bin:/bin" };
  const folder = `${lab.folder}/backups`;
  const work = `${lab.folder}/rehearsals`;
  await Deno.mkdir(work);
  await loadDataset(client, system.serverVersion);
  const backup = async (job: string, level: string) => {
    const command = `podheitor-mongodb: uri=${set.uri} segment_size=1M`;
    const args = ["backup", "--to", folder, "--job", job, "--level", level, "--working-dir", work];
    const done = await system.backend([...args, command]);
    assert.equal(done.code, 0, done.stderr);
  };
  const rehearse = async (job: string, ...more: string[]) => {
    const args = ["rehearse", "--from", folder, "--job", job, "--working-dir", work, "--json"];
    const done = await system.backend([...args, ...more], env);
    assert.deepEqual(leftIn(work), [], "nothing is left");
    return { ...done, report: done.stdout === "" ? null : JSON.parse(done.stdout) };
  };

  await backup("full", "F");
  await client.db("app").collection<{ _id: string }>("late").insertOne({ _id: "one" });
  const between = Math.floor(Date.now() / 1000);
  await until("the next second", 5_000, () => Math.floor(Date.now() / 1000) > between + 1);
  await client.db("app").collection<{ _id: string }>("late").insertOne({ _id: "two" });
  await client.db("app").collection<{ _id: string }>("late").updateOne({ _id: "one" }, {
    $set: { "deep.list": [1, { x: 2 }] },
  });
  await client.db("app").collection<{ _id: string }>("late").updateOne({ _id: "one" }, {
    $set: { "deep.list.1.x": 3 },
  });
  await client.db("app").collection("late").createIndex({ a: 1 }, { unique: true, sparse: true });
  await client.db("app").collection("orders").deleteOne({});
  await backup("inc", "I");

  await t.step("a Full is proven, document by document", async () => {
    const { code, report, stderr } = await rehearse("full");
    assert.equal(code, 0, stderr + JSON.stringify(report, null, 1));
    assert.equal(report.proven, true);
    const orders = report.collections.find((one: { namespace: string }) => one.namespace === "app.orders");
    assert.deepEqual([orders.proof, orders.findings, orders.unproven], ["digest", [], []]);
    assert.equal(orders.documents, await client.db("app").collection("orders").countDocuments() + 1);
    const { rehearsal, ...record } = await lastRecord(work);
    assert.deepEqual([record.kind, record.outcome, record.level], ["rehearsal", "success", null]);
    assert.match(record.manifestId!, /^[0-9a-f]{16}$/);
    assert.deepEqual(rehearsal, {
      job: "full",
      mongodVersion: set.binary.version,
      proven: true,
      provenCollections: report.collections.length,
      findings: [],
      unproven: [],
      findingsTotal: 0,
      unprovenTotal: 0,
    });
  });

  await t.step("an Incremental is proven to its end, and to an instant within", async () => {
    for (
      const { more, want } of [
        { more: [], want: { documents: 2, indexes: 1 } },
        { more: [`podheitor-mongodb: pit=${between}`], want: { documents: 1, indexes: 0 } },
      ]
    ) {
      const { code, report, stderr } = await rehearse("inc", ...more);
      assert.equal(code, 0, stderr + JSON.stringify(report, null, 1));
      const late = report.collections.find((one: { namespace: string }) => one.namespace === "app.late");
      assert.deepEqual(late, {
        namespace: "app.late",
        proof: updates,
        findings: [],
        unproven: late.unproven,
        ...want,
      });
      if (updates === "replay") assert.deepEqual(late.unproven, []);
      const orders = report.collections.find((one: { namespace: string }) => one.namespace === "app.orders");
      assert.deepEqual([orders.proof, orders.unproven], [more.length === 0 ? "replay" : "digest", []]);
    }
    assert.equal((await lastRecord(work)).rehearsal!.job, "inc");
  });

  await t.step("a damaged segment, a missing mongod and a named target are said in a sentence", async () => {
    for (
      const { command, bin, want } of [
        { command: "podheitor-mongodb: uri=mongodb://db1/", bin: path, want: /MONGO-101 .*of its own/ },
        {
          command: "podheitor-mongodb:",
          bin: "/nowhere/mongod",
          want: /MONGO-601 .*no mongod.*\nHint: Install/,
        },
      ]
    ) {
      const args = ["rehearse", "--from", folder, "--job", "full", "--working-dir", work, command];
      const done = await system.backend(args, { ...env, MONGOD_BIN: bin });
      assert.equal(done.code, 1, done.stderr);
      assert.match(done.stderr, want);
    }
    await Deno.copyFile(`${segment(folder)}`, `${lab.folder}/whole`);
    const bytes = await Deno.readFile(segment(folder));
    bytes[bytes.length >> 1]! ^= 1;
    await Deno.writeFile(segment(folder), bytes);
    const { code, stderr } = await rehearse("full");
    assert.equal(code, 1);
    assert.match(stderr, /MONGO-505/);
    const { kind, outcome, error, rehearsal } = await lastRecord(work);
    assert.deepEqual([kind, outcome, error?.code], ["rehearsal", "failed", 505]);
    assert.deepEqual([rehearsal?.job, rehearsal?.proven, rehearsal?.provenCollections], ["full", false, 0]);
    await Deno.copyFile(`${lab.folder}/whole`, segment(folder));
  });

  await t.step(
    "a chain is rehearsed through a real Bacula, and nothing but the throw-away server is touched",
    async () => {
      const jobs = [await lab.run("Mongo", "Full")];
      await client.db("app").collection("late").insertOne({ more: true });
      jobs.push(await lab.run("Mongo", "Incremental"));
      for (const { status, log } of jobs) assert.equal(status, "T", log);
      const before = await fingerprint(client);
      const rehearsed = await lab.restore({ from: "Mongo", pluginOptions: { fields: [[16, "rehearse"]] } });
      assert.deepEqual([rehearsed.status, rehearsed.errors], ["T", 0], rehearsed.log);
      assert.match(rehearsed.log, /app\.orders: .*documents are those of the backup/);
      assert.match(
        rehearsed.log,
        /app\.late: 3 documents, .*documents are those that the oplog makes of the backup's/,
      );
      assert.match(rehearsed.log, /Rehearsal of Mongo\.\S+ on MongoDB .*: proven/);
      const { kind, jobName, outcome, rehearsal } = await lastRecord(`${lab.folder}/work`);
      assert.deepEqual([kind, outcome, rehearsal?.proven, rehearsal?.findings], [
        "rehearsal",
        "success",
        true,
        [],
      ]);
      assert.match(`${jobName} ${rehearsal?.job}`, /^Restore\.\S+ Mongo\.\S+$/);
      assert.deepEqual(await fingerprint(client), before);
      assert.deepEqual(leftIn(`${lab.folder}/work`), []);
      assert.deepEqual(processesOf(`${lab.folder}/work`), []);
      const fileSet = await system.backend([
        "backup",
        "--to",
        "/dev/null",
        "--working-dir",
        work,
        `podheitor-mongodb: uri=${set.uri} mode=rehearse`,
      ]);
      assert.match(fileSet.stderr, /MONGO-102 Cannot back up with mode=rehearse/);
    },
  );

  await t.step(
    "one that is cancelled leaves nothing, and the next one clears what a killed one left",
    async () => {
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        const { backend } = await build();
        const child = new Deno.Command(backend, {
          args: ["rehearse", "--from", folder, "--job", "full", "--working-dir", work],
          env: { ...env, PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
          stdout: "null",
          stderr: "null",
        }).spawn();
        await until("its server", 60_000, () => processesOf(work).length > 0);
        child.kill(signal);
        await child.status;
        if (signal === "SIGTERM") assert.deepEqual([leftIn(work), processesOf(work)], [[], []]);
        else assert.equal(leftIn(work).length, 1);
      }
      const { code, stderr } = await rehearse("full");
      assert.equal(code, 0, stderr);
      await until("the end of the killed one's server", 30_000, () => processesOf(work).length === 0);
    },
  );
});

/** The newest record of a working directory. */
async function lastRecord(work: string): Promise<JobRecord> {
  return parseStats(await Deno.readTextFile(`${work}/podheitor-mongodb-rs0-stats.json`)).jobs[0]!;
}

function segment(folder: string): string {
  return `${folder}/full/@mongodb/rs0/app/orders.bson`;
}

function leftIn(work: string): string[] {
  return [...Deno.readDirSync(work)].map(({ name }) => name).filter((name) => name.includes("rehearsal"));
}

/** Process numbers of the servers below a folder. */
function processesOf(work: string): string[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(`--dbpath\0${work}/`);
    } catch {
      return false;
    }
  });
}
