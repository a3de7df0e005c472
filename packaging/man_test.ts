/** The manual pages, as the formatters of Debian take them. */

import { deepStrictEqual, match } from "node:assert/strict";
import { errorTable } from "../backend/errors.ts";
import { optionRows } from "../backend/options/table.ts";
import { ensureTools } from "../tests/lab/tools.ts";

const folder = new URL("man/", import.meta.url).pathname;

async function format(program: string, args: readonly string[]): Promise<{ text: string; warnings: string }> {
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { MANWIDTH: "100", LC_ALL: "C.UTF-8" },
  }).output();
  const [text, warnings] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { text: text!, warnings: warnings! };
}

for (const { name } of [...Deno.readDirSync(folder)].sort((a, b) => (a.name < b.name ? -1 : 1))) {
  Deno.test(`${name} is a manual page without a warning`, async () => {
    await ensureTools(["groff", "man"]);
    const formatted = await format("groff", ["-ww", "-man", "-Kutf8", "-Tutf8", `${folder}${name}`]);
    deepStrictEqual(formatted.warnings, "");
    const { text, warnings } = await format("man", ["--warnings", "--local-file", `${folder}${name}`]);
    deepStrictEqual(warnings, "");
    match(text, /^NAME$/m);
    // What a formatter takes for its own is lost without a word.
    deepStrictEqual(text.match(/\\[f&(e]|`/g), null);
  });
}

Deno.test("the manual pages have every option and every error code", async () => {
  await ensureTools(["groff", "man"]);
  const { text: options } = await format("man", ["--local-file", `${folder}podheitor-mongodb.5`]);
  deepStrictEqual(optionRows.filter(([option]) => !options.includes(`\n       ${option}=`)), []);
  const { text: backend } = await format("man", ["--local-file", `${folder}podheitor-mongodb-backend.8`]);
  deepStrictEqual(Object.values(errorTable).filter(({ number }) => !backend.includes(`MONGO-${number}`)), []);
  match(backend, /^EXIT STATUS\n +0 +clean\.\n\n +1 +failed or with findings\.\n\n +2 +could not run\.$/m);
});
