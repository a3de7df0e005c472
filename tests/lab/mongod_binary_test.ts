import assert from "node:assert/strict";
import { findMongod } from "./mongod_binary.ts";

const names = ["PODHEITOR_MONGOD_VERSION", "MONGOD_BIN"] as const;

/** Runs a test with other values of the variables that choose a mongod. */
async function withEnv(values: Record<string, string>, test: () => Promise<void>): Promise<void> {
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  for (const name of names) Deno.env.set(name, values[name] ?? "");
  try {
    await test();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("findMongod takes the program of MONGOD_BIN, but not against a wanted series", async () => {
  const folder = await Deno.makeTempDir({ prefix: "podheitor-mongod-binary-" });
  const fake = `${folder}/mongod`;
  try {
    await Deno.writeTextFile(fake, "#!/bin/sh\necho db version v8.0.99\n", { mode: 0o755 });
    await withEnv({ MONGOD_BIN: fake }, async () => {
      assert.deepEqual(await findMongod(), { path: fake, version: "8.0.99", env: {} });
      assert.match((await findMongod("6.0")).version, /^6\.0\./);
    });
    await withEnv({ MONGOD_BIN: fake, PODHEITOR_MONGOD_VERSION: "6.0" }, async () => {
      assert.match((await findMongod()).version, /^6\.0\./);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("findMongod names the series that it knows when another one is asked for", async () => {
  await withEnv({ PODHEITOR_MONGOD_VERSION: "3.6" }, async () => {
    await assert.rejects(findMongod(), /is 3\.6: the tests can fetch 6\.0, 5\.0, 4\.4/);
  });
});
