/** What real jobs leave, as the built exporter shows it. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { parseStats } from "../../backend/state/job_record.ts";
import { build } from "../../packaging/build.ts";
import { until } from "../lab/condition.ts";
import { Exporter } from "../lab/exporter.ts";
import { withFolder } from "../lab/folder.ts";
import { ReplicaSet } from "../lab/mongod.ts";

Deno.test("exporter: a Full, an Incremental, a refused one and a restore of a real replica set", async () => {
  const { backend, exporter: program } = await build();
  await using set = await ReplicaSet.start({ members: 3 });
  await using client = new MongoClient(set.uri, { w: 3 });
  const orders = client.db("shop").collection("orders");
  await orders.insertMany(Array.from({ length: 500 }, (_, at) => ({ at })));
  await withFolder(async (folder) => {
    const [work, to] = [`${folder}/work`, `${folder}/backups`];
    await Deno.mkdir(work);
    const command = `podheitor-mongodb: uri=${set.uri} resource=shop sign=no allow_unsigned=yes`;
    const job = async (...args: string[]) => {
      const { code } = await new Deno.Command(backend, {
        args: [...args, "--working-dir", work, command],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output();
      return code;
    };
    await using exporter = await Exporter.start(work, { built: program });
    const scrape = async () => await (await fetch(`${exporter.url}/metrics`)).text();
    const value = async (series: string) =>
      await until(series, 10_000, async () => {
        const line = (await scrape()).split("\n").find((one) =>
          one.startsWith(`podheitor_mongodb_${series} `)
        );
        return line === undefined ? null : { of: Number(line.slice(line.lastIndexOf(" ") + 1)) };
      });

    assert.equal(await job("backup", "--to", to, "--job", "full"), 0);
    assert.equal((await value('last_backup_documents{resource="shop",level="full"}')).of, 500);
    await orders.insertMany(Array.from({ length: 20 }, () => ({})));
    assert.equal(await job("backup", "--to", to, "--job", "next", "--level", "I", "--previous", "full"), 0);
    const entries = await value('last_backup_oplog_entries{resource="shop",level="incremental"}');
    assert.ok(entries.of >= 20, String(entries.of));
    assert.equal((await value('chain_jobs{resource="shop"}')).of, 2);
    assert.equal(await job("backup", "--to", to, "--job", "lost", "--level", "I", "--previous", "nobody"), 1);
    assert.equal((await value('recorded_failures{resource="shop",code="403"}')).of, 1);
    assert.equal((await value('last_backup_error{resource="shop",code="403"}')).of, 1);
    assert.equal((await value('resource_state{resource="shop",state="failed"}')).of, 1);
    assert.equal(await job("restore", "--from", to, "--job", "next", "--where", `${folder}/restored`), 0);
    assert.equal((await value('last_restore_success{resource="shop"}')).of, 1);

    const stats = parseStats(await Deno.readTextFile(`${work}/podheitor-mongodb-shop-stats.json`));
    const [restore, lost, next, full] = stats.jobs;
    assert.deepEqual(
      [restore, lost, next, full].map((one) => [one?.kind, one?.level, one?.outcome]),
      [["restore", null, "success"], ["backup", "I", "failed"], ["backup", "I", "success"], [
        "backup",
        "F",
        "success",
      ]],
    );
    assert.deepEqual(full!.verification, { counted: full!.collections, readTwice: 0 });
    assert.equal(next!.verification, null);
    for (const one of [full!, next!]) {
      assert.ok(one.oplogWindow!.longestSeconds >= one.oplogWindow!.seconds);
      assert.equal(typeof one.lagSeconds, "number");
    }
    assert.ok(next!.slice!.entries >= 20 && next!.slice!.bytes > 20 * 50);
    assert.ok(full!.slice!.bytes >= 0);
    assert.deepEqual([restore!.slice, restore!.lagSeconds, lost!.oplogWindow], [null, null, null]);
    const { t } = next!.oplog!.end;
    assert.equal((await value('chain_end_timestamp_seconds{resource="shop"}')).of, t);
    const deadline = await value('chain_deadline_timestamp_seconds{resource="shop"}');
    assert.ok(deadline.of >= t + next!.oplogWindow!.seconds);
    const lag = await value('oplog_lag_seconds{resource="shop"}');
    assert.ok(Math.abs(lag.of - (Date.now() / 1000 - t)) < 10);
    assert.equal(exporter.said.length, 1, exporter.said.join("\n"));
    assert.equal(await exporter.stop(), 0);
  });
});
