/** README.md's table of restores: each row's session, typed in a real console as the table says it. */

import assert from "node:assert/strict";
import { optionRows } from "../../backend/options/table.ts";
import { commandsOf } from "../documents/register.ts";
import { findMongod } from "../lab/mongod_binary.ts";
import type { JobResult } from "../lab/bacula.ts";
import { GuideData } from "./guide_data.ts";
import { System } from "./system.ts";

/** What a row is tried on. */
interface Scene {
  readonly before?: string | (() => Promise<unknown>);
  /** Fields whose values the row leaves to its reader. */
  readonly fields?: readonly (readonly [string, string])[];
  readonly after: string | ((job: JobResult) => Promise<void> | void);
}

interface Row {
  readonly line: number;
  readonly what: string;
  readonly how: string;
}

/** Fields of the form, which bconsole asks for by their numbers. */
const fieldNames: readonly string[] = optionRows.flatMap(([name, row]) => "form" in row ? [name] : []);

/** Rows that are run elsewhere, and where. */
const elsewhere: Readonly<Record<string, string>> = {
  "without the prompt": "tests/e2e/documents_test.ts",
  "to files for mongorestore": "tests/e2e/guide_test.ts",
  "documents inserted by stock `mongorestore`": "tests/contract/mongorestore_engine_test.ts",
};

Deno.test("README.md: every restore of the table does what it says", async (t) => {
  const { path: mongod } = await findMongod();
  await using system = await System.start({
    set: { members: 1 },
    commands: (uri) => ({ Mongo: `podheitor-mongodb: uri=${uri} segment_size=1M` }),
    lab: { env: { PODHEITOR_MONGODB_MONGOD: mongod } },
  });
  const { lab, client, set } = system;
  const app = client.db("app");
  const data = await GuideData.load(client);
  await app.command({ createUser: "reader", pwd: "p", roles: ["read"] });
  await lab.run("Mongo", "Full");
  await data.act("change");
  await lab.run("Mongo", "Incremental");
  const hasUser = async () => (await app.command({ usersInfo: "reader" }))["users"].length === 1;
  const dropUser = () => app.command({ dropUser: "reader" });

  const scenes: Readonly<Record<string, Scene>> = {
    "everything of a job, into the server": { before: "drop", after: "same" },
    "one collection": { before: "drop", after: "orders" },
    "over what is there now": { before: () => app.collection("orders").deleteMany({}), after: "same" },
    "into another server": { before: "drop", fields: [["uri", set.uri]], after: "same" },
    "an instant, inclusive": { before: "drop", after: "instant" },
    "some collections, or under other names": {
      before: "drop",
      fields: [["include", "app.*"]],
      after: async () => assert.deepEqual(await databases(), ["app"]),
    },
    "one collection next to the live one": { before: restoreAll, after: "copy" },
    "the data first, indexes by hand": {
      before: "drop",
      after: async ({ log }) => {
        assert.match(log, /createIndex/);
        assert.equal((await app.collection("orders").indexes()).length, 1);
      },
    },
    "into a set of which members are down": { before: "drop", after: "same" },
    "users and roles too, or not": {
      before: async () => [await data.act("drop"), await dropUser()],
      after: async () => assert.equal(await hasUser(), false),
    },
    "users and roles alone": {
      after: async () => assert.equal(await hasUser(), true),
    },
    "into nothing, as a proof that it can be restored": { after: ({ log }) => assert.match(log, /proven/i) },
    "nothing yet, only the plan": {
      before: "drop",
      after: async () => assert.deepEqual(await databases(), []),
    },
  };

  async function databases(): Promise<string[]> {
    const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
    return databases.map(({ name }) => name).filter((name) => !["admin", "config", "local"].includes(name));
  }

  async function restoreAll(): Promise<void> {
    await data.act("drop");
    await lab.restore({ from: [1, 2] });
  }

  async function play(lines: readonly string[]): Promise<JobResult> {
    const said = await lab.console(lines);
    const jobId = /^Job queued\. JobId=(\d+)/m.exec(said)?.[1];
    assert.ok(jobId, said);
    assert.doesNotMatch(said, /No files marked/);
    const job = await lab.wait(Number(jobId));
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    return job;
  }

  const commands = await commandsOf("tests/e2e/restore_table_test.ts");
  const rows = await readTable();
  const whole = commands[0]!.text;
  const known = [...Object.keys(scenes), ...Object.keys(elsewhere)];
  assert.deepEqual(rows.map(({ what }) => what).sort(), known.sort());
  for (const { line, what, how } of rows) {
    const scene = scenes[what];
    if (scene === undefined) continue;
    const typed = commands.filter((command) => command.line === line).map(({ text }) => text);
    const pit = data.names.entries().toArray();
    const fields = scene.fields ?? readFields(pit.reduce((how, [from, to]) => how.replaceAll(from, to), how));
    for (const session of sessionsOf(typed, whole)) {
      const lines = [...session, ...formLines(fields), "yes"].map((text) =>
        text.replace("jobid=N", "jobid=1,2")
      );
      await t.step(`README.md:${line}, ${what}: ${lines.join(" ⏎ ")}`, async () => {
        if (typeof scene.before === "string") await data.act(scene.before);
        else await scene.before?.();
        const job = await play(lines);
        if (typeof scene.after === "string") await data.act(scene.after);
        else await scene.after(job);
      });
    }
  }
});

async function readTable(): Promise<Row[]> {
  const lines = (await Deno.readTextFile(new URL("../../README.md", import.meta.url))).split("\n");
  const first = lines.indexOf("| what | bconsole |") + 2;
  const end = lines.indexOf("", first);
  return lines.slice(first, end).map((text, at) => {
    const [, what = "", how = ""] = text.split(/(?:^|\s)\|(?:\s|$)/);
    return { line: first + at + 1, what, how };
  });
}

/** What a row says of fields: "`drop` = yes", "`pit`: `…`". Where it has several words, the first one. */
function readFields(how: string): [string, string][] {
  return [...how.matchAll(/`(\w+)`(?: = |: )`?([^\s`,;]+?):?(?=[\s`,;]|$)/g)].flatMap(([, name, value]) =>
    fieldNames.includes(name!) ? [[name!, value!]] : []
  );
}

/** A row's commands as sessions up to the question that ends them; without any it is that of the whole job, "as above". */
function sessionsOf(typed: readonly string[], whole: string): string[][] {
  const inTree = whole.replace(" all done", "");
  const steps = typed.filter((text) => !text.startsWith("restore "));
  return [
    ...(typed.length === 0 || typed.includes(whole) ? [[whole]] : []),
    ...(steps.length === 0 ? [] : [[typed.find((text) => text === inTree) ?? inTree, ...steps, "done"]]),
  ];
}

function formLines(fields: readonly (readonly [string, string])[]): string[] {
  if (fields.length === 0) return [];
  return ["mod", "13", ...fields.flatMap(([name, value]) => ["mod", numberOf(name), value]), "yes"];
}

function numberOf(field: string): string {
  const at = fieldNames.indexOf(field);
  assert.ok(at >= 0, `the form has no field ${field}`);
  return `${at + 1}`;
}
