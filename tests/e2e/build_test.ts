/** What is built does what its sources say. */

import assert from "node:assert/strict";
import { build } from "../../packaging/build.ts";

const declaration = /^\s*(?:await )?using [\w$]+ =/gm;

const bundles = [
  { program: "backend", folders: ["backend", "wasm"], atLeast: 20 },
  { program: "exporter", folders: ["exporter"], atLeast: 1 },
] as const;

Deno.test("the bundles close all that their sources close", async () => {
  const built = await build();
  const root = new URL("../..", import.meta.url).pathname;
  for (const { program, folders, atLeast } of bundles) {
    let wanted = 0;
    for (const folder of folders) wanted += await countIn(`${root}${folder}`);
    const found = (await Deno.readTextFile(`${built[program]}.js`)).match(declaration) ?? [];
    // A minifier that puts a value where its name is used once forgets that the name stood for its end.
    assert.ok(wanted >= atLeast);
    assert.equal(found.length, wanted);
  }
});

/** Declarations in the product's own sources below a folder. */
async function countIn(folder: string): Promise<number> {
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) count += name === "pkg" ? 0 : await countIn(path);
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts") && !path.endsWith("wasm/build.ts")) {
      count += ((await Deno.readTextFile(path)).match(declaration) ?? []).length;
    }
  }
  return count;
}
