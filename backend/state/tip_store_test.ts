import assert from "node:assert/strict";
import { SmallDisk } from "../../tests/faults/disk.ts";
import { run } from "../../tests/lab/command.ts";
import { until } from "../../tests/lab/condition.ts";
import { withFolder } from "../../tests/lab/folder.ts";
import { formatTips, type Tip } from "./tip.ts";
import { listTipResources, readTips, TipStore } from "./tip_store.ts";

const fileName = "podheitor-mongodb-rs0-tip.json";

function tip(jobId: number): Tip {
  return {
    jobName: `Job.${jobId}`,
    jobId,
    level: "F",
    parentName: null,
    endedAt: "2026-01-01T00:00:00.000Z",
    setName: "rs0",
    setId: null,
    member: "h:1",
    scope: { databases: ["*"], include: [], exclude: [], users: false },
    position: { t: jobId, i: 1, term: 1 },
    manifestDigest: "ab".repeat(32),
  };
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const newestOf = async (folder: string) => (await readTips(folder, "rs0"))?.tips[0]?.jobId;

/** A program that has the lock of `rs0`, and what it prints, line by line. */
class Holder implements AsyncDisposable {
  readonly pid: number;
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #printed: Promise<void>;
  #hasEnded = false;

  /** @param body what it does when it has `store`, before it waits for its end */
  constructor(folder: string, jobName: string, body: string) {
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `import { TipStore } from ${module("tip_store.ts")};
      const tip = ${JSON.stringify(tip(0))};
      using store = await TipStore.lock(${JSON.stringify(folder)}, "rs0", ${JSON.stringify(jobName)});
      ${body}
      await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", `--config=${config}`, script],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.pid = this.#child.pid;
    this.#printed = this.#readLines();
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.lines.push(...lines);
    }
    this.#hasEnded = true;
  }

  async printed(count: number): Promise<void> {
    await until(`${count} lines of process ${this.pid}`, 60_000, () => {
      assert.ok(!this.#hasEnded || this.lines.length >= count, `process ${this.pid} has ended`);
      return this.lines.length >= count;
    });
  }

  /** Ends it at once; `lines` then is all that it ever said. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await Promise.all([this.#child.status, this.#printed]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

Deno.test("TipStore.add() leaves a whole file that others may not write, and no temporary one", () =>
  withFolder(async (folder) => {
    using store = await TipStore.lock(folder, "rs0", "Job.1");
    assert.equal(await store.read(), null);
    await store.add(tip(1));
    await store.add(tip(2));
    assert.deepEqual((await store.read())?.tips, [tip(2), tip(1)]);
    assert.deepEqual(await readTips(folder, "rs0"), await store.read());
    assert.deepEqual(namesIn(folder), [fileName, `${fileName}.lock`]);
    for (const name of namesIn(folder)) {
      assert.equal((await Deno.stat(`${folder}/${name}`)).mode! & 0o137, 0, name);
    }
  }));

Deno.test("TipStore.lock() is one job's of each resource, until that job leaves it", () =>
  withFolder(async (folder) => {
    const names = Array.from({ length: 8 }, (_, at) => `Job.${at}`);
    const settled = await Promise.allSettled(names.map((name) => TipStore.lock(folder, "rs0", name)));
    const held = settled.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    assert.equal(held.length, 1);
    for (const one of settled) {
      if (one.status === "rejected") assert.equal(one.reason.code, "stateBusy");
    }
    (await TipStore.lock(folder, "rs1", "Other"))[Symbol.dispose]();
    held[0]![Symbol.dispose]();
    (await TipStore.lock(folder, "rs0", "Next"))[Symbol.dispose]();
  }));

Deno.test("TipStore.lock() names the job that has it, and not the one before", () =>
  withFolder(async (folder) => {
    (await TipStore.lock(folder, "rs0", "Nightly.with-a-long-name"))[Symbol.dispose]();
    using _held = await TipStore.lock(folder, "rs0", "Short");
    await assert.rejects(TipStore.lock(folder, "rs0", "Next"), {
      code: "stateBusy",
      message: `Cannot back up resource "rs0": job Short, process ${Deno.pid} is at work on it`,
      hint: /^Wait for that job .*Maximum Concurrent Jobs.* resource= /,
    });
  }));

Deno.test("TipStore.lock() is refused while the holder hasn't said its name yet", () =>
  withFolder(async (folder) => {
    using file = await Deno.open(`${folder}/${fileName}.lock`, { create: true, write: true });
    await file.lock(true);
    await assert.rejects(TipStore.lock(folder, "rs0", "Next"), {
      code: "stateBusy",
      message: 'Cannot back up resource "rs0": another job is at work on it',
    });
  }));

Deno.test("TipStore.lock() is refused while another process has it, and given when that one was killed", () =>
  withFolder(async (folder) => {
    await using holder = new Holder(folder, "Nightly.1", "console.log('held');");
    await holder.printed(1);
    await assert.rejects(TipStore.lock(folder, "rs0", "Nightly.2"), {
      code: "stateBusy",
      message: `Cannot back up resource "rs0": job Nightly.1, process ${holder.pid} is at work on it`,
    });
    assert.equal(await readTips(folder, "rs0"), null);
    await holder.kill();
    using store = await TipStore.lock(folder, "rs0", "Nightly.2");
    await store.add(tip(1));
  }));

Deno.test("TipStore.add() that was killed at any moment leaves a whole file with all that it acknowledged", () =>
  withFolder(async (folder) => {
    // Long enough that a file written in place would be seen half.
    const tips = Array.from({ length: 200 }, (_, at) => ({ ...tip(0), jobName: `Old.${at}` }));
    await Deno.writeTextFile(
      `${folder}/${fileName}`,
      formatTips({ format: "podheitor-mongodb-tip/1", resource: "rs0", tips }),
    );
    let last = 0;
    for (let round = 0; round < 12; round++) {
      await using writer = new Holder(
        folder,
        `Round.${round}`,
        `for (let jobId = ${last + 1};; jobId++) {
          await store.add({ ...tip, jobId, jobName: "Job." + jobId });
          console.log(jobId);
        }`,
      );
      await writer.printed(1 + Math.floor(Math.random() * 12));
      await writer.kill();
      const acknowledged = Number(writer.lines.at(-1));
      const newest = await newestOf(folder);
      // The one that it was at may be there as well.
      assert.ok(newest === acknowledged || newest === acknowledged + 1, `${newest} after ${acknowledged}`);
      const found = (await readTips(folder, "rs0"))!.tips.slice(0, newest).map(({ jobId }) => jobId);
      assert.deepEqual(found, Array.from({ length: Math.min(newest, 200) }, (_, at) => newest - at));
      last = newest;
    }
    using store = await TipStore.lock(folder, "rs0", "Last");
    await store.add(tip(last + 1));
    assert.equal(await newestOf(folder), last + 1);
    assert.deepEqual(namesIn(folder), [fileName, `${fileName}.lock`]);
  }));

/** Takes all the room that is left. */
async function fillUp(path: string): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true });
  await assert.rejects(async () => {
    while (true) await file.write(new Uint8Array(4096));
  }, { code: "ENOSPC" });
}

Deno.test({
  name: "TipStore says that the disk is full or read-only, and works when it no longer is",
  // Only root can mount a small disk.
  ignore: Deno.uid() !== 0,
  fn: () =>
    withFolder(async (folder) => {
      await using disk = await SmallDisk.mount(`${folder}/disk`, 64 << 10);
      const filler = `${disk.path}/filler`;
      const full = {
        code: "stateWrite",
        message: /^Cannot write \/\S+-tip\.json(\.lock)?: No space left/,
        hint: /it must have room/,
      };
      await fillUp(filler);
      await assert.rejects(TipStore.lock(disk.path, "rs0", "Job.1"), full);
      await Deno.remove(filler);
      // A lock that couldn't be taken isn't kept either.
      {
        using store = await TipStore.lock(disk.path, "rs0", "Job.2");
        await store.add(tip(2));
        await fillUp(filler);
        await assert.rejects(store.add(tip(3)), full);
        assert.deepEqual((await store.read())?.tips, [tip(2)]);
        assert.deepEqual(namesIn(disk.path), ["filler", fileName, `${fileName}.lock`]);
        await Deno.remove(filler);
        await store.add(tip(4));
        assert.deepEqual((await store.read())?.tips, [tip(4), tip(2)]);
      }
      await run("mount", ["-o", "remount,ro", disk.path]);
      await assert.rejects(TipStore.lock(disk.path, "rs0", "Job.5"), {
        code: "stateWrite",
        message: /^Cannot write \/\S+-tip\.json\.lock: Read-only file system/,
        hint: /must be able to write/,
      });
      assert.deepEqual((await readTips(disk.path, "rs0"))?.tips, [tip(4), tip(2)]);
    }),
});

Deno.test("TipStore.lock() says what is wrong with the folder", async () => {
  await assert.rejects(TipStore.lock("/nowhere/at/all", "rs0", "Job.1"), { code: "stateWrite" });
  await assert.rejects(TipStore.lock("/tmp", "../x", "Job.1"), { code: "internal" });
});

const unreadable: readonly { name: string; place: (path: string) => Promise<void>; want: RegExp }[] = [
  { name: "is empty", place: (path) => Deno.writeTextFile(path, ""), want: /JSON/ },
  { name: "is cut off", place: (path) => Deno.writeTextFile(path, '{"format":'), want: /JSON/ },
  { name: "has another format", place: (path) => Deno.writeTextFile(path, "{}"), want: /: format: / },
  { name: "is a folder", place: (path) => Deno.mkdir(path), want: /directory/ },
];

for (const { name, place, want } of unreadable) {
  Deno.test(`TipStore neither takes a file that ${name} for none, nor writes over it`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/${fileName}`;
      await place(path);
      const before = await Deno.stat(path);
      using store = await TipStore.lock(folder, "rs0", "Job.1");
      for (const act of [() => store.read(), () => store.add(tip(1)), () => readTips(folder, "rs0")]) {
        await assert.rejects(act, { code: "stateRead", message: want, hint: /move it away and run a Full/ });
      }
      const { ino, size } = await Deno.stat(path);
      assert.deepEqual([ino, size], [before.ino, before.size]);
    }));
}

