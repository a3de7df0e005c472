import assert from "node:assert/strict";
import fc from "fast-check";
import { withFolder } from "../../tests/lab/folder.ts";
import { addRecord, formatStats, type JobRecord, parseStats } from "./job_record.ts";
import { JobStore } from "./store.ts";

function record(jobId: number): JobRecord {
  return {
    kind: "backup",
    level: "F",
    jobId,
    jobName: `Mongo.${jobId}`,
    previousJobName: null,
    outcome: "success",
    error: null,
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: "2026-01-01T00:00:01.500Z",
    durationSeconds: 1.5,
    source: "h:1",
    serverVersion: "6.0.5",
    databases: 1,
    collections: 2,
    documents: 3,
    bytes: 4,
    objects: 5,
    manifestId: "0".repeat(16),
    keyId: null,
    oplog: null,
    warnings: 0,
    rehearsal: null,
    slice: null,
    oplogWindow: null,
    lagSeconds: null,
    verification: null,
  };
}

Deno.test("addRecord() puts the newest first and forgets the oldest beyond 400", () => {
  let stats = addRecord(null, "rs0", record(0));
  for (let id = 1; id < 450; id++) stats = addRecord(stats, "rs0", record(id));
  assert.equal(stats.jobs.length, 400);
  assert.equal(stats.jobs[0]!.jobId, 449);
  assert.deepEqual(parseStats(formatStats(stats)), stats);
});

Deno.test("parseStats() refuses what it doesn't know", () => {
  const good = JSON.parse(formatStats(addRecord(null, "rs0", record(1))));
  for (
    const bad of [{ ...good, more: 1 }, { ...good, format: "x" }, {
      ...good,
      jobs: [{ ...good.jobs[0], bytes: -1 }],
    }, {}]
  ) {
    assert.throws(() => parseStats(JSON.stringify(bad)));
  }
});

Deno.test("parseStats() takes any text or throws an Error, and what it takes can be written again", () => {
  const good = formatStats(addRecord(null, "rs0", record(1)));
  const changed = fc.tuple(fc.nat(good.length), fc.nat(20), fc.string()).map(([at, length, text]) =>
    good.slice(0, at) + text + good.slice(at + length)
  );
  fc.assert(fc.property(fc.oneof(changed, fc.json(), fc.string({ unit: "binary" })), (text) => {
    let stats;
    try {
      stats = parseStats(text);
    } catch (cause) {
      assert.ok(cause instanceof Error);
      return;
    }
    assert.deepEqual(parseStats(formatStats(stats)), stats);
  }));
});

Deno.test("JobStore.record() leaves a whole file that others may not write, and no temporary one", () =>
  withFolder(async (folder) => {
    const store = new JobStore(folder);
    assert.equal(await store.read("rs0"), null);
    await store.record("rs0", record(1));
    await store.record("rs0", record(2));
    assert.deepEqual((await store.read("rs0"))!.jobs.map(({ jobId }) => jobId), [2, 1]);
    assert.equal((await Deno.stat(`${folder}/podheitor-mongodb-rs0-stats.json`)).mode! & 0o027, 0);
    assert.ok(![...Deno.readDirSync(folder)].some(({ name }) => name.endsWith(".tmp")));
  }));

Deno.test("JobStore.record() loses nothing when several processes write at once", () =>
  withFolder(async (folder) => {
    const script = `import { JobStore } from ${JSON.stringify(new URL("store.ts", import.meta.url).href)};
      const [folder, first] = Deno.args;
      for (let at = 0; at < 10; at++) await new JobStore(folder).record("rs0", { ...${
      JSON.stringify(record(0))
    }, jobId: Number(first) + at });`;
    const children = [100, 200, 300].map((first) =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
          "--ext=ts",
          "-",
          folder,
          `${first}`,
        ],
        stdin: "piped",
        stderr: "inherit",
      }).spawn()
    );
    await Promise.all(children.map(async (child) => {
      const input = child.stdin.getWriter();
      await input.write(new TextEncoder().encode(script));
      await input.close();
      assert.equal((await child.status).code, 0);
    }));
    assert.equal(new Set((await new JobStore(folder).read("rs0"))!.jobs.map(({ jobId }) => jobId)).size, 30);
  }));

Deno.test("JobStore.record() sets an unreadable file aside and keeps the job", () =>
  withFolder(async (folder) => {
    const path = `${folder}/podheitor-mongodb-rs0-stats.json`;
    await Deno.writeTextFile(path, "{broken");
    const store = new JobStore(folder);
    await assert.rejects(store.read("rs0"), { code: "stateRead" });
    await store.record("rs0", record(1));
    assert.equal((await store.read("rs0"))!.jobs.length, 1);
    assert.equal(await Deno.readTextFile(`${path}.unreadable`), "{broken");
  }));

Deno.test("JobStore.record() says what is wrong with the folder", async () => {
  await assert.rejects(new JobStore("/nowhere/at/all").record("rs0", record(1)), { code: "stateWrite" });
  await assert.rejects(new JobStore("/tmp").record("../x", record(1)), { code: "internal" });
});
