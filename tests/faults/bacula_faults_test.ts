/** Whatever dies, stops or fills up: the job never ends well, nothing hangs, nothing stays, and the next job works. */

import assert from "node:assert/strict";
import { backendProcesses, System } from "../e2e/system.ts";
import type { JobResult } from "../lab/bacula.ts";
import { until } from "../lab/condition.ts";
import type { Member } from "../lab/mongod.ts";
import { loadMuch, untilWritten, volumeBytes } from "./load.ts";

/** Longest time from a fault to the job's end, beyond what the fault itself waits for. */
const endsWithinMs = 30_000;
const silenceSeconds = 3;

/** A job that was lost must say so in the catalog. */
function assertLost(job: JobResult): void {
  assert.ok(job.status !== "T" || job.errors > 0, job.log);
  assert.match(job.log, /podheitor-mongodb: |cancell?ed/i, job.log);
}

Deno.test("faults during a backup through a real Bacula", async (t) => {
  await using system = await System.start({
    lab: { env: { PODHEITOR_MONGODB_SILENCE_SECONDS: String(silenceSeconds) } },
    commands: (uri) => ({
      Much: `podheitor-mongodb: uri=${uri} database=much,more segment_size=4M`,
      Small: `podheitor-mongodb: uri=${uri} database=small resource=small`,
    }),
  });
  const { lab, client, built, set } = system;
  await client.db("small").collection("a").insertMany([{ a: 1 }, { a: 2 }]);
  await loadMuch(client, 240);

  const backend = async () => {
    const found = await until("a backend", 15_000, async () => (await backendProcesses(built.backend))[0]);
    return Number(found);
  };
  const middle = async (from: number) => {
    await untilWritten(lab, from, 16 << 20);
    return await backend();
  };
  /** Runs a job, does something to it, and sees that all is as it must be afterwards. */
  const strike = async (
    blow: (jobId: number, from: number) => Promise<unknown>,
    waitMs = 0,
  ): Promise<JobResult> => {
    const from = volumeBytes(lab);
    const jobId = await lab.start("Much", "Full");
    await blow(jobId, from);
    const job = await lab.wait(jobId, waitMs + endsWithinMs);
    assertLost(job);
    await until(
      "the end of all backends",
      15_000,
      async () => (await backendProcesses(built.backend)).length === 0,
    );
    const leftovers = [...Deno.readDirSync(`${lab.folder}/work`)].filter(({ name }) =>
      /\.tmp$|partial/.test(name)
    );
    assert.deepEqual(leftovers, []);
    const next = await lab.run("Small", "Full");
    assert.deepEqual([next.status, next.errors], ["T", 0], next.log);
    return job;
  };

  await t.step("the backend is killed as soon as it is there", async () => {
    const job = await strike(async () => Deno.kill(await backend(), "SIGKILL"));
    assert.match(job.log, /MONGO-202 .*backend ended early \(killed by signal 9\)/);
  });

  await t.step("the backend is killed in the middle of the data", async () => {
    const job = await strike(async (_, from) => Deno.kill(await middle(from), "SIGKILL"));
    assert.match(job.log, /killed by signal 9/);
  });

  await t.step("the backend falls silent", async () => {
    const job = await strike(
      async (_, from) => Deno.kill(await middle(from), "SIGSTOP"),
      silenceSeconds * 1000,
    );
    assert.match(job.log, new RegExp(`said nothing for ${silenceSeconds} s`));
  });

  /** Finds the member with the backend's connections, and does something to it; the backend stands still meanwhile. */
  const strikeSource = async (from: number, blow: (member: Member) => Promise<unknown>) => {
    const pid = await middle(from);
    Deno.kill(pid, "SIGSTOP");
    for (const member of set.members) {
      const { inprog } = await set.command(member, { currentOp: 1, $all: true }) as {
        inprog: { appName?: string }[];
      };
      if (!inprog.some(({ appName }) => appName === "podheitor-mongodb")) continue;
      await blow(member);
      Deno.kill(pid, "SIGCONT");
      return member;
    }
    throw new Error("no member has the backend's connections");
  };

  await t.step("the source member is killed in the middle of the data", async () => {
    const job = await strike(async (jobId, from) => {
      const member = await strikeSource(from, (member) => set.kill(member, "SIGKILL"));
      await lab.wait(jobId, endsWithinMs);
      await set.restart(member);
    });
    assert.match(job.log, /MONGO-30[136] Cannot /);
  });

  await t.step("the source member stops answering, and the operator cancels", async () => {
    const job = await strike(async (jobId, from) => {
      const { pid } = await strikeSource(from, ({ pid }) => Promise.resolve(Deno.kill(pid, "SIGSTOP")));
      try {
        await lab.cancel(jobId);
        await until(
          "the end of all backends",
          20_000,
          async () => (await backendProcesses(built.backend)).length === 0,
        );
      } finally {
        Deno.kill(pid, "SIGCONT");
      }
    });
    assert.equal(job.status, "A");
  });

  await t.step("the operator cancels in the middle of the data", async () => {
    const job = await strike(async (jobId, from) => {
      await middle(from);
      await lab.cancel(jobId);
    });
    assert.equal(job.status, "A");
    const stats = JSON.parse(await Deno.readTextFile(`${lab.folder}/work/podheitor-mongodb-rs0-stats.json`));
    assert.equal(stats.jobs[0].outcome, "canceled");
  });

  await t.step("the Storage Daemon dies in the middle of the data", async () => {
    await strike(async (_, from) => {
      await middle(from);
      await lab.restartDaemon("sd");
    }, 60_000);
  });

  await t.step("the File Daemon dies in the middle of the data, and its backend with it", async () => {
    const from = volumeBytes(lab);
    const jobId = await lab.start("Much", "Full");
    await middle(from);
    await lab.restartDaemon("fd");
    await until(
      "the end of all backends",
      15_000,
      async () => (await backendProcesses(built.backend)).length === 0,
    );
    assertLost(await lab.wait(jobId, 120_000));
  });
});

