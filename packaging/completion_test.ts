/** What bash completes, asked as bash does. */

import { deepStrictEqual } from "node:assert/strict";
import { run } from "../tests/lab/command.ts";
import { withFolder } from "../tests/lab/folder.ts";
import { permissionTable } from "./permissions.ts";

const script = new URL("completion/podheitor-mongodb-backend.bash", import.meta.url).pathname;

/** The answers for what is typed; the last word is being completed. */
async function complete(words: readonly string[], cwd = "/"): Promise<string[]> {
  const program = `set -eu
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_podheitor_mongodb_backend
[ "\${#COMPREPLY[@]}" = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = await run("bash", ["-c", program, "bash", script, "podheitor-mongodb-backend", ...words], {
    cwd,
  });
  return said.split("\n").filter((line) => line !== "").sort();
}

for (
  const { words, want } of [
    { words: ["re"], want: ["rehearse", "restore"] },
    { words: ["--v"], want: ["--version"] },
    { words: ["backup", "--level", ""], want: ["D", "F", "I"] },
    { words: ["doctor", "--re"], want: ["--restore"] },
    { words: ["doctor", "--interval", ""], want: [] },
    { words: ["prepare-restore", "ns_"], want: ["ns_from=", "ns_to="] },
    { words: ["prepare-restore", "segment"], want: [] },
    { words: ["verify", "--working-dir", "o"], want: ["one"] },
    { words: ["verify", "o"], want: ["one"] },
    { words: ["keygen", "t"], want: ["two"] },
    { words: ["verify", "--key", "t"], want: ["two"] },
    { words: ["something", ""], want: [] },
  ]
) {
  Deno.test(`bash completes ${JSON.stringify(words)} to ${JSON.stringify(want)}`, async () => {
    await withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/one`);
      await Deno.writeTextFile(`${folder}/two`, "");
      deepStrictEqual(await complete(words, folder), want);
    });
  });
}

Deno.test("bash completes every command that an operator types", async () => {
  const commands = Object.keys(permissionTable).filter((name) => !name.startsWith("job "));
  deepStrictEqual(await complete([""]), commands.sort());
});
