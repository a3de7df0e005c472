/** Whatever dies, stops or is taken away during a restore: it never ends well, nothing hangs or stays, and a restore after it is complete. */

import assert from "node:assert/strict";
import { Scene, silenceSeconds } from "./scene.ts";

Deno.test("faults during a restore through a real Bacula", async (t) => {
  await using scene = await Scene.start(96);
  const { lab } = scene;
  const full = await lab.run("Much", "Full");
  assert.deepEqual([full.status, full.errors], ["T", 0], full.log);
  const loaded = await scene.documents();

  await t.step("the backend is killed", async () => {
    const job = await scene.strikeRestore(full, ({ pid }) => Deno.kill(pid, "SIGKILL"));
    assert.match(job.log, /Error: .*MONGO-202 .*killed by signal 9/);
    assert.match(job.log, /Fatal error: .*MONGO-603/);
  });

  await t.step("the backend falls silent", async () => {
    const job = await scene.strikeRestore(full, ({ pid }) => Deno.kill(pid, "SIGSTOP"));
    assert.match(job.log, new RegExp(`MONGO-202 .*said nothing for ${silenceSeconds} s and was killed`));
    assert.ok(job.endedAfterMs < silenceSeconds * 1000 + 10_000, `${job.endedAfterMs} ms`);
  });

  await t.step("the operator cancels", async () => {
    const job = await scene.strikeRestore(full, ({ jobId }) => lab.cancel(jobId));
    assert.equal(job.status, "A", job.log);
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.kind, record.outcome], [job.jobId, "restore", "canceled"]);
  });

  await t.step("the server is killed", async () => {
    const job = await scene.strikeRestore(full, () => scene.strikeServer("SIGKILL"));
    assert.match(job.log, /Error: .*MONGO-[36]0[13] Cannot .*\nHint: /);
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.kind, record.outcome], [job.jobId, "restore", "failed"]);
    assert.match(record.text, /^Cannot /);
    await scene.reviveServer();
  });

  await t.step("the server stops answering, and the operator cancels", async () => {
    const job = await scene.strikeRestore(full, async ({ jobId }) => {
      await scene.strikeServer("SIGSTOP");
      await lab.cancel(jobId);
    });
    await scene.strikeServer("SIGCONT");
    assert.equal(job.status, "A", job.log);
    // Cancel waits in the pipe behind data that nobody takes: the backend is killed after 10 s, and can't leave a record.
    assert.ok(job.endedAfterMs < 15_000, `${job.endedAfterMs} ms`);
  });

  await t.step("the server stops answering, and nobody cancels", async () => {
    const job = await scene.strikeRestore(full, () => scene.strikeServer("SIGSTOP"));
    await scene.strikeServer("SIGCONT");
    assert.match(job.log, /Error: .*MONGO-603 Cannot write to .*(timed out|timeout)/);
  });

  await t.step("the Storage Daemon is killed", async () => {
    const job = await scene.strikeRestore(full, async () => {
      await scene.killDaemon("sd");
      await lab.restartDaemon("sd");
    });
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.kind], [job.jobId, "restore"], job.log);
    assert.match(record.outcome, /^(failed|canceled)$/);
  });

  await t.step("the Storage Daemon is killed, and no Director says so", async () => {
    const job = await scene.strikeRestore(full, async () => {
      await lab.signalDaemon("dir", "SIGSTOP");
      await scene.killDaemon("sd");
      await scene.assertNothingStays();
      await lab.signalDaemon("dir", "SIGCONT");
      await lab.restartDaemon("sd");
    });
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.kind, record.outcome], [job.jobId, "restore", "failed"], job.log);
  });

  await t.step("the File Daemon is killed, and its backend ends by itself", async () => {
    await scene.strikeRestore(full, async () => {
      await scene.killDaemon("fd");
      await scene.assertNothingStays();
      await lab.restartDaemon("fd");
    });
  });

  await t.step("a restore after all that, over what is half there, is complete", async () => {
    const job = await lab.restore({ from: [full.jobId] });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.equal(await scene.documents(), loaded);
  });
});