Deno.test("faults during a restore through a real Bacula", async (t) => {
  await using system = await System.start({
    lab: { env: { PODHEITOR_MONGODB_SILENCE_SECONDS: String(silenceSeconds) } },
    commands: (uri) => ({
      Much: `podheitor-mongodb: uri=${uri} database=much,more segment_size=4M drop=yes`,
    }),
  });
  const { lab, client, built } = system;
  await loadMuch(client, 120);
  const full = await lab.run("Much", "Full");
  assert.deepEqual([full.status, full.errors], ["T", 0], full.log);
  const documents = async () =>
    await client.db("much").collection("blobs").countDocuments() +
    await client.db("more").collection("blobs").countDocuments();

  const loaded = await documents();
  const strike = async (blow: (jobId: number, pid: number) => unknown): Promise<JobResult> => {
    for (const name of ["much", "more"]) await client.db(name).dropDatabase();
    const jobId = await lab.startRestore({ from: [full.jobId] });
    await until("the first documents", 30_000, async () => await documents() > 8);
    await blow(jobId, Number((await backendProcesses(built.backend))[0]));
    const job = await lab.wait(jobId, endsWithinMs);
    assertLost(job);
    await until(
      "the end of all backends",
      15_000,
      async () => (await backendProcesses(built.backend)).length === 0,
    );
    return job;
  };

  await t.step("the backend is killed", async () => {
    const job = await strike((_, pid) => Deno.kill(pid, "SIGKILL"));
    assert.match(job.log, /killed by signal 9/);
    assert.match(job.log, /Fatal error: .*MONGO-603/);
  });

  await t.step("the operator cancels", async () => {
    assert.equal((await strike((jobId) => lab.cancel(jobId))).status, "A");
  });

  await t.step("a restore after all that, over what is half there, is complete", async () => {
    const job = await lab.restore({ from: [full.jobId] });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.equal(await documents(), loaded);
  });
});

Deno.test("a full disk at the Storage Daemon", async () => {
  const folder = await Deno.makeTempDir({ prefix: "podheitor-full-" });
  const run = async (program: string, ...args: string[]) =>
    assert.ok((await new Deno.Command(program, { args }).output()).success);
  await Deno.mkdir(`${folder}/vol`);
  await run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", `${folder}/vol`);
  try {
    await using system = await System.start({
      lab: { dir: folder },
      commands: (uri) => ({ Much: `podheitor-mongodb: uri=${uri} database=much,more segment_size=4M` }),
    });
    const { lab, client, built } = system;
    await loadMuch(client, 80);
    const jobId = await lab.start("Much", "Full");
    // Bacula waits for somebody to make room or mount another volume.
    await until(
      "the disk to be full",
      60_000,
      async () => (await lab.status("storage")).includes("Device is BLOCKED"),
    );
    await lab.cancel(jobId);
    const job = await lab.wait(jobId, 90_000);
    assert.ok(job.status !== "T" || job.errors > 0, job.log);
    await until(
      "the end of all backends",
      15_000,
      async () => (await backendProcesses(built.backend)).length === 0,
    );
  } finally {
    await run("umount", "-l", `${folder}/vol`);
    await Deno.remove(folder, { recursive: true });
  }
});
