/** A Full whose collections are dropped, or dropped and made again, while they are read: a restore has what is there at its end. */

import assert from "node:assert/strict";
import { Binary, MongoClient } from "mongodb";
import { until } from "../lab/condition.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { FolderJobs } from "./folder_jobs.ts";

const documents = 6_000;

Deno.test("a Full goes on when a collection is dropped while it is read", async (t) => {
  await using set = await ReplicaSet.start({ members: 1 });
  await using other = await ReplicaSet.start({ members: 1 });
  await using client = new MongoClient(set.uri);
  await using restored = new MongoClient(other.uri);
  const app = client.db("app");
  const namesIn = async (one: MongoClient) =>
    (await one.db("app").listCollections().toArray()).map(({ name }) => name).sort();
  const idsIn = (one: MongoClient) =>
    one.db("app").collection<{ _id: number }>("large").find().sort({ _id: 1 }).map(({ _id }) => _id)
      .toArray();

  const cases = [
    { name: "by natural order", options: "", again: false },
    { name: "by natural order, and made again", options: "", again: true },
    { name: "in ranges, and made again", options: "chunk_threshold=1M chunks=4", again: true },
  ];
  for (const { name, options, again } of cases) {
    await t.step(name, async () => {
      await app.dropDatabase();
      const filler = new Binary(new Uint8Array(2_000));
      await app.collection("kept").insertOne({ kept: true });
      await app.collection<{ _id: number }>("large").insertMany(
        Array.from({ length: documents }, (_, _id) => ({ _id, filler })),
      );
      await using jobs = await FolderJobs.make();
      const partial = `${jobs.folder}/backups/.full.partial/@mongodb/r/app`;
      const job = jobs.backUp("F", "full", `uri=${set.uri} segment_size=1M max_rate=4M ${options}`);
      await Promise.race([
        job,
        until("the first of it", 60_000, () => {
          try {
            return Promise.resolve(
              [...Deno.readDirSync(partial)].some(({ name }) => name.startsWith("large.bson")),
            );
          } catch {
            return Promise.resolve(false);
          }
        }),
      ]);
      await app.collection("large").drop();
      if (again) await app.collection<{ _id: number }>("large").insertMany([{ _id: 7 }, { _id: 70_000 }]);
      const log = await job;
      // Ranges that are read to their end before, or begun after it, need nothing.
      if (options === "") assert.match(log, /^W Reading app\.large anew, /m);
      await jobs.restore(`uri=${other.uri} drop=yes`);
      assert.deepEqual(await namesIn(restored), again ? ["kept", "large"] : ["kept"], log);
      assert.deepEqual(await idsIn(restored), again ? [7, 70_000] : [], log);
    });
  }
});
