/** A chain of jobs through a real Bacula: a Full and the slices of the oplog behind it, restored as Bacula itself chooses them. */

import assert from "node:assert/strict";
import { readTips } from "../../backend/state/tip_store.ts";
import type { Tip } from "../../backend/state/tip.ts";
import { compareTimestamps } from "../../backend/timestamp.ts";
import type { BackupLevel, JobResult } from "../lab/bacula.ts";
import { until } from "../lab/condition.ts";
import {
  changeCatalog,
  changedDatabases,
  changeDocuments,
  changeMore,
  changeMuch,
  dropChanged,
} from "./changes.ts";
import { fingerprint, loadDataset } from "./dataset.ts";
import { newestPosition, System } from "./system.ts";

type Fingerprint = Awaited<ReturnType<typeof fingerprint>>;

Deno.test("a chain of jobs through a real Bacula", async (t) => {
  await using system = await System.start({
    set: { extraArgs: ["--setParameter", "periodicNoopIntervalSecs=1"] },
    commands: (uri) => ({ Mongo: `podheitor-mongodb: mode=dump uri=${uri} segment_size=1M` }),
  });
  const { lab, client, serverVersion } = system;
  const work = `${lab.folder}/work`;
  const source = () => fingerprint(client, changedDatabases);
  const tips = async () => (await readTips(work, "rs0"))?.tips ?? [];
  const jobs: JobResult[] = [];
  const prints: Fingerprint[] = [];
  const run = async (level: BackupLevel): Promise<JobResult> => {
    const job = await lab.run("Mongo", level);
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    jobs.push(job);
    prints.push(await source());
    return job;
  };
  /** Bacula's own choice of jobs; they are those of the given places in `jobs`. */
  const restoresTo = async (before: string | undefined, wanted: readonly number[], print: Fingerprint) => {
    await dropChanged(client);
    const job = await lab.restore({ from: "Mongo", ...before === undefined ? {} : { before } });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    const names = wanted.map((at) => jobs[at]!.name);
    const seen = [...job.log.matchAll(/Manifest [0-9a-f]{16} of job (\S+):/g)].map(([, name]) => name!);
    assert.deepEqual(seen.toSorted(), names.toSorted(), job.log);
    assert.deepEqual(await source(), print);
  };
  const middle = { t: 0, i: 0 };
  let middlePrint: Fingerprint = {};

  const isThere = await t.step("each job continues the one that Bacula names, and says so", async () => {
    await loadDataset(client, serverVersion);
    await run("Full");
    await changeDocuments(client, serverVersion);
    const first = await run("Incremental");
    for (const want of [/Incremental of replica set rs0/, /from the end of Mongo\./, /Slice of the oplog/]) {
      assert.match(first.log, want);
    }
    await changeCatalog(client, serverVersion);
    assert.match((await run("Differential")).log, /Differential of replica set rs0/);
    await changeMore(client);
    Object.assign(middle, await newestPosition(client));
    middlePrint = await source();
    await until("the next second", 5_000, () => Math.floor(Date.now() / 1000) > middle.t);
    await client.db("app").collection("log").insertOne({ behind: "the instant" });
    await run("Incremental");
    await changeMuch(client);
    await run("Incremental");

    const [inc3, inc2, diff, inc1, full, ...older] = await tips();
    assert.deepEqual(older, []);
    assert.deepEqual([inc3, inc2, diff, inc1, full].map((tip) => [tip?.level, tip?.parentName]), [
      ["I", inc2?.jobName],
      ["I", diff?.jobName],
      ["D", full?.jobName],
      ["I", full?.jobName],
      ["F", null],
    ]);
    assert.deepEqual(
      [full, inc1, diff, inc2, inc3].map((tip) => tip?.jobName),
      jobs.map(({ name }) => name),
    );
  });

  // Nothing below can be had without it.
  if (!isThere) return;

  await t.step("an Incremental of an idle source is a good one, and the tip moves on", async () => {
    const [before] = await tips();
    await until(
      "an entry of the idle server's own",
      15_000,
      async () => compareTimestamps(await newestPosition(client), before!.position) > 0,
    );
    const idle = await run("Incremental");
    assert.match(idle.log, /: 0 entries, /);
    assert.deepEqual(await lab.listFiles(idle.jobId), [`/@mongodb/rs0/manifest.${idle.name}.json`]);
    const [after] = await tips();
    assert.deepEqual([after!.jobName, after!.parentName], [idle.name, before!.jobName]);
    assert.ok(compareTimestamps(after!.position, before!.position) > 0);
  });

  await t.step("an Incremental holds its slice of the oplog and its manifest, nothing else", async () => {
    const files = await lab.listFiles(jobs[1]!.jobId);
    const { name } = jobs[1]!;
    assert.ok(files.includes(`/@mongodb/rs0/manifest.${name}.json`), files.join(" "));
    const others = files.filter((file) => !file.startsWith(`/@mongodb/rs0/oplog.${name}/`));
    assert.deepEqual(others, [`/@mongodb/rs0/manifest.${name}.json`]);
    assert.ok(files.length > 1);
  });

  await t.step("select current brings back the source as it is, all in the right order", async () => {
    await restoresTo(undefined, [0, 2, 3, 4, 5], prints[5]!);
  });

  const earlier = [
    { name: "the first Incremental", before: 2, wanted: [0, 1] },
    { name: "the Differential", before: 3, wanted: [0, 2] },
  ];
  for (const { name, before, wanted } of earlier) {
    await t.step(`before= brings back the source as it was at the end of ${name}`, async () => {
      await restoresTo(jobs[before]!.startTime, wanted, prints[before - 1]!);
    });
  }

  const instants = [
    { name: "an entry's own timestamp", pit: () => `${middle.t}:${middle.i}` },
    { name: "a whole second", pit: () => new Date(middle.t * 1000).toISOString().replace(".000Z", "+00:00") },
  ];
  for (const { name, pit } of instants) {
    await t.step(`pit= brings back the middle of a job by ${name}`, async () => {
      await dropChanged(client);
      const job = await lab.restore({ from: "Mongo", pluginOptions: { fields: [[4, pit()]] } });
      assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
      assert.deepEqual(await source(), middlePrint);
    });
  }

  const refused = [
    { name: "before the Full's end", at: (tip: Tip) => tip.position.t - 3600, full: true },
    { name: "behind the last job", at: (tip: Tip) => tip.position.t + 3600, full: false },
  ];
  for (const { name, at, full } of refused) {
    await t.step(`pit= ${name} is refused with the instants that there are`, async () => {
      const known = await tips();
      const [from, to] = [known.at(-1)!, known[0]!];
      const before = await source();
      const fields = [[2, "yes"], [4, `${at(full ? from : to)}`]] as const;
      const job = await lab.restore({ from: "Mongo", pluginOptions: { fields } });
      assert.notEqual(job.status, "T");
      assert.match(job.log, /MONGO-406 Cannot restore to the end of second/);
      const shown = [from, to].map(({ position: { t, i } }) => `${t}\\.${i} \\(\\S+Z\\)`).join(" to ");
      assert.match(job.log, new RegExp(`Hint: These jobs cover ${shown}`));
      assert.deepEqual(await source(), before);
    });
  }

  for (const place of ["/", "a directory"]) {
    await t.step(`dry_run=yes with where=${place} says what would be done, and does nothing`, async () => {
      const before = await source();
      const where = place === "/" ? "/" : `${lab.folder}/restore/dry`;
      const fields = [[2, "yes"], [5, "yes"]] as const;
      const job = await lab.restore({ from: "Mongo", where, pluginOptions: { fields } });
      assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
      for (const want of [/Plan: restore to /, /Plan: job Mongo\.\S+ \(F\)/, /Plan: job Mongo\.\S+ \(D\)/]) {
        assert.match(job.log, want);
      }
      assert.match(job.log, /Dry run: nothing was changed/);
      if (place === "/") assert.match(job.log, /Plan: drop=yes would remove .*app\./);
      assert.deepEqual(await source(), before);
      assert.deepEqual([...Deno.readDirSync(`${lab.folder}/restore`)], []);
      await assert.rejects(Deno.stat("/@mongodb"), Deno.errors.NotFound);
    });
  }

  await t.step("where= of a chain leaves the Full's files and the oplog for mongorestore", async () => {
    const where = `${lab.folder}/restore/dump`;
    const job = await lab.restore({ from: "Mongo", where });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.ok((await Deno.stat(`${where}/app/orders.bson`)).size > 0);
    assert.ok((await Deno.stat(`${where}/oplog.bson`)).size > 3 * (7 << 20));
  });

  await t.step(
    "a chain goes on over a restore into its own source, and drop=yes replaces it all",
    async () => {
      await dropChanged(client);
      assert.equal((await lab.restore({ from: [jobs[0]!.jobId] })).status, "T");
      await changeDocuments(client, serverVersion);
      await run("Incremental");
      const job = await lab.restore({ from: "Mongo", pluginOptions: { fields: [[2, "yes"]] } });
      assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
      assert.match(job.log, /drop=yes: removing/);
      assert.deepEqual(await source(), prints.at(-1));
    },
  );
});
