/** Whatever ends a stand-alone backup early: nothing that looks like a good job stays. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { build } from "../../packaging/build.ts";
import { signingKey } from "../e2e/system.ts";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { SmallDisk } from "./disk.ts";
import { loadMuch } from "./load.ts";

Deno.test("faults during a stand-alone backup (needs root, to mount a small disk)", async (t) => {
  const { backend } = await build();
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  await loadMuch(client, 128);
  await using scratch = await ScratchFolder.make("standalone");
  const [folder, work] = [`${scratch.path}/backups`, `${scratch.path}/work`];
  await Deno.mkdir(work);

  const spawn = (...args: string[]) =>
    new Deno.Command(backend, {
      args,
      env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const output = async (child: Deno.ChildProcess) => {
    const { code, signal, stderr } = await child.output();
    return { code, signal, stderr: new TextDecoder().decode(stderr) };
  };
  const backUp = (job: string, database: string, to = folder) => {
    const command = `podheitor-mongodb: uri=${set.uri} database=${database} segment_size=4M resource=r`;
    return spawn("backup", "--to", to, "--job", job, "--working-dir", work, command);
  };
  const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  const lastRecord = async () =>
    JSON.parse(await Deno.readTextFile(`${work}/podheitor-mongodb-r-stats.json`)).jobs[0];
  /** Resolves when a backup has written several segments. */
  const middle = (job: string) =>
    until("the first segments", 30_000, () => sizeOf(`${folder}/.${job}.partial`) >= 16 << 20);

  await t.step("killed, it leaves no job, and the next backup removes what it left", async () => {
    const child = backUp("killed", "much,more");
    await middle("killed");
    child.kill("SIGKILL");
    assert.equal((await output(child)).signal, "SIGKILL");
    assert.deepEqual(names(folder), [".killed.partial"]);
    const verified = await output(spawn("verify", folder));
    assert.equal(verified.code, 2);
    assert.match(verified.stderr, /the folder holds no job/);

    assert.equal((await output(backUp("next", "much"))).code, 0);
    assert.deepEqual(names(folder), ["next"]);
    assert.equal((await output(spawn("verify", folder))).code, 0);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await t.step(`${signal} cancels it, and it clears up after itself`, async () => {
      const child = backUp(signal, "much,more");
      await middle(signal);
      child.kill(signal);
      const { code, stderr } = await output(child);
      assert.equal(code, 1);
      assert.match(stderr, /^MONGO-203 The job was cancelled: stopped by the operator$/m);
      assert.deepEqual(names(folder), ["next"]);
      const { jobName, outcome } = await lastRecord();
      assert.deepEqual([jobName, outcome], [signal, "canceled"]);
    });
  }

  await t.step("a full disk is said in a sentence, and nothing stays", async () => {
    await using disk = await SmallDisk.mount(`${scratch.path}/disk`, 24 << 20);
    const { code, stderr } = await output(backUp("full", "much,more", disk.path));
    assert.equal(code, 1);
    assert.match(stderr, /^MONGO-701 Cannot write \/.*: .*No space left on device.*\nHint: /);
    assert.doesNotMatch(stderr, /^\s+at /m);
    assert.deepEqual(names(disk.path), []);
    const { jobName, outcome } = await lastRecord();
    assert.deepEqual([jobName, outcome], ["full", "failed"]);
  });

  await t.step("a full working directory is said in a sentence, and nothing stays", async () => {
    await using disk = await SmallDisk.mount(`${scratch.path}/full`, 1 << 20);
    await disk.fill(`${disk.path}/taken`, 1 << 20);
    const command = `podheitor-mongodb: uri=${set.uri} database=small resource=r`;
    const child = spawn("backup", "--to", folder, "--job", "unrecorded", "--working-dir", disk.path, command);
    const { code, stderr } = await output(child);
    assert.equal(code, 1);
    assert.match(stderr, /^MONGO-701 Cannot write \/.*: No space left on device.*\nHint: /m);
    assert.doesNotMatch(stderr, /^\s+at /m);
    assert.deepEqual(names(disk.path).filter((name) => name.endsWith(".tmp")), []);
    assert.ok(!names(folder).includes("unrecorded"));
  });
});

/** Bytes of all files below a folder, 0 where there is none. */
function sizeOf(path: string): number {
  try {
    return [...Deno.readDirSync(path)].reduce((sum, { name, isDirectory }) => {
      const below = `${path}/${name}`;
      return sum + (isDirectory ? sizeOf(below) : Deno.statSync(below).size);
    }, 0);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return 0;
    throw cause;
  }
}
