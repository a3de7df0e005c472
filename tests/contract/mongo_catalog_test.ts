/** What a server's catalog says while it changes. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { openSource } from "../../backend/mongo/source.ts";
import { Secret } from "../../backend/secret.ts";
import { until } from "../lab/condition.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { backUp } from "./dump_job.ts";

Deno.test("A Full names the indexes that are still being built, and leaves them out", async () => {
  await using set = await ReplicaSet.start({
    members: 1,
    extraArgs: ["--setParameter", "enableTestCommands=1"],
  });
  await using client = new MongoClient(set.uri);
  const [admin, orders] = [client.db("admin"), client.db("app").collection("orders")];
  await orders.insertMany([{ a: 1 }, { a: 2 }]);
  await orders.createIndex({ b: 1 });
  await using source = await openSource(new Secret(set.uri));
  const failPoint = { configureFailPoint: "hangAfterStartingIndexBuild" };
  await admin.command({ ...failPoint, mode: "alwaysOn" });
  const built = orders.createIndex({ a: 1 });
  try {
    const unfinished = async () => (await source.listCollections("app"))[0]!.unfinishedIndexes;
    await until("the build to begin", 20_000, async () => (await unfinished()).length > 0);
    assert.deepEqual(await unfinished(), ["a_1"]);
    const { manifest, log } = await backUp(source, "database=app");
    assert.match(log.lines.join("\n"), /app\.orders: still being built, .*: a_1$/m);
    const [collection] = manifest.databases[0]!.collections;
    const { indexes } = JSON.parse(collection!.metadata);
    assert.deepEqual(indexes.map(({ name }: { name: string }) => name), ["_id_", "b_1"]);
  } finally {
    await admin.command({ ...failPoint, mode: "off" });
    await built;
  }
  assert.deepEqual((await source.listCollections("app"))[0]!.unfinishedIndexes, []);
});