Deno.test("readTips() needs no lock, and is null where there is nothing", () =>
  withFolder(async (folder) => {
    assert.equal(await readTips(folder, "rs0"), null);
    using store = await TipStore.lock(folder, "rs0", "Job.1");
    await store.add(tip(1));
    assert.deepEqual((await readTips(folder, "rs0"))?.tips, [tip(1)]);
    assert.equal(await readTips(folder, "rs1"), null);
  }));

Deno.test("listTipResources() finds the resources that have a tip file, and no other file", () =>
  withFolder(async (folder) => {
    assert.deepEqual(await listTipResources(folder), []);
    for (const resource of ["rs1", "a-tip.json", "rs0"]) {
      using store = await TipStore.lock(folder, resource, "Job.1");
      await store.add(tip(1));
    }
    (await TipStore.lock(folder, "locked-only", "Job.1"))[Symbol.dispose]();
    for (const name of ["rs2-stats.json", "rs3-tip.json.tmp", "-tip.json"]) {
      await Deno.writeTextFile(`${folder}/podheitor-mongodb-${name}`, "");
    }
    assert.deepEqual(await listTipResources(folder), ["a-tip.json", "rs0", "rs1"]);
  }));

Deno.test("listTipResources() says that the folder can't be read, and doesn't send it away", () =>
  assert.rejects(listTipResources("/nowhere/at/all"), {
    code: "stateRead",
    message: /^Cannot list the tip files of \/nowhere\/at\/all: /,
    hint: /^Name the File Daemon's working directory/,
  }));
