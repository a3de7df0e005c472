/** What can't be continued or restored without a gap is refused through a real Bacula, and does no harm to the chain. */

import assert from "node:assert/strict";
import { readTips } from "../../backend/state/tip_store.ts";
import type { Tip } from "../../backend/state/tip.ts";
import type { JobResult } from "../lab/bacula.ts";
import { until } from "../lab/condition.ts";
import { changeCatalog, changedDatabases, changeDocuments, changeMore, dropChanged } from "./changes.ts";
import { fingerprint, loadDataset } from "./dataset.ts";
import { System } from "./system.ts";

Deno.test("a chain that has a gap is refused through a real Bacula", async (t) => {
  await using system = await System.start({
    commands: (uri) => ({
      Mongo: `podheitor-mongodb: uri=${uri} segment_size=1M`,
      Scoped: `podheitor-mongodb: uri=${uri} database=zoo resource=scoped`,
      Accurate: `podheitor-mongodb: uri=${uri} database=shop,zoo resource=accurate`,
    }),
    lab: { accurateJobs: ["Accurate"] },
  });
  const { lab, client, serverVersion, set } = system;
  const tipPath = `${lab.folder}/work/podheitor-mongodb-rs0-tip.json`;
  const source = () => fingerprint(client, changedDatabases);
  await loadDataset(client, serverVersion);
  const full = good(await lab.run("Mongo", "Full"));
  await changeDocuments(client, serverVersion);
  const first = good(await lab.run("Mongo", "Incremental"));
  await client.db("app").collection("log").insertOne({ behind: "the first" });
  const second = good(await lab.run("Mongo", "Incremental"));
  const print = await source();
  const data = ["app", "shop", "zoo"].map((name) => `/@mongodb/rs0/${name}`);

  const restores = [
    {
      name: "the oplog of a job isn't marked",
      files: [...data, `/@mongodb/rs0/oplog.${second.name}`],
      from: "Mongo",
      want: new RegExp(`MONGO-506 .*/@mongodb/rs0/oplog\\.${first.name}/\\S+\\.bson did not come`),
    },
    {
      name: "no oplog at all is marked",
      files: data,
      from: "Mongo",
      want: new RegExp(`MONGO-506 .*/oplog\\.${first.name}/.*/oplog\\.${second.name}/`),
    },
    {
      name: "a job in the middle isn't chosen",
      from: [full.jobId, second.jobId],
      want: new RegExp(`MONGO-405 .*${second.name} continues ${first.name} .*not among the jobs`),
    },
    { name: "the Full isn't chosen", from: [first.jobId], want: /MONGO-405 .*there is no Full/ },
  ];
  for (const { name, want, ...request } of restores) {
    await t.step(`a restore is refused when ${name}, before anything is dropped`, async () => {
      const job = await lab.restore({ ...request, pluginOptions: { fields: [[2, "yes"]] } });
      assert.notEqual(job.status, "T");
      assert.match(job.log, want);
      assert.deepEqual(await source(), print);
    });
  }

  await t.step("one collection comes back alone, by the oplog of all jobs", async () => {
    await dropChanged(client);
    const all = await Promise.all([full, first, second].map(({ jobId }) => lab.listFiles(jobId)));
    const files = all.flat().filter((name) => /\/app\/orders\.|\/oplog\./.test(name));
    good(await lab.restore({ from: "Mongo", files }));
    assert.deepEqual((await client.db("app").listCollections().toArray()).map(({ name }) => name), [
      "orders",
    ]);
    assert.deepEqual((await source())["app.orders"], print["app.orders"]);
    good(await lab.restore({ from: "Mongo", pluginOptions: { fields: [[2, "yes"]] } }));
    assert.deepEqual(await source(), print);
  });

  const forgeries: { name: string; forge: (tip: Tip) => Tip | null; want: RegExp[] }[] = [
    {
      name: "there is no tip file",
      forge: () => null,
      want: [/MONGO-403 .*newest known are: none\n.*Run a Full/],
    },
    {
      name: "the parent isn't in the tip file",
      forge: (tip) => ({ ...tip, jobName: `${tip.jobName}x` }),
      want: [new RegExp(`MONGO-403 .*${second.name} isn't recorded .*newest known are: ${second.name}x, `)],
    },
    {
      name: "the parent is of another set of that name",
      forge: (tip) => ({ ...tip, setId: "0123456789abcdef01234567" }),
      want: [/MONGO-403 .*another replica set \(rs0, id 0123456789abcdef01234567\)/],
    },
    {
      name: "no member's oplog reaches back to the parent's end",
      forge: (tip) => ({ ...tip, position: { t: 1_000, i: 1, term: 1 } }),
      want: [
        /MONGO-402 .*ended at 1000\.1 \(\S+Z\), the oldest entry is \d+\.\d+ \(\S+Z\)/,
        ...set.members.map(({ host, port }) =>
          new RegExp(`${host}:${port} has \\d+\\.\\d+ .* to \\d+\\.\\d+ `)
        ),
        /Hint: Run a Full, and enlarge the oplog \(replSetResizeOplog\)/,
      ],
    },
    {
      name: "the parent's end was rolled back",
      forge: (tip) => ({ ...tip, position: { ...tip.position, term: tip.position.term + 1 } }),
      want: [
        /MONGO-402 .*its last entry, \d+\.\d+ .* was rolled back/,
        ...set.members.map(({ host, port }) => new RegExp(`${host}:${port} has `)),
        /Hint: Run a Full/,
      ],
    },
  ];
  for (const { name, forge, want } of forgeries) {
    await t.step(`an Incremental is refused when ${name}`, async () => {
      const kept = await Deno.readTextFile(tipPath);
      const file = (await readTips(`${lab.folder}/work`, "rs0"))!;
      const tips = file.tips.map((tip) => tip.jobName === second.name ? forge(tip) : tip);
      const forged = JSON.stringify({ ...file, tips });
      await (tips.includes(null) ? Deno.remove(tipPath) : Deno.writeTextFile(tipPath, forged));
      const job = await lab.run("Mongo", "Incremental");
      assert.equal(job.status, "f", job.log);
      for (const words of want) assert.match(job.log, words);
      assert.deepEqual(await lab.listFiles(job.jobId), []);
      // A refused job leaves the tips as they were.
      if (!tips.includes(null)) assert.equal(await Deno.readTextFile(tipPath), forged);
      else await assert.rejects(Deno.stat(tipPath), Deno.errors.NotFound);
      await Deno.writeTextFile(tipPath, kept);
    });
  }

  await t.step("none of that broke the chain: the next Incremental continues the last good job", async () => {
    await changeCatalog(client, serverVersion);
    const job = good(await lab.run("Mongo", "Incremental"));
    assert.match(job.log, new RegExp(`from the end of ${second.name}: `));
    const now = await source();
    good(await lab.restore({ from: "Mongo", pluginOptions: { fields: [[2, "yes"]] } }));
    assert.deepEqual(await source(), now);
  });

  await t.step("another database= in the FileSet needs a Full", async () => {
    good(await lab.run("Scoped", "Full"));
    const path = `${lab.folder}/etc/bacula-dir.conf`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      text.replace("database=zoo resource=scoped", "database=zoo,app resource=scoped"),
    );
    await lab.console(["reload"]);
    const job = await lab.run("Scoped", "Incremental");
    assert.equal(job.status, "f", job.log);
    assert.match(
      job.log,
      /MONGO-403 .*database=app,zoo users=no now, Scoped\.\S+ had database=zoo users=no\n.*Run a Full/,
    );
    good(await lab.run("Scoped", "Full"));
    good(await lab.run("Scoped", "Incremental"));
  });

  await t.step("an Incremental of an accurate job deletes none of the Full's files", async () => {
    const databases = ["shop", "zoo"];
    const begun = good(await lab.run("Accurate", "Full"));
    await changeMore(client);
    const job = good(await lab.run("Accurate", "Incremental"));
    assert.deepEqual(await lab.query(`select * from File where JobId=${job.jobId} and FileIndex <= 0`), []);
    const now = await fingerprint(client, databases);
    for (const name of databases) await client.db(name).dropDatabase();
    const restored = good(await lab.restore({ from: "Accurate" }));
    assert.ok(restored.files >= begun.files, `${restored.files} of ${begun.files} files`);
    assert.deepEqual(await fingerprint(client, databases), now);
  });

  await t.step("a Full is refused over a rename in its time", async () => {
    const from = Deno.statSync(lab.volumes().at(-1)!).size;
    const jobId = await lab.start("Mongo", "Full");
    await until("the first data", 30_000, () => Deno.statSync(lab.volumes().at(-1)!).size > from + (1 << 18));
    // Holds the job in its middle: there is more to come than fits between the daemons.
    await lab.signalDaemon("sd", "SIGSTOP");
    await client.db("app").collection("types").rename("kinds");
    await lab.signalDaemon("sd", "SIGCONT");
    const job = await lab.wait(jobId);
    assert.equal(job.status, "f", job.log);
    assert.match(
      job.log,
      /MONGO-404 .*app\.types: it was renamed to app\.kinds while the Full was running/,
    );
  });

  await t.step("a Full right behind a rename is a good one", async () => {
    await client.db("app").collection("kinds").rename("types", { writeConcern: { w: 3 } });
    good(await lab.run("Mongo", "Full"));
  });
});

function good(job: JobResult): JobResult {
  assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
  return job;
}
