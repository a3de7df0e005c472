/** What only disturbs a job: clocks that jump, processes that stand still for a while. The job is a good one, and so is the chain. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { FalseClock } from "../lab/false_clock.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { ChainScene } from "./chain_scene.ts";
import { wrapRuntime } from "./wrapped_backend.ts";

const stillMs = 3_000;

Deno.test("disturbances that no job may fail of, through a real Bacula", async (t) => {
  await using scratch = await ScratchFolder.make("clock");
  const clock = await FalseClock.make(scratch.path);
  const backend = await wrapRuntime(scratch.path, clock.prelude);
  await using scene = await ChainScene.start({ env: { PODHEITOR_MONGODB_BACKEND: backend } });
  const { lab } = scene;
  const begun = performance.now();

  const jumps = [
    { level: "Full", hours: 7 },
    { level: "Full", hours: -5 },
    { level: "Incremental", hours: 9 },
    { level: "Incremental", hours: -12 },
  ] as const;
  for (const { level, hours } of jumps) {
    await t.step(`the wall clock jumps to ${hours} h off the right time amid a job (${level})`, async () => {
      await scene.disturb(level, () => clock.set(hours));
      const [{ startedAt, endedAt, durationSeconds } = assert.fail()] = await scene.records();
      const wallSeconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
      assert.ok(Math.abs(wallSeconds) > 3600, `no clock has jumped: ${startedAt} to ${endedAt}`);
      const most = (performance.now() - begun) / 1000;
      assert.ok(durationSeconds > 0 && durationSeconds < most, `${durationSeconds} s`);
    });
  }

  await t.step("an Incremental with the clock still behind continues the last one", async () => {
    await scene.write("in the past");
    await scene.runGood("Incremental");
    await clock.set(0);
  });

  const whoever = [
    "the backend",
    "the server",
    "the File Daemon",
    "the Storage Daemon",
    "the Director",
  ] as const;
  for (const who of whoever) {
    await t.step(`${who} stands still for ${stillMs / 1000} s, and goes on`, async () => {
      await scene.disturb("Incremental", async ({ pid }) => {
        await scene.signal(who, pid, "SIGSTOP");
        if (who !== "the Storage Daemon") await lab.signalDaemon("sd", "SIGCONT");
        const from = performance.now();
        await until("the time of standing still", 2 * stillMs, () => performance.now() - from > stillMs);
        await scene.signal(who, pid, "SIGCONT");
      });
    });
  }

  await t.step("what all these jobs saved is the source, also in another set", async () => {
    await scene.runGood("Incremental");
    await using other = await ReplicaSet.start({ members: 1, name: "other" });
    await using client = await new MongoClient(other.uri).connect();
    const job = await lab.restore({ from: "Chain", pluginOptions: { fields: [[1, other.uri]] } });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.deepEqual(await scene.print(client), await scene.print());
  });
});
