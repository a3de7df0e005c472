/** Whatever dies, stops or is taken away during a backup: the job never ends well, nothing hangs or stays, and the next job works. */

import assert from "node:assert/strict";
import { until } from "../lab/condition.ts";
import { Scene, silenceSeconds } from "./scene.ts";

Deno.test("faults during a backup through a real Bacula", async (t) => {
  const mebibytes = 128;
  await using scene = await Scene.start(mebibytes);
  const { lab } = scene;

  const moments = [
    { name: "as soon as it is there", bytes: 0 },
    { name: "in the middle of the data", bytes: 16 << 20 },
    { name: "near the end of the data", bytes: (mebibytes - 32) << 20 },
  ];
  for (const { name, bytes } of moments) {
    await t.step(`the backend is killed ${name}`, async () => {
      const job = await scene.strikeBackup(({ pid }) => Deno.kill(pid, "SIGKILL"), bytes);
      assert.match(
        job.log,
        /Fatal error: .*MONGO-202 .*backend ended early \(killed by signal 9, as the kernel does/,
      );
      await scene.assertNextJobWorks();
    });
  }

  await t.step("the backend falls silent", async () => {
    const job = await scene.strikeBackup(({ pid }) => Deno.kill(pid, "SIGSTOP"));
    assert.match(job.log, new RegExp(`MONGO-202 .*said nothing for ${silenceSeconds} s and was killed`));
    assert.ok(job.endedAfterMs >= silenceSeconds * 1000 - 500, `${job.endedAfterMs} ms`);
    assert.ok(job.endedAfterMs < silenceSeconds * 1000 + 10_000, `${job.endedAfterMs} ms`);
    await scene.assertNextJobWorks();
  });

  await t.step("the operator cancels", async () => {
    const job = await scene.strikeBackup(({ jobId }) => lab.cancel(jobId));
    assert.equal(job.status, "A", job.log);
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.outcome, record.code], [job.jobId, "canceled", 203]);
    assert.match(record.text, /^The job was cancelled/);
    await scene.assertNextJobWorks();
  });

  await t.step("the server is killed", async () => {
    const job = await scene.strikeBackup(() => scene.strikeServer("SIGKILL"));
    await scene.reviveServer();
    // Where the volume is slow, all documents may have been read by then: 401 is the end of the oplog.
    assert.match(job.log, /Fatal error: .*MONGO-(30[136]|401) Cannot .*\nHint: /);
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.outcome], [job.jobId, "failed"]);
    assert.match(record.text, /^Cannot /);
    await scene.assertNextJobWorks();
  });

  await t.step(
    "the server is killed and comes back: what was being read is read anew, and restored once",
    async () => {
      const before = await scene.hashes();
      const job = await scene.strikeForNothing(async () => {
        await scene.strikeServer("SIGKILL");
        await scene.reviveServer();
      });
      assert.equal(job.status, "T", job.log);
      assert.match(job.log, /Warning: .*Cannot .*\. Waiting up to 20 seconds for 127\.0\.0\.1:\d+/);
      assert.match(job.log, /Warning: .*Reading m\w+\.blobs anew, from its start/);
      for (const name of ["much", "more"]) await scene.client.db(name).dropDatabase();
      const restore = await lab.restore({ from: [job.jobId] });
      assert.deepEqual([restore.status, restore.errors], ["T", 0], restore.log);
      assert.deepEqual(await scene.hashes(), before);
      await scene.assertNothingStays();
    },
  );

  await t.step("the server stops answering, and the operator cancels", async () => {
    const job = await scene.strikeBackup(async ({ jobId }) => {
      await scene.strikeServer("SIGSTOP");
      // By then the oplog's end has been asked for, too, which nobody will tell.
      const stoppedAt = performance.now();
      await until("questions without an answer", 10_000, () => performance.now() - stoppedAt > 2_500);
      await lab.cancel(jobId);
    });
    await scene.strikeServer("SIGCONT");
    assert.equal(job.status, "A", job.log);
    assert.ok(job.endedAfterMs < 15_000, `${job.endedAfterMs} ms`);
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.outcome], [job.jobId, "canceled"]);
    await scene.assertNextJobWorks();
  });

  await t.step(
    "the record can't be written: the job is as good as it was, and says that it has no record",
    async () => {
      const lock = `${lab.folder}/work/podheitor-mongodb-small-stats.json.lock`;
      await Deno.remove(lock);
      await Deno.mkdir(lock);
      const job = await scene.assertNextJobWorks();
      assert.match(job.log, /Warning: podheitor-mongodb: MONGO-701 Cannot write \/.*-stats\.json: /);
      await Deno.remove(lock);
      await scene.assertNothingStays();
    },
  );
});
