/** The launcher's lists: what the arguments and variables put there, and what they can't. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { ensureTools } from "../tests/lab/tools.ts";
import { compileLauncher } from "./launcher.ts";

let scratch = "";

Deno.test.beforeAll(async () => {
  await ensureTools(["gcc"]);
  scratch = await Deno.makeTempDir();
  const deno = `${scratch}/print`;
  // A job of root's may be another user's.
  await Deno.chmod(scratch, 0o755);
  await Deno.writeTextFile(deno, `#!/bin/sh\nprintf '%s\\0' "$@"\n`, { mode: 0o755 });
  await compileLauncher("backend", `${scratch}/launcher`, { deno, module: "/module.js" }, { watched: true });
});

Deno.test.afterAll(() => Deno.remove(scratch, { recursive: true }));

/** Programs that `--allow-run` names, by the command and its variables. */
const programCases: { args: string[]; env?: Record<string, string>; want: string[] }[] = [
  { args: ["backup"], want: [] },
  { args: ["backup"], env: { PODHEITOR_MONGODB_TOOLS: "" }, want: [] },
  { args: ["backup"], env: { PODHEITOR_MONGODB_TOOLS: "/" }, want: ["/mongodump"] },
  { args: ["backup"], env: { PODHEITOR_MONGODB_TOOLS: "/usr/bin" }, want: ["/usr/bin/mongodump"] },
  {
    args: ["backup"],
    env: { PODHEITOR_MONGODB_TOOLS: "/opt/tools-100.12_x/" },
    want: ["/opt/tools-100.12_x/mongodump"],
  },
  ...["usr/bin", "/usr/bin,/bin/sh", "/usr/bin /bin", "/usr/$(id)", "/usr/`id`'\"", "/usr/bin\n"].map((
    folder,
  ) => ({
    args: ["backup"],
    env: { PODHEITOR_MONGODB_TOOLS: folder },
    want: [],
  })),
  { args: ["rehearse"], env: { MONGOD_BIN: "/bin/true" }, want: ["/bin/true"] },
  {
    args: ["rehearse"],
    env: { MONGOD_BIN: "/bin/true", PODHEITOR_MONGODB_MONGOD: "/bin/false" },
    want: ["/bin/false"],
  },
  { args: ["rehearse"], env: { MONGOD_BIN: "/nowhere/mongod" }, want: [] },
  { args: ["rehearse"], env: { PODHEITOR_MONGODB_MONGOD: "/bin/true,/bin/sh" }, want: [] },
  { args: ["rehearse"], env: { PODHEITOR_MONGODB_MONGOD: "cd" }, want: [] },
  { args: ["backup"], env: { PODHEITOR_MONGODB_MONGOD: "/bin/true" }, want: [] },
  {
    args: ["job", "--kind", "R", "--working-dir", "/w"],
    env: { PODHEITOR_MONGODB_MONGOD: "/bin/true", PODHEITOR_MONGODB_TOOLS: "/bin" },
    want: ["/bin/true", "/bin/mongorestore"],
  },
  { args: ["job", "--kind", "R", "--working-dir", "/w"], env: { MONGOD_BIN: "/bin/true" }, want: [] },
  {
    args: ["job", "--kind", "B", "--working-dir", "/w"],
    env: { PODHEITOR_MONGODB_MONGOD: "/bin/true", PODHEITOR_MONGODB_TOOLS: "/bin" },
    want: ["/bin/mongodump"],
  },
];

for (const { args, env = {}, want } of programCases) {
  const setting = Object.entries(env).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const name = [...setting, ...args].join(" ");
  Deno.test(`the launcher lets ${name} run ${want.join(" and ") || "nothing"}`, async () => {
    deepStrictEqual((await flagsOf(args, env)).get("--allow-run") ?? [], want);
  });
}

