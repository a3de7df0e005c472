/** Every command of docs/operators-guide.md, in its order, on a real Bacula and a real replica set. */

import assert from "node:assert/strict";
import { build } from "../../packaging/build.ts";
import { commandsOf } from "../documents/register.ts";
import { run } from "../lab/command.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { findMongod } from "../lab/mongod_binary.ts";
import { GuideData } from "./guide_data.ts";
import { readGuide, type Step } from "./guide_steps.ts";
import { System } from "./system.ts";

const guide = await Deno.readTextFile(new URL("../../docs/operators-guide.md", import.meta.url));

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

Deno.test("docs/operators-guide.md: a block that isn't run has its reason in the register of commands", async () => {
  const run = readGuide(guide).flatMap((step) =>
    "treatment" in step && step.treatment.kind !== "not-run" ? [step.text] : []
  );
  assert.deepEqual(run, (await commandsOf("tests/e2e/guide_test.ts")).map(({ text }) => text));
});

Deno.test("docs/operators-guide.md: every command does what it says", async (t) => {
  await using scratch = await ScratchFolder.make("guide");
  const etc = `${scratch.path}/etc`;
  await Deno.mkdir(etc);
  await Deno.writeTextFile(`${etc}/podheitor-mongodb.env`, "");
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
    ["-o bacula -g bacula", "-o root -g root"],
    ["/etc/systemd/system", `${scratch.path}/systemd`],
    [
      "/usr/share/doc/podheitor-mongodb/examples",
      new URL("../../packaging/examples", import.meta.url).pathname,
    ],
  ]);
  const bind = (text: string) =>
    [...names].reduce((bound, [name, value]) => bound.replaceAll(name, value), text);
  const data = await GuideData.load(client);
  const lose = async () => {
    for (const { name } of [...Deno.readDirSync(`${lab.folder}/work`)]) {
      if (name.startsWith("podheitor-mongodb-")) await Deno.remove(`${lab.folder}/work/${name}`);
    }
  };

  const perform = async (step: Step): Promise<void> => {
    if ("action" in step) {
      if (step.action === "lose") return await lose();
      await data.act(step.action);
      for (const [name, meaning] of data.names) names.set(name, meaning);
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
