/** One of Bacula's own daemons dies, or its disk is full, during a backup. */

import assert from "node:assert/strict";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { SmallDisk } from "./disk.ts";
import { volumeBytes } from "./load.ts";
import { Scene } from "./scene.ts";

Deno.test("faults of Bacula's daemons during a backup (needs root, to mount a small disk)", async (t) => {
  const diskBytes = 768 << 20;
  await using folder = await ScratchFolder.make("daemons");
  await using disk = await SmallDisk.mount(`${folder.path}/vol`, diskBytes);
  await using scene = await Scene.start(96, { dir: folder.path });
  const { lab } = scene;

  await t.step("the Storage Daemon is killed", async () => {
    const job = await scene.strikeBackup(async () => {
      await scene.killDaemon("sd");
      await lab.restartDaemon("sd");
    });
    const record = await scene.lastRecord();
    assert.equal(record.jobId, job.jobId);
    // The Director, which has lost its Storage Daemon too, may be quicker and cancel.
    assert.match(record.outcome, /^(failed|canceled)$/);
    await scene.assertNextJobWorks();
  });

  await t.step("the Director is killed: its job is not a good one when it is back", async () => {
    const { jobId } = await scene.untilBackup();
    await scene.killDaemon("dir");
    await scene.assertNothingStays();
    await lab.restartDaemon("dir");
    const [row] = await lab.query(`select JobStatus from Job where JobId=${jobId}`);
    assert.notEqual(row?.[0], "T");
    await scene.assertNextJobWorks();
  });

  await t.step("the File Daemon is killed, and its backend ends by itself", async () => {
    const job = await scene.strikeBackup(async () => {
      await scene.killDaemon("fd");
      await scene.assertNothingStays();
      await lab.restartDaemon("fd");
    });
    const record = await scene.lastRecord();
    assert.deepEqual([record.jobId, record.outcome, record.code], [job.jobId, "failed", 202]);
    await scene.assertNextJobWorks();
  });

  await t.step("the volumes' disk is full, and the operator cancels", async () => {
    const filler = `${lab.folder}/vol/filler`;
    await disk.fill(filler, diskBytes - volumeBytes(lab) - (24 << 20));
    const job = await scene.strikeBackup(async ({ jobId }) => {
      // Bacula waits for somebody to make room or to mount another volume.
      await until(
        "the device to be blocked",
        20_000,
        async () => (await lab.status("storage")).includes("Device is BLOCKED"),
      );
      await lab.cancel(jobId);
    }, 8 << 20);
    assert.equal(job.status, "A", job.log);
    await Deno.remove(filler);
    await scene.assertNextJobWorks();
  });
});
