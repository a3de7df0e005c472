/** A Full that reads everything twice. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { openSource } from "../../backend/mongo/source.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { backUp } from "./dump_job.ts";
import { documents } from "./engine_jobs.ts";
import { MemorySource } from "./memory.ts";

const databases = {
  app: [{ name: "empty", documents: [] }, { name: "orders", documents: documents(900, 2_000) }],
  shop: [{ name: "items", documents: documents(30, 500) }],
};
const options = "verify_digests=yes chunk_threshold=1M chunks=3";

Deno.test("runBackup() reads everything twice where it is told to, in ranges and as a whole, and says so", async () => {
  const { log, verification } = await backUp(new MemorySource(databases), options);
  assert.match(log.lines.join("\n"), /Read twice, with the same digest: 3 collections, 930 documents$/m);
  assert.deepEqual(verification, { counted: 3, readTwice: 3 });
  const other = await backUp(new MemorySource(databases), "");
  assert.doesNotMatch(other.log.lines.join("\n"), /Read twice/);
  assert.deepEqual(other.verification, { counted: 3, readTwice: 0 });
  assert.equal((await backUp(new MemorySource(databases), "verify=no")).verification, null);
});

Deno.test("runBackup() fails where a collection isn't the same twice, and there is no oplog to say why", async () => {
  const source = new MemorySource(databases, { rotting: new Set(["shop.items"]) });
  await assert.rejects(backUp(source, options), {
    code: "incompleteRead",
    message:
      /^Cannot vouch for shop\.items: the first reading gave 30 documents with the digest \w{16}, the second one 30 documents with the digest /,
    hint: /validate/,
  });
});

Deno.test("runBackup() knows by its slice of the oplog which collections changed between two readings", async () => {
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = new MongoClient(set.uri);
  const db = client.db("app");
  await db.collection("still").insertMany([{ a: 1 }, { a: 2 }]);
  const busy = db.collection("busy");
  await busy.insertOne({});
  await using source = await openSource(new Secret(set.uri));
  let isOver = false;
  const write = async () => {
    for (let at = 0; !isOver; at++) await busy.updateOne({}, { $set: { at } });
  };
  const writing = write();
  try {
    const { log, verification, oplogWindow } = await backUp(source, "verify_digests=yes database=app");
    const lines = log.lines.join("\n");
    assert.match(
      lines,
      /Read twice, with the same digest: 1 collection, 2 documents; 1 other one changed meanwhile/,
    );
    // What was counted while somebody wrote may have come out by chance.
    assert.equal(verification?.readTwice, 1);
    assert.ok(verification.counted >= 1 && verification.counted <= 2);
    assert.equal(oplogWindow?.member, source.deployment.source);
    assert.ok(oplogWindow.longestSeconds >= oplogWindow.seconds);
    assert.ok(oplogWindow.expectedSeconds! >= oplogWindow.seconds);
  } finally {
    isOver = true;
    await writing;
  }
});
