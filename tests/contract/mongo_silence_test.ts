/** A server that doesn't answer one read, while it answers everything else. */

import assert from "node:assert/strict";
import { connectMember } from "../../backend/mongo/client.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";

Deno.test("connectMember() gives up a read that isn't answered, and reads on afterwards", async () => {
  await using set = await ReplicaSet.start({
    members: 1,
    extraArgs: ["--setParameter", "enableTestCommands=1"],
  });
  const [member] = set.members;
  const patienceMs = 500;
  const silenceMs = 60_000;
  await using client = await connectMember(
    new Secret(set.uri),
    `${member!.host}:${member!.port}`,
    patienceMs,
  );
  const read = () => client.db("local").collection("oplog.rs").find({}, { batchSize: 2 }).limit(5).toArray();
  assert.equal((await read()).length, 5);
  const data = { failCommands: ["getMore"], blockConnection: true, blockTimeMS: silenceMs };
  await set.command(member!, { configureFailPoint: "failCommand", mode: { times: 1 }, data });
  const askedAt = performance.now();
  await assert.rejects(read(), { name: "MongoNetworkTimeoutError" });
  assert.ok(performance.now() - askedAt < silenceMs / 2);
  assert.equal((await read()).length, 5);
});
