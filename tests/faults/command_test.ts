/** A stand-alone command whose machine gives it too few open files, no room, no rights or a wrong clock. */

import assert from "node:assert/strict";
import { parseStats } from "../../backend/state/job_record.ts";
import { FalseClock } from "../lab/false_clock.ts";
import { CommandSite, type Ended } from "./command_site.ts";
import { SmallDisk } from "./disk.ts";
import { wrapRuntime } from "./wrapped_backend.ts";

/** Whose files are closed to a root that may not pass over their modes. */
const nobody = 65534;
const asAnybody = `exec setpriv --bounding-set=-dac_override,-dac_read_search -- "$0" "$@"`;

Deno.test("a stand-alone command on a machine that lacks something (needs root, to mount a small disk)", async (t) => {
  await using site = await CommandSite.start();
  const { client, path, work } = site;
  for (const [at, name] of ["app", "shop"].entries()) {
    for (const collection of ["a", "b", "c"]) {
      const documents = Array.from({ length: 2_000 }, (_, n) => ({ n, text: `${n + at} `.repeat(100) }));
      await client.db(name).collection<{ n: number }>(collection).insertMany(documents);
    }
  }
  const print = async () =>
    await Promise.all(
      ["app", "shop"].map(async (name) => (await client.db(name).command({ dbHash: 1 }))["md5"]),
    );
  const jobs: string[] = [];
  const assertGood = ({ code, text }: Ended, what: string) => assert.equal(code, 0, `${what}\n${text}`);
  const good = async (job: string, level: "F" | "I" = "F") => {
    assertGood(await site.backUp(job, "", { level }), job);
    jobs.push(job);
  };
  await good("first");

  await t.step("with ever fewer open files, a job is whole or it fails and says what to do", async () => {
    const outcomes = new Set<boolean>();
    for (const files of [40, 26, 22, 20, 18, 16]) {
      const job = `files${files}`;
      const options = "parallel_dbs=4 segment_size=1M max_source_absence=2";
      const ended = await site.backUp(job, options, { prelude: `ulimit -n ${files}` });
      outcomes.add(ended.code === 0);
      if (ended.code === 0) jobs.push(job);
      else {
        const said = /^MONGO-\d{3} Cannot .*(EMFILE|Too many open files)(.|\n)*\nHint: .*LimitNOFILE=/m;
        site.assertFailed(ended, said, jobs, job);
      }
    }
    assert.deepEqual([...outcomes], [true, false], "enough of them at first, and then too few");
    const before = await print();
    assertGood(await site.restore("drop=yes", { job: jobs.at(-1)! }), "the last one that was good");
    assert.deepEqual(await print(), before);
    await good("after");
  });

  await t.step(
    "what the working directory doesn't let it read or write is said, and no job is half there",
    async () => {
      const file = (kind: string) => `podheitor-mongodb-r-${kind}`;
      const cases: { closed: string; mode: number; command?: "restore"; isGood?: true; said: RegExp }[] = [
        { closed: "", mode: 0o555, said: /^MONGO-701 Cannot write .*-tip\.json/m },
        { closed: file("tip.json"), mode: 0o600, said: /^MONGO-\d{3} Cannot read .*-tip\.json: .*denied/m },
        {
          closed: file("tip.json.lock"),
          mode: 0o600,
          said: /^MONGO-701 Cannot write .*-tip\.json\.lock: .*denied/m,
        },
        {
          closed: file("stats.json"),
          mode: 0o600,
          isGood: true,
          said: /^MONGO-701 .*-stats\.json: .*denied/m,
        },
        {
          closed: file("stats.json.lock"),
          mode: 0o600,
          isGood: true,
          said: /^MONGO-701 .*-stats\.json: .*denied/m,
        },
        {
          closed: file("restore.json"),
          mode: 0o600,
          command: "restore",
          said: /^MONGO-\d{3} Cannot use .*-restore\.json/m,
        },
      ];
      for (const [at, { closed, mode, command, isGood, said }] of cases.entries()) {
        const entry = closed === "" ? work : `${work}/${closed}`;
        if (command === "restore") await Deno.writeTextFile(entry, "{}");
        if (closed !== "") await Deno.chown(entry, nobody, nobody);
        await Deno.chmod(entry, mode);
        const job = `closed${at}`;
        const ended = command === "restore"
          ? await site.restore("drop=yes", { prelude: asAnybody })
          : await site.backUp(job, "", { prelude: asAnybody });
        if (isGood) jobs.push(job);
        else site.assertFailed(ended, said, jobs, closed);
        assert.equal(ended.code === 0, isGood === true, ended.text);
        assert.match(ended.text, said);
        await Deno.chmod(work, 0o700);
        if (closed !== "" && command !== "restore") await Deno.chown(entry, 0, 0);
      }
      await good("opened");
    },
  );

  await t.step(
    "a working directory that is full fails a job, keeps what it had, and lets the next one continue",
    async () => {
      await using disk = await SmallDisk.mount(`${path}/small`, 1 << 20);
      const conditions = { work: disk.path };
      assertGood(await site.backUp("room1", "", conditions), "with room");
      jobs.push("room1");
      const tip = `${disk.path}/podheitor-mongodb-r-tip.json`;
      const kept = await Deno.readTextFile(tip);
      await disk.fill(`${disk.path}/filler`, await disk.freeBytes());
      const said = /^MONGO-701 Cannot write .*-tip\.json: .*No space left on device.*\nHint: /m;
      site.assertFailed(await site.backUp("full", "", { ...conditions, level: "I" }), said, jobs, "full");
      assert.equal(await Deno.readTextFile(tip), kept);
      const before = await print();
      const restored = await site.restore("drop=yes", { ...conditions, job: "room1" });
      assertGood(restored, "a restore that has no room for its record");
      assert.match(restored.text, /^MONGO-701 Cannot write .*-stats\.json: No space left on device/m);
      assert.deepEqual(await print(), before);
      await Deno.remove(`${disk.path}/filler`);
      await client.db("app").collection("a").insertOne({ n: -1 });
      assertGood(await site.backUp("room2", "", { ...conditions, level: "I" }), "with room again");
      jobs.push("room2");
    },
  );

  await t.step(
    "with a wall clock that was set back, the newest job is still the one that ended last",
    async () => {
      const clock = await FalseClock.make(path);
      const backend = await wrapRuntime(path, clock.prelude);
      await good("clock1");
      for (const [at, hours] of [-5, 0, -9].entries()) {
        await clock.set(hours);
        await client.db("app").collection<{ n: number }>("a").insertOne({ n: hours - 100 });
        assertGood(
          await site.backUp(`clock${at + 2}`, "", { level: "I", backend }),
          `${hours} h`,
        );
        const [last] =
          parseStats(await Deno.readTextFile(`${site.work}/podheitor-mongodb-r-stats.json`)).jobs;
        const hoursOff = (Date.parse(last!.endedAt) - Date.now()) / 3_600_000;
        assert.ok(Math.abs(hoursOff - hours) < 0.5, `the clock was ${hoursOff} h off`);
      }
      const before = await print();
      assertGood(await site.restore("drop=yes"), "the newest");
      assert.deepEqual(await print(), before);
    },
  );
});
