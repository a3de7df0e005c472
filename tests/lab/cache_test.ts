import assert from "node:assert/strict";
import { cached } from "./cache.ts";
import { ScratchFolder } from "./daemon.ts";

/** Runs a test with a cache of its own. */
async function withCache(test: (folder: string) => Promise<void>): Promise<void> {
  await using folder = await ScratchFolder.make("cache-test");
  const before = Deno.env.get("PODHEITOR_CACHE");
  Deno.env.set("PODHEITOR_CACHE", folder.path);
  try {
    await test(folder.path);
  } finally {
    if (before === undefined) Deno.env.delete("PODHEITOR_CACHE");
    else Deno.env.set("PODHEITOR_CACHE", before);
  }
}

Deno.test("cached makes an entry once, also when several ask at the same time", async () => {
  await withCache(async (folder) => {
    let made = 0;
    const make = async (entry: string) => {
      made++;
      await Deno.writeTextFile(`${entry}/file`, "content");
    };
    const paths = await Promise.all([1, 2, 3].map(() => cached("thing-1", "making a thing", make)));
    assert.deepEqual(paths, Array(3).fill(`${folder}/thing-1`));
    assert.equal(await Deno.readTextFile(`${folder}/thing-1/file`), "content");
    assert.equal(made, 1);
  });
});

Deno.test("cached keeps other processes waiting while one makes the entry", async () => {
  await withCache(async (folder) => {
    const script = `import { cached } from ${JSON.stringify(import.meta.resolve("./cache.ts"))};
      await cached("thing-1", "making a thing", async (entry) => {
        await Deno.writeTextFile(${JSON.stringify(`${folder}/makers`)}, "made\\n", { append: true });
        await new Promise((resolve) => setTimeout(resolve, 300));
        await Deno.writeTextFile(entry + "/file", "content");
      });
      await Deno.readTextFile(${JSON.stringify(`${folder}/thing-1/file`)});`;
    const args = ["eval", script];
    const runs = await Promise.all([1, 2].map(() => new Deno.Command(Deno.execPath(), { args }).output()));
    assert.deepEqual(runs.map(({ code }) => code), [0, 0], new TextDecoder().decode(runs[0]?.stderr));
    assert.equal(await Deno.readTextFile(`${folder}/makers`), "made\n");
  });
});

Deno.test("cached has no entry after a failure, and makes it anew at the next call", async () => {
  await withCache(async (folder) => {
    const fail = async (entry: string) => {
      await Deno.writeTextFile(`${entry}/half`, "");
      throw new Error("no network");
    };
    await assert.rejects(cached("thing-1", "making a thing", fail), /no network/);
    await assert.rejects(Deno.stat(`${folder}/thing-1`), Deno.errors.NotFound);
    const path = await cached(
      "thing-1",
      "making a thing",
      (entry) => Deno.writeTextFile(`${entry}/whole`, ""),
    );
    assert.deepEqual([...Deno.readDirSync(path)].map(({ name }) => name), ["whole"]);
  });
});
