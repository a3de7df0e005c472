/** The end of a restore: an index that takes longer than a backend may be silent, and one that the server won't build. */

import assert from "node:assert/strict";
import { System } from "../e2e/system.ts";
import { until } from "../lab/condition.ts";
import { silenceSeconds } from "./scene.ts";

Deno.test("index builds at the end of a restore through a real Bacula", async (t) => {
  await using system = await System.start({
    set: { members: 1, extraArgs: ["--setParameter", "enableTestCommands=1"] },
    lab: { env: { PODHEITOR_MONGODB_SILENCE_SECONDS: String(silenceSeconds) } },
    commands: (uri) => ({ Mongo: `podheitor-mongodb: uri=${uri} drop=yes` }),
  });
  const { lab, client } = system;
  const [admin, app] = [client.db("admin"), client.db("app")];
  const failPoint = (configureFailPoint: string, mode: string, data = {}) =>
    admin.command({ configureFailPoint, mode, data });
  const indexesOf = async (name: string) =>
    (await app.collection(name).indexes()).map(({ name }) => name).sort();
  for (const name of ["a", "b", "c"]) {
    await app.collection(name).insertMany([{ n: 1, m: 1 }, { n: 2, m: 2 }]);
    await app.collection(name).createIndexes([{ key: { n: 1 } }, { key: { m: -1 } }]);
  }
  const full = await lab.run("Mongo", "Full");
  assert.deepEqual([full.status, full.errors], ["T", 0], full.log);

  await t.step("a build that takes twice as long as a silence may last is waited for", async () => {
    await failPoint("hangAfterStartingIndexBuild", "alwaysOn");
    const jobId = await lab.startRestore({ from: [full.jobId] });
    const isBuilding = async () => {
      const { inprog } = await admin.command({ currentOp: 1, "command.createIndexes": { $exists: true } });
      return inprog.length > 0;
    };
    await until("an index build that hangs", 30_000, isBuilding);
    const startedAt = performance.now();
    await until(
      "twice the time of a silence",
      60_000,
      () => performance.now() - startedAt > 2000 * silenceSeconds,
    );
    assert.ok(await isBuilding());
    await failPoint("hangAfterStartingIndexBuild", "off");
    const job = await lab.wait(jobId);
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.match(job.log, /Built 6 indexes of 3 collections/);
  });

  await t.step(
    "one that the server refuses fails the job by its name, and everything else is there",
    async () => {
      const data = { failCommands: ["createIndexes"], namespace: "app.b", errorCode: 67 };
      await failPoint("failCommand", "alwaysOn", data);
      const job = await lab.restore({ from: [full.jobId] });
      await failPoint("failCommand", "off");
      assert.notEqual(job.status, "T");
      const reason = 'Cannot build the indexes of app\\.b: index "n_1": .*; index "m_-1": ';
      assert.match(job.log, new RegExp(`Fatal error: podheitor-mongodb: MONGO-604 ${reason}`));
      assert.match(job.log, /Hint: The documents are there/);
      for (const name of ["a", "b", "c"]) assert.equal(await app.collection(name).countDocuments(), 2);
      assert.deepEqual(await indexesOf("a"), ["_id_", "m_-1", "n_1"]);
      assert.deepEqual(await indexesOf("b"), ["_id_"]);
      assert.deepEqual(await indexesOf("c"), ["_id_", "m_-1", "n_1"]);
    },
  );
});
