/** The class for Bacularis, in PHP and against the options' own parser; Bacularis itself is stood in for by its interface. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePluginCommand } from "../backend/options/command.ts";
import { type OptionName, optionRows, optionTable } from "../backend/options/table.ts";
import { program } from "../backend/version.ts";
import { run } from "../tests/lab/command.ts";
import { askBacularis, bacularisClass } from "../tests/lab/bacularis.ts";
import { ensureTools } from "../tests/lab/tools.ts";

type Parameters = Readonly<Record<string, string | number | boolean>>;

const examples = new Map(optionRows.map(([name, { example }]) => [name, example.slice(name.length + 1)]));

Deno.test("the class for Bacularis is PHP without a fault, and is what Bacularis asks for", async () => {
  await ensureTools(["php"]);
  await run("php", ["-l", bacularisClass]);
  const { about, restore, parameters, done, said } = await askBacularis([]);
  assert.deepEqual(about, ["MongoDB backup (PodHeitor)", program.version, "backup"]);
  const categories = new Set(parameters.flatMap(({ category }) => category));
  assert.deepEqual(restore.filter((category) => !categories.has(category)), []);
  for (const { name, type, data = [], default: value } of parameters) {
    assert.ok(Object.hasOwn(optionTable, name), name);
    assert.ok(["string", "integer", "boolean", "array"].includes(type), name);
    if (type === "array") assert.ok(data.includes(String(value)), `${name}: ${value} of ${data}`);
  }
  // What isn't done is said.
  assert.deepEqual([done, said.length], [[false, false], 2]);
});

Deno.test("the command that Bacularis writes is what the options' parser reads", async () => {
  await ensureTools(["php"]);
  const { parameters } = await askBacularis([]);
  const own = {
    "plugin-name": "PodHeitorMongoDBBackup",
    "plugin-config": "rs0",
    "job-id": "%i",
    "job-level": "%l",
  };
  const typed = (name: string, type: string) => type === "boolean" ? true : examples.get(name as OptionName)!;
  const chosen = fc.subarray(parameters.filter(({ name }) => name !== "uri"))
    .map((some): Parameters => Object.fromEntries(some.map(({ name, type }) => [name, typed(name, type)])));
  const sets = fc.sample(chosen, 200);
  const { answers } = await askBacularis(sets.map((set) => ({ ...own, ...set })));
  for (const [at, set] of sets.entries()) {
    const { commands, line } = answers[at]!;
    assert.equal(line, `/bin/echo "${commands![0]}"`);
    const direct = Object.entries(set).map(([name, value]) => `${name}=${value === true ? "yes" : value}`)
      .join(" ");
    assert.deepEqual(parsePluginCommand(commands![0]!), parsePluginCommand(`podheitor-mongodb: ${direct}`));
  }
});

Deno.test("what nobody changed is left out, and spaces are kept", async () => {
  await ensureTools(["php"]);
  const { parameters } = await askBacularis([]);
  const unchanged = Object.fromEntries(parameters.map(({ name, default: value }) => [name, value]));
  const { answers } = await askBacularis([
    unchanged,
    { ...unchanged, verify_digests: "", database: "app,shop", sign: "no" },
    { exclude: "app.a b,app.it's", verify_digests: "1" },
  ]);
  assert.deepEqual(answers.map(({ commands }) => commands?.[0]), [
    "podheitor-mongodb:",
    "podheitor-mongodb: database=app,shop sign=no",
    undefined,
  ]);
  const [spaces, quote] = (await askBacularis([{ exclude: "app.a b" }, { exclude: "app.it's" }])).answers;
  assert.deepEqual(parsePluginCommand(spaces!.commands![0]!).exclude, ["app.a b"]);
  assert.deepEqual(parsePluginCommand(quote!.commands![0]!).exclude, ["app.it's"]);
});

Deno.test("any value is passed on as it is, or refused with its option's name", async () => {
  await ensureTools(["php"]);
  const unit = fc.constantFrom(..."ab.*,'\"\\ $`|;\n\té");
  const values = fc.sample(
    fc.string({ unit, minLength: 1, maxLength: 8 }).map((text) => `app.x${text}x`),
    300,
  );
  const { answers } = await askBacularis(values.map((exclude) => ({ exclude })));
  for (const [at, value] of values.entries()) {
    const { commands, refused } = answers[at]!;
    if (refused !== undefined) {
      assert.match(refused, /^The value of exclude has a quote, a backslash or a control character/);
      assert.match(value, /["'\\\n\t]/);
      continue;
    }
    const [, shown = ""] = /^podheitor-mongodb: exclude=(.*)$/.exec(commands![0]!) ?? [];
    assert.equal(/^'.*'$/.test(shown) ? shown.slice(1, -1) : shown, value);
    assert.equal(/["\\]/.test(shown), false);
  }
});
