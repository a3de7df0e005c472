/** The command `doctor` as an operator types it: its status, its form for programs, and when it has colours. */

import assert from "node:assert/strict";
import type { DoctorReport } from "../../backend/commands/doctor/report.ts";
import { run } from "../lab/command.ts";
import { withFolder } from "../lab/folder.ts";
import { Machine, product } from "./doctor_machine.ts";

const unreachable = "podheitor-mongodb: uri=mongodb://127.0.0.1:1/";

async function type(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command((await product()).backend, {
    args: ["doctor", ...args],
    env: { PODHEITOR_MONGODB_USER: "root", ...env },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

for (
  const { args, want } of [
    { args: [], want: /MONGO-110 Cannot run: wanted a plugin command/ },
    { args: ["--interval", "daily", unreachable], want: /MONGO-110 .*--interval is "daily", wanted 90s/ },
    { args: ["--fix", unreachable], want: /MONGO-110 .*--fix/ },
    { args: [unreachable, unreachable], want: /MONGO-110 .*got 2/ },
  ]
) {
  Deno.test(`doctor ${args.join(" ") || "without a command"} ends with 2, and says how it is meant`, async () => {
    const { code, stdout, stderr } = await type(args);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, want);
  });
}

Deno.test("doctor ends with 1 where it finds an error, in words and for programs, and leaves nothing", async () => {
  await using machine = await Machine.make();
  const args = ["--working-dir", `${machine.folder}/work`, "--config", `${machine.folder}/bacula-fd.conf`];
  const words = await type([...args, unreachable], machine.env);
  assert.equal(words.code, 1, words.stdout);
  assert.match(words.stdout, /^ {2}ERROR {4}MONGO-301 Cannot reach 127\.0\.0\.1:1: [^\n]*\n +-> Check that/m);
  assert.match(words.stdout, /\n\n1 error, \d warnings?\n$/);
  assert.equal(words.stdout.includes("\x1b"), false);
  const { code, stdout } = await type([...args, "--json", unreachable], machine.env);
  const { format, errors, checks } = JSON.parse(stdout);
  assert.deepEqual([code, format, errors], [1, "podheitor-mongodb-doctor/1", 1]);
  assert.deepEqual(Object.keys(checks[0]), ["group", "check", "status", "text", "remedy", "code"]);
  assert.deepEqual([...Deno.readDirSync(`${machine.folder}/work`)], []);
});

Deno.test("doctor names a program that others than its owner may change", async () => {
  const source = `${(await product()).backend}.js`;
  await withFolder(async (folder) => {
    const module = `${folder}/podheitor-mongodb-backend.js`;
    await Deno.copyFile(source, module);
    const ask = async (mode: number) => {
      await Deno.chmod(module, mode);
      const args = ["run", "-A", module, "doctor", "--json", "--working-dir", folder, unreachable];
      const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
      const { checks }: DoctorReport = JSON.parse(new TextDecoder().decode(stdout));
      return checks.filter(({ check, status }) => check === "runtime" && status !== "ok").map(({ text }) =>
        text
      );
    };
    assert.deepEqual(await ask(0o644), []);
    assert.deepEqual(await ask(0o666), [
      `${module} has mode 0666, others than its owner can change it: each job runs it`,
    ]);
  });
});

Deno.test("doctor has colours on a terminal, unless NO_COLOR is set", async () => {
  const { backend } = await product();
  await withFolder(async (folder) => {
    const onTerminal = async (env: Record<string, string>) =>
      await run("script", [
        ...["--quiet", "--command", `'${backend}' doctor --working-dir '${folder}' '${unreachable}'; true`],
        "/dev/null",
      ], { env: { PODHEITOR_MONGODB_USER: "root", TERM: "xterm", ...env } });
    assert.ok((await onTerminal({ NO_COLOR: "" })).includes("\x1b[31mERROR"));
    assert.ok(!(await onTerminal({ NO_COLOR: "1" })).includes("\x1b[3"));
  });
});
