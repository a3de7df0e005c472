import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { ReplicaSet } from "./mongod.ts";
import { rollBack } from "./rollback.ts";

Deno.test("rollBack() undoes the writes of a lonely primary on all members, and nothing else", async () => {
  await using set = await ReplicaSet.start({ auth: { user: "root", password: "p@ss:/word" } });
  await using client = await new MongoClient(set.uri, { writeConcern: { w: "majority" } }).connect();
  const things = client.db("app").collection<{ _id: string; n: number }>("things");
  await things.insertMany([{ _id: "kept", n: 1 }, { _id: "removed", n: 1 }]);
  const primary = await set.primary();

  const rolledBack = await rollBack(set, async (lonely) => {
    const there = lonely.db("app").collection<{ _id: string; n: number }>("things");
    await there.insertOne({ _id: "lost", n: 1 });
    await there.updateOne({ _id: "kept" }, { $inc: { n: 1 } });
    await there.deleteOne({ _id: "removed" });
    assert.equal(await there.countDocuments({ n: { $gte: 1 } }), 2);
  });

  assert.equal(rolledBack.port, primary.port);
  assert.notEqual((await set.primary()).port, primary.port);
  await things.insertOne({ _id: "later", n: 1 }, { writeConcern: { w: 3 } });
  for (const { host, port } of set.members) {
    await using direct = new MongoClient(`mongodb://${host}:${port}/?directConnection=true`, {
      auth: { username: "root", password: "p@ss:/word" },
    });
    const found = await direct.db("app").collection("things").find().sort({ _id: 1 }).toArray();
    assert.deepEqual(found, [{ _id: "kept", n: 1 }, { _id: "later", n: 1 }, { _id: "removed", n: 1 }]);
  }
  // What a roll-back removes, the member leaves in files.
  assert.ok([...Deno.readDirSync(`${rolledBack.dbpath}/rollback`)].length > 0);
});
