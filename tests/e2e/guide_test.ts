/** Every command of docs/operators-guide.md, in its order, on a real Bacula and a real replica set. */

import assert from "node:assert/strict";
import type { MongoClient } from "mongodb";
import { build } from "../../packaging/build.ts";
import { until } from "../lab/condition.ts";
import { run } from "../lab/command.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { findMongod } from "../lab/mongod_binary.ts";
import { dropDataset, fingerprint } from "./dataset.ts";
import { readGuide, type Step } from "./guide_steps.ts";
import { System } from "./system.ts";

const guide = await Deno.readTextFile(new URL("../../docs/operators-guide.md", import.meta.url));

/** Why a block may not be run here. */
const reasons: ReadonlySet<string> = new Set([
  // What packages install, and where to, is for the tests of the build.
  "installation",
  // No package of a registry has MongoDB's shell; tests/contract/roles_test.ts runs the scripts.
  "mongosh",
]);

for (
  const { text, want } of [
    { text: "```bash\nls\n```", want: /line 1: no comment says/ },
    { text: "<!-- test: run -->\n```bash\nls", want: /line 2: the block has no end/ },
    { text: "<!-- test: run -->\nText", want: /line 2: the comment before it/ },
    { text: "<!-- test: run -->", want: /the last comment/ },
    { text: "<!-- test: run -->\n<!-- test: drop -->", want: /line 2: the comment before it/ },
  ]
) {
  Deno.test(`readGuide() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => readGuide(text), want);
  });
}

Deno.test("readGuide() takes blocks with what is said of them, and leaves others alone", () => {
  const text = [
    ...["<!-- test: drop -->", "<!-- test: job full -->", "```bconsole", "run job=x", "yes", "```", "Text"],
    ...["```", "config", "```", "<!-- test: job fails MONGO-403 -->", "", "```bash", "ls", "```"],
  ].join("\n");
  assert.deepEqual(readGuide(text), [
    { line: 1, action: "drop" },
    {
      line: 3,
      language: "bconsole",
      text: "run job=x\nyes",
      treatment: { kind: "job", name: "full", failsWith: null },
    },
    {
      line: 13,
      language: "bash",
      text: "ls",
      treatment: { kind: "job", name: null, failsWith: "MONGO-403" },
    },
  ]);
});

Deno.test("docs/operators-guide.md: blocks that aren't run have a reason that is known", () => {
  const given = readGuide(guide).flatMap((step) =>
    "treatment" in step && step.treatment.kind === "not-run" ? [step.treatment.reason] : []
  );
  assert.deepEqual(given.filter((reason) => !reasons.has(reason)), []);
});

/** What the guide speaks of; more would only take longer. */
async function load(client: MongoClient): Promise<void> {
  const documents = Array.from(
    { length: 3000 },
    (_, _id) => ({ _id, sku: `sku-${_id % 7}`, count: _id % 100 }),
  );
  await client.db("app").collection<{ _id: number }>("orders").insertMany(documents);
  await client.db("app").collection("orders").createIndex({ sku: 1, count: -1 });
  await client.db("app").collection("customers").insertOne({ name: "Ada" });
  await client.db("shop").collection("items").insertOne({ sku: "sku-1" });
}

Deno.test("docs/operators-guide.md: every command does what it says", async (t) => {
  await using scratch = await ScratchFolder.make("guide");
  const etc = `${scratch.path}/etc`;
  await Deno.mkdir(etc);
  const { path: mongod } = await findMongod();
  const { backend } = await build();
  const env = {
    PODHEITOR_MONGODB_BACKEND: backend,
    PODHEITOR_MONGODB_SIGNING_KEY: `${etc}/signing.pem`,
    PODHEITOR_MONGODB_MONGOD: mongod,
  };
  await using system = await System.start({
    set: { members: 1 },
    commands: () => ({ "mongo-rs0": `podheitor-mongodb: mode=dump uri_file=${etc}/rs0.uri segment_size=1M` }),
    lab: { env },
  });
  const { lab, client, set } = system;
  await load(client);
  const programs = `${scratch.path}/bin`;
  await Deno.mkdir(programs);
  await Deno.symlink(backend, `${programs}/podheitor-mongodb-backend`);

  /** The guide's names, and what they are here. */
  const names = new Map([
    ["mongodb://backup:PASSWORD@db1:27017,db2:27017,db3:27017/?replicaSet=rs0&authSource=admin", set.uri],
    ["/opt/bacula/working", `${lab.folder}/work`],
    ["/opt/bacula/etc", `${lab.folder}/etc`],
    ["/etc/podheitor", etc],
    ["/restore/here", `${scratch.path}/restored`],
    ["/var/tmp", scratch.path],
    ["db1-fd", "lab-fd"],
    // A user that no test machine has.
    ["chown bacula:", "chown root:"],
  ]);
  const bind = (text: string) =>
    [...names].reduce((bound, [name, value]) => bound.replaceAll(name, value), text);
  const orders = client.db("app").collection<{ _id: number }>("orders");
  let prints = { instant: await fingerprint(client), end: await fingerprint(client) };

  const actions: Readonly<Record<string, () => Promise<unknown>>> = {
    change: async () => {
      await orders.insertOne({ _id: -1 });
      prints = { ...prints, instant: await fingerprint(client) };
      const second = Math.floor(Date.now() / 1000) + 1;
      names.set("2026-11-23T08:15:00Z", new Date(second * 1000).toISOString().replace(".000Z", "Z"));
      await until("the second after the instant", 10_000, () => Date.now() / 1000 > second + 1);
      await orders.deleteMany({ _id: { $lt: 1000 } });
      prints = { ...prints, end: await fingerprint(client) };
    },
    drop: () => dropDataset(client),
    same: async () => assert.deepEqual(await fingerprint(client), prints.end),
    instant: async () => assert.deepEqual(await fingerprint(client), prints.instant),
    copy: async () => {
      const copy = client.db("app").collection("orders_restored");
      const counts = [await copy.countDocuments(), (await copy.indexes()).length];
      await copy.drop();
      // Of the chain's end, before which some were deleted.
      const wanted = await orders.countDocuments({ _id: { $gte: 1000 } });
      assert.deepEqual(counts, [wanted, (await orders.indexes()).length]);
    },
    orders: async () => {
      const all = await fingerprint(client, ["app"]);
      assert.deepEqual(all["app.orders"], prints.end["app.orders"]);
      const found = await client.db("app").listCollections().toArray();
      assert.deepEqual(found.map(({ name }) => name), ["orders"]);
    },
    lose: async () => {
      for (const { name } of [...Deno.readDirSync(`${lab.folder}/work`)]) {
        if (name.startsWith("podheitor-mongodb-")) await Deno.remove(`${lab.folder}/work/${name}`);
      }
    },
  };

  const perform = async (step: Step): Promise<void> => {
    if ("action" in step) {
      const act = actions[step.action];
      assert.ok(act, `no action is called ${step.action}`);
      await act();
      return;
    }
    const { language, text, treatment } = step;
    if (treatment.kind === "not-run") return;
    const bound = bind(text);
    if (language === "bash") {
      const path = `${programs}:${Deno.env.get("PATH")}`;
      await run("bash", ["-euo", "pipefail", "-c", bound], {
        env: { ...env, PATH: path, PODHEITOR_MONGODB_USER: "root" },
      });
      return;
    }
    const said = await lab.console(bound.split("\n"));
    const jobId = /^Job queued\. JobId=(\d+)/m.exec(said)?.[1];
    if (treatment.kind === "run") {
      assert.equal(jobId, undefined, said);
      assert.doesNotMatch(said, /invalid|unknown command|not authorized/i);
      return;
    }
    assert.ok(jobId, said);
    const job = await lab.wait(Number(jobId));
    if (treatment.failsWith === null) assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    else {
      assert.notEqual(job.status, "T", job.log);
      assert.ok(job.log.includes(`${treatment.failsWith} `), job.log);
    }
    if (treatment.name !== null) names.set(`<${treatment.name}>`, jobId);
  };
  for (const step of readGuide(guide)) {
    const what = "action" in step
      ? step.action
      : `${step.language}: ${step.text.split("\n")[0]!.slice(0, 60)}`;
    // What follows builds on it.
    if (!await t.step(`line ${step.line}, ${what}`, () => perform(step))) break;
  }
});
