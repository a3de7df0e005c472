/** A Full in ranges, of a real replica set that is written meanwhile. */

import assert from "node:assert/strict";
import { BSON, MongoClient } from "mongodb";
import { openSource } from "../../backend/mongo/source.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { backUp, documentsOf } from "./dump_job.ts";

Deno.test("runBackup() in ranges has every document that stays, once, while others come and go", async () => {
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = new MongoClient(set.uri);
  const orders = client.db("app").collection<{ _id: number | string; note: string }>("orders");
  const note = "x".repeat(300);
  const stays = Array.from({ length: 8_000 }, (_, at) => at % 2 === 0 ? at * 2 : `key ${at}`);
  await orders.insertMany(stays.map((_id) => ({ _id, note })));
  await using source = await openSource(new Secret(set.uri));
  let isOver = false;
  let changes = 0;
  const write = async () => {
    for (let at = 1; !isOver; at += 2, changes++) {
      await orders.insertMany([{ _id: at % 16_000, note }, { _id: `key ${at}!`, note }]);
      await orders.deleteMany({ _id: { $in: [at % 16_000, `key ${at}!`] } });
    }
  };
  const writing = write();
  try {
    const { manifest, sink, log } = await backUp(source, "chunk_threshold=1M chunks=7");
    const [collection] = manifest.databases.find(({ name }) => name === "app")!.collections;
    const documents = collection!.segments.flatMap(({ path }) => documentsOf(sink.files.get(path)!.bytes));
    const ids = documents.map((hex) => BSON.deserialize(Uint8Array.fromHex(hex))["_id"] as number | string);
    const wanted = new Set(stays);
    assert.deepEqual(ids.filter((id) => wanted.has(id)).sort(), [...stays].sort());
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(changes > 0 && manifest.oplog!.entries > 0);
    assert.ok(!log.lines.some((line) => line.includes("is read by one cursor")), log.lines.join("\n"));
  } finally {
    isOver = true;
    await writing;
  }
});
