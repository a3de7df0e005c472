/** The whole way: bconsole, Director, Storage and File Daemon, plugin, backend, mongod, and back. */

import assert from "node:assert/strict";
import { databases, dropDataset, fingerprint, loadDataset } from "./dataset.ts";
import { backendProcesses, System } from "./system.ts";

Deno.test("through a real Bacula", async (t) => {
  await using system = await System.start({
    commands: (uri) => ({
      Mongo: `podheitor-mongodb: mode=dump uri=${uri} database=* parallel_dbs=4 segment_size=1M verify=true`,
      Shop: `podheitor-mongodb: uri=${uri} database=shop resource=shop-only`,
      Two: [
        `podheitor-mongodb: uri=${uri} database=shop resource=one`,
        `podheitor-mongodb: uri=${uri} database=zoo resource=two`,
      ],
      Unsigned: `podheitor-mongodb: uri=${uri} database=zoo sign=no allow_unsigned=yes`,
      Wrong: `podheitor-mongodb: uri=${uri} databse=app parallel_dbs=0`,
      Later: `podheitor-mongodb: mode=snapshot uri=${uri}`,
      Missing: `podheitor-mongodb: uri=${uri} database=nope`,
    }),
    lab: { accurateJobs: ["Shop"] },
  });
  const { lab, client } = system;
  await loadDataset(client, system.serverVersion);
  const before = await fingerprint(client);
  let full = 0;

  await t.step("a Full ends well, and its log says what an operator wants to know", async () => {
    const job = await lab.run("Mongo", "Full");
    full = job.jobId;
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    for (
      const want of [
        /\(SECONDARY\), MongoDB \d/,
        /3 databases/,
        /[\d,]+ documents/,
        /MiB in \d/,
        /Manifest [0-9a-f]{16}.*signed by key/,
      ]
    ) {
      assert.match(job.log, want);
    }
    const files = await lab.listFiles(full);
    for (
      const name of [
        "app/orders.bson",
        "app/orders.bson.00001",
        "app/empty.metadata.json",
        "shop/odd%2Fn%C3%A4me%20%25%20.bson.bson",
      ]
    ) {
      assert.ok(files.includes(`/@mongodb/rs0/${name}`), `${name} in ${files.join(" ")}`);
    }
  });

  await t.step("a restore into the emptied server brings back every hash, option and index", async () => {
    await dropDataset(client);
    const job = await lab.restore({ from: [full] });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.match(job.log, /good signature of key/);
    assert.deepEqual(await fingerprint(client), before);
  });

  await t.step("a restore over what is there is refused before anything is touched", async () => {
    const job = await lab.restore({ from: [full] });
    assert.notEqual(job.status, "T");
    assert.match(job.log, /MONGO-601 .* not empty/);
    assert.deepEqual(await fingerprint(client), before);
  });

  await t.step("drop=yes at the restore's prompt replaces what is there", async () => {
    await client.db("app").collection<{ _id: number }>("orders").insertOne({ _id: -1 });
    const job = await lab.restore({ from: [full], pluginOptions: { fields: [[2, "yes"]] } });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.match(job.log, /drop=yes: removing/);
    assert.deepEqual(await fingerprint(client), before);
  });

  await t.step("one marked collection comes back alone", async () => {
    await dropDataset(client);
    const files = (await lab.listFiles(full)).filter((name) =>
      name.startsWith("/@mongodb/rs0/app/orders.bson")
    );
    const job = await lab.restore({ from: [full], files });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    const names = (await client.db("app").listCollections().toArray()).map(({ name }) => name);
    assert.deepEqual(names, ["orders"]);
    assert.equal(await client.db("app").collection("orders").countDocuments(), 30_000);
    assert.deepEqual((await fingerprint(client, ["app"]))["app.orders"], before["app.orders"]);
  });

  await t.step("a marked part of a collection is refused, and nothing is written", async () => {
    await dropDataset(client);
    const job = await lab.restore({ from: [full], files: ["/@mongodb/rs0/app/orders.bson"] });
    assert.notEqual(job.status, "T");
    assert.match(job.log, /MONGO-506 .*orders.bson.00001.* did not come/);
    assert.deepEqual(await client.db("app").listCollections().toArray(), []);
  });

  await t.step("where=/some/dir leaves mongodump's layout", async () => {
    const where = `${lab.folder}/restore/dump`;
    const job = await lab.restore({ from: [full], where });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    const metadata = JSON.parse(await Deno.readTextFile(`${where}/app/orders.metadata.json`));
    assert.equal(metadata.collectionName, "orders");
    assert.equal(metadata.indexes.length, 9);
    const { size } = await Deno.stat(`${where}/app/orders.bson`);
    assert.ok(size > 2_000_000);
    assert.equal((await Deno.stat(`${where}/app/empty.bson`)).size, 0);
    for (const name of databases) assert.ok((await Deno.stat(`${where}/${name}`)).isDirectory);
  });

  await t.step("two Plugin lines of one job are restored together", async () => {
    assert.equal((await lab.restore({ from: [full] })).status, "T");
    const job = await lab.run("Two", "Full");
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    for (const name of ["shop", "zoo"]) await client.db(name).dropDatabase();
    const restored = await lab.restore({ from: [job.jobId] });
    assert.deepEqual([restored.status, restored.errors], ["T", 0], restored.log);
    assert.deepEqual(await fingerprint(client), before);
  });

  await t.step("an accurate job's Incremental deletes nothing", async () => {
    const first = await lab.run("Shop", "Full");
    assert.deepEqual([first.status, first.errors], ["T", 0], first.log);
    const second = await lab.run("Shop", "Incremental");
    assert.deepEqual([second.status, second.errors], ["T", 0], second.log);
    assert.match(
      await lab.console([`list files type=deleted jobid=${second.jobId}`]),
      /No results|0 records|^(?!.*@mongodb)/s,
    );
  });

  await t.step("an unsigned backup warns, and is restored only with a word at the prompt", async () => {
    const job = await lab.run("Unsigned", "Full");
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.match(job.log, /Warning: .*sign=no/);
    await client.db("zoo").dropDatabase();
    const refused = await lab.restore({ from: [job.jobId] });
    assert.notEqual(refused.status, "T");
    assert.match(refused.log, /MONGO-502 .*not signed/);
    const allowed = await lab.restore({ from: [job.jobId], pluginOptions: { fields: [[3, "yes"]] } });
    assert.deepEqual([allowed.status, allowed.errors], ["T", 0], allowed.log);
    assert.deepEqual(await fingerprint(client), before);
  });

  await t.step("bad commands fail with every fault in one sentence", async () => {
    const cases = [
      { name: "Wrong", want: /MONGO-101 .*did you mean "database".*parallel_dbs.*wanted 1 to 16/ },
      { name: "Later", want: /MONGO-102 .*mode=snapshot.*not available yet/ },
      { name: "Missing", want: /MONGO-101 .*"nope": the server has no such database/ },
    ];
    for (const { name, want } of cases) {
      const job = await lab.run(name, "Full");
      assert.equal(job.status, "f", job.log);
      assert.match(job.log, want);
    }
  });

  await t.step("estimate lists the files and reads no data", async () => {
    const said = await lab.estimate("Mongo", { listing: true });
    assert.match(said, /@mongodb\/rs0\/app\/orders\.bson/);
    assert.match(said, /2000 OK estimate files=\d+ bytes=[\d,]+/);
  });

  await t.step("status and other consoles start no backend", async () => {
    assert.match(await lab.status("client"), /podheitor-mongodb\(0\.1\.0\)/);
    assert.deepEqual(await backendProcesses(system.built.backend), []);
  });

  await t.step("every job left its record", async () => {
    const stats = JSON.parse(await Deno.readTextFile(`${lab.folder}/work/podheitor-mongodb-rs0-stats.json`));
    const outcomes = stats.jobs.map(({ kind, outcome }: { kind: string; outcome: string }) =>
      `${kind} ${outcome}`
    );
    for (const want of ["backup success", "restore success", "restore failed"]) {
      assert.ok(outcomes.includes(want), outcomes.join());
    }
    assert.equal(stats.jobs.at(-1).jobName.split(".")[0], "Mongo");
  });
});
