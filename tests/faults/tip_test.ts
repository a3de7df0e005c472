/** Whatever becomes of an Incremental, the next one begins where the last job ended that the Director calls good: nothing is lost, nothing comes twice. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import type { DaemonName } from "../lab/bacula.ts";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { type Blow, ChainScene, type Step } from "./chain_scene.ts";
import { SmallDisk } from "./disk.ts";
import { untilWritten, volumeBytes } from "./load.ts";

Deno.test("the tip moves only with the Director's truth (needs root, to mount a small disk)", async (t) => {
  const diskBytes = 1 << 30;
  await using folder = await ScratchFolder.make("tip");
  await using disk = await SmallDisk.mount(`${folder.path}/vol`, diskBytes);
  await using scene = await ChainScene.start({ dir: folder.path });
  const { lab } = scene;

  const backendKilled: Blow = ({ pid }) => Deno.kill(pid, "SIGKILL");
  const daemonKilled = (name: DaemonName): Blow => async () => {
    await lab.signalDaemon(name, "SIGKILL");
    await lab.signalDaemon("sd", "SIGCONT");
    await scene.backends.assertNothingStays();
    await lab.restartDaemon(name);
  };
  const canceled: Blow = async ({ jobId, pid }) => {
    // The Director asks the Storage Daemon first, which would go on with the job if it weren't for the backend.
    Deno.kill(pid, "SIGSTOP");
    await lab.signalDaemon("sd", "SIGCONT");
    await lab.cancel(jobId);
    Deno.kill(pid, "SIGCONT");
  };

  const blows: { name: string; blow: Blow; steps: Step[]; isLost?: boolean; want?: string }[] = [
    { name: "the backend is killed", blow: backendKilled, steps: ["at its start", "amid the data"] },
    {
      name: "the Storage Daemon is killed",
      blow: daemonKilled("sd"),
      steps: ["amid the data", "when the backend is done"],
    },
    {
      name: "the File Daemon is killed",
      blow: daemonKilled("fd"),
      steps: ["amid the data", "when the backend is done"],
    },
    {
      name: "the Director is killed",
      blow: daemonKilled("dir"),
      steps: ["amid the data", "when the backend is done"],
      isLost: true,
    },
    {
      name: "the operator cancels",
      blow: canceled,
      steps: ["amid the data", "when the backend is done"],
      want: "A",
    },
  ];
  for (const { name, blow, steps, isLost, want } of blows) {
    for (const step of steps) {
      await t.step(`${name} ${step} of an Incremental`, async () => {
        const { status, log } = await scene.strike(step, "Incremental", blow, isLost);
        if (want !== undefined) assert.equal(status, want, log);
      });
    }
  }

  await t.step("the Storage Daemon is killed when the backend of a Full is done", async () => {
    await scene.strike("when the backend is done", "Full", daemonKilled("sd"));
  });

  await t.step(
    "the volumes' disk is full amid the data of an Incremental, and the operator cancels",
    async () => {
      const filler = `${lab.folder}/vol/filler`;
      const job = await scene.strike("amid the data", "Incremental", async ({ jobId }) => {
        await disk.fill(filler, diskBytes - volumeBytes(lab) - (4 << 20));
        await lab.signalDaemon("sd", "SIGCONT");
        const isBlocked = async () => (await lab.status("storage")).includes("Device is BLOCKED");
        await until("the device to be blocked", 20_000, isBlocked);
        await lab.cancel(jobId);
        await until(
          "the job's end",
          20_000,
          async () =>
            (await lab.query(`select 1 from Job where JobId=${jobId} and JobStatus='A'`)).length > 0,
        );
        await Deno.remove(filler);
      });
      assert.equal(job.status, "A", job.log);
    },
  );

  await t.step("the tip can't be written", async () => {
    const obstacle = `${lab.folder}/work/podheitor-mongodb-chain-tip.json.tmp`;
    await Deno.mkdir(`${obstacle}/full`, { recursive: true });
    await scene.write("while the tip can't be written");
    const job = await lab.run("Chain", "Incremental");
    await Deno.remove(obstacle, { recursive: true });
    assert.equal(job.status, "f", job.log);
    assert.match(job.log, /Fatal error: .*MONGO-701 Cannot write \/.*-chain-tip\.json: /);
    assert.ok((await scene.tips()).every(({ jobId }) => jobId !== job.jobId));
    await scene.backends.assertNothingStays();
    await scene.runGood("Incremental");
  });

  await t.step("two jobs of one resource don't run at the same time", async () => {
    await scene.writeMuch();
    const from = volumeBytes(lab);
    const jobId = await lab.start("Chain", "Incremental");
    const pid = await scene.backends.one();
    await untilWritten(lab, from, 2 << 20);
    Deno.kill(pid, "SIGSTOP");
    const second = await lab.run("Chain", "Incremental");
    Deno.kill(pid, "SIGCONT");
    await scene.takeGood(await lab.wait(jobId));
    assert.equal(second.status, "f", second.log);
    assert.match(second.log, /MONGO-703 .*"chain": job Chain\.\S+, process \d+ is at work on it/);
  });

  await t.step("what all these jobs saved is the source, also in another set", async () => {
    await using other = await ReplicaSet.start({ members: 1, name: "other" });
    await using client = await new MongoClient(other.uri).connect();
    const job = await lab.restore({ from: "Chain", pluginOptions: { fields: [[1, other.uri]] } });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.deepEqual(await scene.print(client), await scene.print());
  });
});
