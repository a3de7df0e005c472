import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { withFolder } from "../../tests/lab/folder.ts";
import { PluginError } from "../errors.ts";
import { takeParameters } from "../state/restore_parameter_file.ts";
import { prepareRestore } from "./prepare_restore.ts";

const now = new Date("2026-11-23T08:00:00Z");

Deno.test("prepareRestore() leaves what the next restore takes, and says so", () =>
  withFolder(async (folder) => {
    const pairs = [
      "pit=1795421234:7",
      "resource=rs0",
      "drop=yes",
      "ns_from=a.*,b.c",
      "ns_to=x.*,b.d",
      "where=/a=b",
      "write_concern=2",
    ];
    deepStrictEqual(await prepareRestore(pairs, folder, now), [
      `Prepared the next restore of resource "rs0": ${folder}/podheitor-mongodb-rs0-restore.json`,
      "Restore parameters: drop=yes (prepared file), pit=1795421234:7 (prepared file), ns_from=a.*,b.c (prepared file), " +
      "ns_to=x.*,b.d (prepared file), where=/a=b (prepared file), write_concern=2 (prepared file); the prompt comes before the prepared file, that before the Plugin line",
      "It is good until 2026-11-23T09:00:00.000Z, for one restore, whether that succeeds or fails. Only the file's owner can read it, who must be the user that jobs run as.",
    ]);
    const { values } = (await takeParameters(folder, "rs0", now))!;
    deepStrictEqual(Object.fromEntries(values), {
      pit: "1795421234:7",
      drop: true,
      ns_from: ["a.*", "b.c"],
      ns_to: ["x.*", "b.d"],
      where: "/a=b",
      write_concern: 2,
    });
  }));

Deno.test("prepareRestore() replaces what was prepared before", () =>
  withFolder(async (folder) => {
    await prepareRestore(["resource=rs0", "drop=yes"], folder, now);
    await prepareRestore(["resource=rs0", "dry_run=yes"], folder, now);
    deepStrictEqual([...(await takeParameters(folder, "rs0", now))!.values], [["dry_run", true]]);
  }));

Deno.test("prepareRestore() takes a password, warns of it, and doesn't show it", () =>
  withFolder(async (folder) => {
    const lines = await prepareRestore(["resource=rs0", "uri=mongodb://u:hunter2@h/?a=b"], folder, now);
    match(lines.at(-1)!, /^Warning: uri= holds a secret\./);
    ok(!lines.join("\n").includes("hunter2"));
    strictEqual((await takeParameters(folder, "rs0", now))!.values.get("uri"), "mongodb://u:hunter2@h/?a=b");
    const plain = await prepareRestore(["resource=rs0", "uri=mongodb://h"], folder, now);
    ok(!plain.some((line) => line.startsWith("Warning")));
  }));

const refused = [
  { name: "no resource", pairs: ["drop=yes"], want: /no resource=NAME is given/ },
  { name: "no parameter", pairs: ["resource=rs0"], want: /no parameter is given/ },
  { name: "nothing", pairs: [], want: /no resource=NAME is given/ },
  { name: "a word", pairs: ["resource=rs0", "drop"], want: /argument 2 is no key=value/ },
  { name: "a value without a name", pairs: ["=yes"], want: /argument 1 is no key=value/ },
  {
    name: "a resource that is none",
    pairs: ["resource=../x", "drop=yes"],
    want: /option "resource" is "\.\.\/x", wanted/,
  },
  { name: "an empty value", pairs: ["resource=rs0", "drop="], want: /option "drop" has no value/ },
  { name: "a wrong value", pairs: ["resource=rs0", "pit=soon"], want: /option "pit" is no point in time/ },
  {
    name: "a parameter twice",
    pairs: ["resource=rs0", "drop=no", "drop=yes"],
    want: /"drop" is given twice/,
  },
  { name: "the resource twice", pairs: ["resource=rs0", "resource=rs1"], want: /"resource" is given twice/ },
  {
    name: "a mistyped parameter",
    pairs: ["resource=rs0", "exlude=a.*"],
    want: /argument 2 names no parameter of a restore: did you mean "exclude"\?/,
  },
  {
    name: "an option of backups",
    pairs: ["resource=rs0", "parallel_dbs=4"],
    want: /argument 2 names no parameter of a restore$/,
  },
  { name: "a name of every object", pairs: ["constructor=x"], want: /argument 1 names no parameter/ },
];

for (const { name, pairs, want } of refused) {
  Deno.test(`prepareRestore() refuses ${name}, and writes nothing`, () =>
    withFolder(async (folder) => {
      await rejects(prepareRestore(pairs, folder, now), {
        code: "usage",
        message: want,
        hint:
          /Parameters: uri, drop, .*, where, index_build, parallel_indexes, write_concern, parallel_restore, users, mode, engine\.$/,
      });
      deepStrictEqual([...Deno.readDirSync(folder)], []);
    }));
}

Deno.test("prepareRestore() refuses renames that aren't pairs, and writes nothing", () =>
  withFolder(async (folder) => {
    for (const pairs of [["ns_from=a.*"], ["ns_to=a.*"], ["ns_from=a.*", "ns_to=b.c"]]) {
      await rejects(prepareRestore(["resource=rs0", ...pairs], folder, now), { code: "optionInvalid" });
    }
    deepStrictEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("prepareRestore() shows no piece of a connection string that the shell has torn apart", () =>
  withFolder(async (folder) => {
    const torn = [
      ["uri=mongodb://u:GHJK", "LQXZ@h"],
      ["uri=mongodb://u:GHJK", "LQXZ=GHJK@h"],
      ["mongodb://u:GHJKLQXZ@h"],
      ["mongodb://u:GHJKLQXZ@h/?a=b"],
      ["drop=mongodb://u:GHJKLQXZ@h"],
      ["uri=u:GHJKLQXZ@h"],
    ];
    for (const pairs of torn) {
      await rejects(prepareRestore(["resource=rs0", ...pairs], folder, now), (thrown) => {
        ok(thrown instanceof PluginError);
        ok(!/GHJK|LQXZ/.test(thrown.report), thrown.report);
        return true;
      });
    }
  }));

Deno.test("prepareRestore() says that the working directory isn't there", async () => {
  await rejects(prepareRestore(["resource=rs0", "drop=yes"], "/nowhere/at/all", now), { code: "stateWrite" });
});
