import { deepStrictEqual, rejects } from "node:assert/strict";
import { serialize } from "bson";
import { MemoryTarget } from "../../tests/contract/memory_target.ts";
import type { Target } from "../ports.ts";
import { Rehearsals } from "./rehearsals.ts";
import { restoreFromFolder } from "./standalone.ts";
import { TerminalListener } from "./terminal.ts";

const scratch = Deno.makeTempDirSync();
addEventListener("unload", () => Deno.removeSync(scratch, { recursive: true }));
const [dump, work, elsewhere] = ["dump", "work", "elsewhere"].map((name) => `${scratch}/${name}`) as [
  string,
  string,
  string,
];
for (const path of [`${dump}/app`, work, elsewhere]) Deno.mkdirSync(path, { recursive: true });
Deno.writeFileSync(`${dump}/app/a.bson`, serialize({ _id: 1 }));
Deno.writeTextFileSync(`${dump}/app/a.metadata.json`, '{"indexes":[]}');

/** In the place of a server. */
class Stand extends Rehearsals {
  override async open(): Promise<Target> {
    await rejects(Deno.writeTextFile(`${elsewhere}/file`, ""), Deno.errors.NotCapable);
    await Deno.writeTextFile(`${work}/file`, "");
    return new MemoryTarget();
  }
}

Deno.test({
  name: "restoreFromFolder() has given up writing elsewhere before it opens a server",
  // As the launcher gives them where it can't know whether a restore goes to a directory.
  permissions: { read: true, write: ["/", work], env: true, sys: true },
  fn: async () => {
    await Deno.writeTextFile(`${elsewhere}/before`, "");
    await restoreFromFolder({
      pluginCommand: "podheitor-mongodb: uri=mongodb://nowhere resource=r0 allow_unsigned=yes users=no",
      workingDirectory: work,
      from: dump,
      where: "/",
      jobName: undefined,
      only: [],
      listener: new TerminalListener(true),
      signal: new AbortController().signal,
      rehearsals: new Stand(work, new AbortController().signal),
    });
    deepStrictEqual([...Deno.readDirSync(elsewhere)].map(({ name }) => name), ["before"]);
    deepStrictEqual([...Deno.readDirSync(work)].length > 1, true);
  },
});
