/** What a console asks, through a real Bacula: estimates, listings, queries, the state of a running job. */

import assert from "node:assert/strict";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { dropDataset, loadDataset } from "./dataset.ts";
import { backendProcesses, System } from "./system.ts";

/** What the File Daemon says of the one job that runs. */
interface RunningJob {
  /** Null until it has one. */
  readonly file: string | null;
  readonly bytes: number;
  readonly text: string;
}

Deno.test("a console of a real Bacula", async (t) => {
  const extraArgs = ["--setParameter", "enableTestCommands=1"];
  const password = "s3cret-of-the-source";
  await using folder = await ScratchFolder.make("console");
  const uriFile = `${folder.path}/uri`;
  const command = (more = "") => `podheitor-mongodb: uri_file=${uriFile} users=no${more}`;
  await using system = await System.start({
    set: { members: 1, extraArgs, auth: { user: "root", password } },
    commands: () => ({
      Mongo: command(" segment_size=1M"),
      Slow: command(" segment_size=1M include=app.orders max_rate=512K"),
    }),
  });
  const { lab, client, set } = system;
  await Deno.writeTextFile(uriFile, set.uri, { mode: 0o600 });
  await loadDataset(client, system.serverVersion);
  const ask = async (line: string) => {
    const said = await lab.console([line]);
    // What was typed comes back first.
    return said.slice(said.indexOf(line) + line.length);
  };
  const list = (path: string, plugin = command()) =>
    ask(`.ls client=lab-fd plugin="${plugin}" path="${path}"`);
  const query = (parameter: string, plugin = command()) =>
    ask(`.query client=lab-fd plugin="${plugin}" parameter=${parameter}`);
  /** Type, size and name of each line. */
  const entries = (said: string) =>
    [...said.matchAll(/^([-d])\S+ +\d+ +\S+ +\S+ +(\d+) \S+ \S+ {2}(.*)$/gm)].map((
      [, type, size, name = ""],
    ) => [type, Number(size), name] as const);

  await t.step(".ls names databases, then collections, then one of them, with sizes", async () => {
    const databases = entries(await list("/"));
    assert.deepEqual(databases.map(([type, , name]) => `${type} ${name}`), [
      "d /@mongodb/rs0/app",
      "d /@mongodb/rs0/shop",
      "d /@mongodb/rs0/zoo",
    ]);
    const app = entries(await list(databases[0]![2]));
    assert.deepEqual(app, entries(await list("/app")));
    assert.deepEqual(app.map(([type, , name]) => `${type} ${name}`), [
      "- /@mongodb/rs0/app/empty.bson",
      "- /@mongodb/rs0/app/every_type.bson",
      "- /@mongodb/rs0/app/german.bson",
      "- /@mongodb/rs0/app/log.bson",
      "- /@mongodb/rs0/app/orders.bson",
      "- /@mongodb/rs0/app/some_orders.metadata.json",
    ]);
    const sum = app.reduce((sum, [, size]) => sum + size, 0);
    // The database has its views' definitions too.
    assert.ok(Math.abs(sum - databases[0]![1]) < sum / 1000, `${sum} of ${databases[0]![1]}`);
    const odd = "/@mongodb/rs0/shop/odd%2Fn%C3%A4me%20%25%20.bson.bson";
    assert.deepEqual(entries(await list(odd)).map(([, , name]) => name), [odd]);
  });

  await t.step(".ls says what there isn't", async () => {
    assert.match(await list("/ap"), /MONGO-101 Cannot list "\/ap": .* did you mean "app"\?/);
    assert.match(await list("/", command(" database=nope")), /MONGO-101 .*"nope": the server has no such/);
    assert.match(await list("/app", command(" databse=app")), /MONGO-101 .*did you mean "database"/);
  });

  await t.step(
    ".query gives names of databases and collections, as the command's scope has them",
    async () => {
      assert.match(await query("databases"), /^database=app\ndatabase=shop\ndatabase=zoo$/m);
      const said = await query("collections", command(" database=app,shop exclude=app.e*"));
      assert.deepEqual(said.match(/^collection=.*$/gm), [
        "collection=app.german",
        "collection=app.log",
        "collection=app.orders",
        "collection=app.some_orders",
        "collection=shop.big",
        "collection=shop.odd/näme % .bson",
        "collection=shop.pictures",
      ]);
    },
  );

  await t.step(".query says what it can't answer in one line, and never a password", async () => {
    assert.match(
      await query("tables"),
      /^error=MONGO-102 .*no parameter "tables" Hint: .*databases and coll.*$/m,
    );
    const wrong = `podheitor-mongodb: uri=${set.uri.replace(password, "wr0ng")}`;
    for (const said of [await query("databases", wrong), await list("/", wrong)]) {
      assert.match(said, /MONGO-302 /);
      assert.doesNotMatch(said, /wr0ng/);
    }
  });

  let full = 0;
  await t.step("an estimate names every file of the Full that follows, and reads no document", async () => {
    const said = await lab.estimate("Mongo", { listing: true });
    const estimated = new Map(entries(said).map(([, size, name]) => [name, size]));
    const { jobId, bytes, status, log } = await lab.run("Mongo", "Full");
    assert.equal(status, "T", log);
    full = jobId;
    const made = (await lab.listFiles(jobId)).map((name) =>
      name.replace(/manifest\.Mongo[^/]*/, "manifest.estimate.json")
    );
    for (const name of made) {
      // One document of 16 MiB makes one file, whatever the size of a segment; the slice of the oplog is what happened meanwhile.
      if (name.startsWith("/@mongodb/rs0/oplog.")) continue;
      assert.ok(estimated.has(name), `${name} in ${said}`);
    }
    const sum = [...estimated.values()].reduce((sum, size) => sum + size, 0);
    assert.ok(Math.abs(sum - bytes) < bytes / 50, `${sum} of ${bytes}`);
    assert.match(
      said,
      new RegExp(`2000 OK estimate files=${estimated.size} bytes=${sum.toLocaleString("en")}\n`),
    );
    assert.match(said, /Estimate of resource "rs0": \d+ collections, /);
  });

  await t.step("an estimate of an Incremental is of the oplog since", async () => {
    const said = await lab.estimate("Mongo", { listing: true, level: "Incremental" });
    assert.match(
      entries(said).map(([, , name]) => name).join("\n"),
      /^\/@mongodb\/rs0\/oplog\.estimate\/[^\n]*\.bson$/,
    );
  });

  const running = async (): Promise<RunningJob> => {
    const said = await lab.status("client");
    const text = /Running Jobs:([\s\S]*?)\n====/.exec(said)?.[1] ?? "";
    assert.doesNotMatch(said, new RegExp(password));
    return {
      file: /Processing file: (.*)/.exec(text)?.[1] ?? null,
      bytes: Number(/ Bytes=([\d,]+)/.exec(text)?.[1]?.replaceAll(",", "") ?? 0),
      text,
    };
  };

  await t.step("while a Full reads, status client has its last file and the bytes so far", async () => {
    const jobId = await lab.start("Slow", "Full");
    await until("the documents of a slow Full", 60_000, async () => {
      const { file, bytes, text } = await running();
      if (file === null) return false;
      assert.match(file, /^\/@mongodb\/rs0\/app\/[^/]+$/);
      return /\/orders\.bson(\.\d+)?$/.test(file) && bytes > 1 << 20 && text.includes("is running");
    });
    assert.equal((await lab.wait(jobId)).status, "T");
  });

  await t.step(
    "while a restore builds indexes, status client has all files, and the job's log the rest",
    async () => {
      await dropDataset(client);
      const hold = (mode: string) =>
        client.db("admin").command({ configureFailPoint: "hangAfterStartingIndexBuild", mode });
      await hold("alwaysOn");
      const jobId = await lab.startRestore({ from: [full] });
      try {
        await until("the log to say that the data is there", 60_000, async () => {
          const log = await lab.query(`select LogText from Log where JobId=${jobId}`);
          return log.flat().join("").includes("every segment matched the manifest");
        });
        const { file, text } = await running();
        assert.match(text, /Files: Restored=(\d+) Expected=\1 Completed=100%/);
        assert.match(file ?? "", /^\/@mongodb\/rs0\//);
      } finally {
        await hold("off");
      }
      assert.equal((await lab.wait(jobId)).status, "T");
    },
  );

  await t.step("nothing is left of what was asked", async () => {
    assert.deepEqual(await backendProcesses(system.built.backend), []);
    const { jobs } = JSON.parse(
      await Deno.readTextFile(`${lab.folder}/work/podheitor-mongodb-rs0-stats.json`),
    );
    assert.deepEqual(jobs.map(({ kind }: { kind: string }) => kind), ["restore", "backup", "backup"]);
  });
});
