import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { listTipResources, readTips, TipStore } from "./tip_store.ts";
import type { Tip } from "./tip.ts";

function tip(jobName: string): Tip {
  return {
    jobName,
    jobId: 1,
    level: "F",
    parentName: null,
    endedAt: "2026-01-02T03:04:05.678Z",
    setName: "rs0",
    setId: null,
    member: "db1:27017",
    scope: { databases: ["*"] },
    position: { t: 1, i: 1, term: 1 },
    manifestDigest: "ab".repeat(32),
  };
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A process that runs `body` with the store of `folder` in hand, and says what it is told to. */
function spawn(folder: string, body: string): Deno.ChildProcess {
  const url = new URL("./tip_store.ts", import.meta.url);
  const code = `import { TipStore } from ${JSON.stringify(url)};
    const tip = ${JSON.stringify(tip("x"))};
    const store = await TipStore.lock(${JSON.stringify(folder)}, "rs0", "held.job");
    const say = (text) => Deno.stdout.write(new TextEncoder().encode(text + "\\n"));
    ${body}`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--config",
      config,
      `data:application/javascript,${encodeURIComponent(code)}`,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

Deno.test("TipStore.add() leaves what readTips() and the next store read", async () => {
  await withFolder(async (folder) => {
    {
      using store = await TipStore.lock(folder, "rs0", "one");
      strictEqual(await store.read(), null);
      await store.add(tip("one"));
      await store.add(tip("two"));
    }
    const file = await readTips(folder, "rs0");
    deepStrictEqual(file?.tips.map(({ jobName }) => jobName), ["two", "one"]);
    strictEqual(file?.resource, "rs0");
    strictEqual((await Deno.stat(`${folder}/podheitor-mongodb-rs0-tip.json`)).mode! & 0o777, 0o640);
    deepStrictEqual(await listTipResources(folder), ["rs0"]);
    using again = await TipStore.lock(folder, "rs0", "three");
    strictEqual((await again.read())?.tips.length, 2);
  });
});

Deno.test("TipStore.lock() refuses a second job by the first one's name, and takes over from a dead one", async () => {
  await withFolder(async (folder) => {
    const holder = spawn(
      folder,
      `await say("locked"); await new Promise((resolve) => setTimeout(resolve, 60_000));`,
    );
    const output = holder.stdout.getReader();
    await output.read();
    await rejects(TipStore.lock(folder, "rs0", "second"), {
      code: "stateBusy",
      message: /resource "rs0": job held\.job, process \d+ is at work on it/,
    });
    (await TipStore.lock(folder, "other", "second"))[Symbol.dispose]();
    holder.kill("SIGKILL");
    await holder.status;
    await output.cancel();
    (await TipStore.lock(folder, "rs0", "second"))[Symbol.dispose]();
  });
});

Deno.test("TipStore.add() leaves a whole file with all that it acknowledged, whenever its process is killed", async () => {
  await withFolder(async (folder) => {
    for (let round = 0; round < 4; round++) {
      const writer = spawn(
        folder,
        `for (let at = 0; ; at++) { await store.add({ ...tip, jobName: "${round}-" + at }); await say(String(at)); }`,
      );
      let said = "";
      const reader = writer.stdout.pipeThrough(new TextDecoderStream()).getReader();
      while (said.split("\n").length < 5 + round * 7) said += (await reader.read()).value ?? "";
      writer.kill("SIGKILL");
      for (let next = await reader.read(); !next.done; next = await reader.read()) said += next.value;
      await writer.status;
      const acknowledged = said.split("\n").slice(0, -1).at(-1);
      const names = (await readTips(folder, "rs0"))!.tips.map(({ jobName }) => jobName);
      ok(names.includes(`${round}-${acknowledged}`), `${acknowledged} of ${names.slice(0, 3)}`);
    }
  });
});

Deno.test("TipStore.read() takes no damaged file for none", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/podheitor-mongodb-rs0-tip.json`,
      '{"format":"podheitor-mongodb-tip/1"',
    );
    using store = await TipStore.lock(folder, "rs0", "one");
    await rejects(store.read(), { code: "stateRead", hint: /run a Full/ });
    await rejects(store.add(tip("one")), { code: "stateRead" });
    await rejects(readTips(folder, "rs0"), { code: "stateRead" });
  });
});

Deno.test("TipStore says what is wrong with its folder", async () => {
  await rejects(TipStore.lock("/nowhere", "rs0", "one"), { code: "stateWrite", message: /\/nowhere/ });
  await rejects(listTipResources("/nowhere"), { code: "stateRead" });
  strictEqual(await readTips("/nowhere", "rs0"), null);
});