/** Commands with a path each, and the list in which it is. */
const pathCases: {
  list: string;
  args: (path: string) => string[];
  env?: (path: string) => Record<string, string>;
}[] = [
  { list: "--allow-write", args: (path) => ["job", "--kind", "B", "--working-dir", path] },
  { list: "--allow-write", args: (path) => ["job", "--kind", "R", "--working-dir", path] },
  { list: "--allow-write", args: (path) => ["backup", `--to=${path}`, "podheitor-mongodb:"] },
  { list: "--allow-write", args: (path) => ["backup", "podheitor-mongodb:", "--working-dir", path] },
  { list: "--allow-write", args: (path) => ["restore", "podheitor-mongodb:", "--where", path] },
  { list: "--allow-read", args: (path) => ["rehearse", "--from", path] },
  { list: "--allow-read", args: (path) => ["verify", path] },
  { list: "--allow-read", args: (path) => ["verify", "/some", `--key=${path}`] },
  {
    list: "--allow-read",
    args: () => ["verify", "/some"],
    env: (path) => ({ PODHEITOR_MONGODB_TRUSTED_KEYS: `/some/key:${path}` }),
  },
  { list: "--allow-read", args: (path) => ["chain", `--working-dir=${path}`] },
  { list: "--allow-write", args: (path) => ["prepare-restore", "--working-dir", path] },
];
const oddPaths = [
  ...["/a,/b", ",", "/a,", "/a\n", "/a\n/b", "/a\tb", "/a\x7f", '/a"b"', "/a'b'", "-a", "--allow-all", "-A"],
];

for (const { list, args, env = () => ({}) } of pathCases) {
  const name = `the launcher puts the path of ${args("PATH").join(" ")}${
    Object.entries(env("PATH")).map(([name, value]) => ` with ${name}=${value}`).join("")
  }`;
  Deno.test(`${name} into ${list} as it is, or refuses it in a sentence`, async () => {
    const plain = "/with a space/é/$(id)/*";
    strictEqual((await flagsOf(args(plain), env(plain))).get(list)!.includes(plain), true);
    for (const path of oddPaths) {
      // What looks like an option is none of the operands.
      if (path.startsWith("-") && args(path).includes(path) && args(path)[0] === "verify") continue;
      const { code, stdout, stderr } = await launch(args(path), env(path));
      deepStrictEqual({ path, code, stdout }, { path, code: 2, stdout: "" });
      match(
        stderr,
        /^MONGO-110 Cannot run: the path of .* a comma, a quote or a control character\nHint: .*plain name\.\n$/,
      );
    }
  });
}

Deno.test("the launcher makes no list longer, whatever the path", async () => {
  const path = fc.string({ unit: fc.constantFrom(...",'\"-/ab \n\\$`:*?é"), minLength: 0, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(path, async (path) => {
      const { code, stdout } = await launch(["prepare-restore", "--working-dir", path], {});
      if (code === 2) return;
      const given = stdout.split("\0").filter((flag) => /^--allow-/.test(flag));
      deepStrictEqual(given, [`--allow-write=${path}`, `--allow-read=${path}`]);
      strictEqual(/[,"'\n]/.test(path), false);
    }),
    { numRuns: 60 },
  );
});

Deno.test("the launcher keeps a signing key that is no file out of the arguments", async () => {
  const seed = "/" + "A".repeat(42) + "=";
  const { stdout } = await launch(["verify", "/some"], { PODHEITOR_MONGODB_SIGNING_KEY: seed });
  strictEqual(stdout.includes("AAAA"), false);
});

/** What the launcher gives Deno: lists by their flag, an empty one for a flag without. */
async function flagsOf(args: readonly string[], env: Record<string, string>): Promise<Map<string, string[]>> {
  const { code, stdout, stderr } = await launch(args, env);
  strictEqual(code, 0, stderr);
  return new Map(
    stdout.split("\0").filter((flag) => flag.startsWith("--allow-")).map((flag) => {
      const [name = "", list] = flag.split(/=(.*)/s);
      return [name, list === undefined ? [] : list.split(",")];
    }),
  );
}

/** Runs the launcher, which watches its own use of memory, with a program in Deno's place that prints its arguments, each with a NUL behind it. */
async function launch(args: readonly string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(`${scratch}/launcher`, {
    args: [...args],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", ...env },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
