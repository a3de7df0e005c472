/** Whom the launcher lets the backend be, told by a program in Deno's place that prints its own status. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { run } from "../tests/lab/command.ts";
import { withFolder } from "../tests/lab/folder.ts";
import { ensureTools } from "../tests/lab/tools.ts";
import { compileLauncher } from "./launcher.ts";

const user = "nobody";
const isRoot = Deno.uid() === 0;

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly want: "root" | "the user";
  readonly warning?: RegExp;
}

const backup = ["job", "--kind", "B", "--working-dir", "$"];
const named = { PODHEITOR_MONGODB_USER: user };

/** `$` stands for the working directory, which is the user's. */
const cases: readonly Case[] = [
  { name: "a job is the user's", args: backup, env: named, want: "the user" },
  {
    name: "a query is the user's",
    args: ["job", "--kind", "Q", "--working-dir", "$"],
    env: named,
    want: "the user",
  },
  {
    name: "the doctor is the user's, whose jobs it examines",
    args: ["doctor", "--working-dir", "$", "podheitor-mongodb:"],
    env: named,
    want: "the user",
  },
  {
    name: "prepare-restore is the working directory's owner's, whose jobs read what it leaves",
    args: ["prepare-restore", "resource=rs0", "drop=yes", "--working-dir", "$"],
    env: {},
    want: "the user",
  },
  {
    name: "root is kept where the variable says so",
    args: backup,
    env: { PODHEITOR_MONGODB_USER: "root" },
    want: "root",
  },
  {
    name: "a command that an operator runs is the operator's",
    args: ["verify", "$"],
    env: named,
    want: "root",
  },
  {
    name: "root is kept with a warning where there is no user bacula",
    args: backup,
    env: {},
    want: "root",
    warning:
      /^This runs as root: there is no user bacula\. Make the user, or say PODHEITOR_MONGODB_USER=root .*\n$/,
  },
];

for (const { name, args, env, want, warning = /^$/ } of cases) {
  Deno.test({
    name: `the launcher: ${name} (needs root)`,
    ignore: !isRoot,
    fn: async () => {
      await inFolder(async (folder) => {
        const { code, stdout, stderr } = await launch(folder, args, env);
        strictEqual(code, 0, stderr);
        match(stderr, warning);
        const uid = want === "root" ? 0 : Number(await run("id", ["-u", user]));
        const facts = new Map(stdout.split("\n").map((line) => line.split(/:\s*/) as [string, string]));
        strictEqual(facts.get("Uid"), Array(4).fill(uid).join("\t"));
        if (want === "root") return;
        strictEqual(facts.get("NoNewPrivs"), "1");
        strictEqual(facts.get("Groups")?.includes("0"), false);
        const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
        deepStrictEqual(sets.filter((set) => !/^0+$/.test(facts.get(set)!)), []);
      });
    },
  });
}

Deno.test({
  name: "the launcher refuses a user that isn't there (needs root)",
  ignore: !isRoot,
  fn: async () => {
    await inFolder(async (folder) => {
      const { code, stdout, stderr } = await launch(folder, backup, {
        PODHEITOR_MONGODB_USER: "no-such-user",
      });
      deepStrictEqual([code, stdout], [2, ""]);
      match(
        stderr,
        /^MONGO-110 Cannot run: there is no user no-such-user; PODHEITOR_MONGODB_USER names no-such-user\n/,
      );
    });
  },
});

Deno.test({
  name: "the launcher refuses what root left in the working directory, or a directory of root's (needs root)",
  ignore: !isRoot,
  fn: async () => {
    await inFolder(async (folder) => {
      const left = `${folder}/podheitor-mongodb-rs0-tip.json`;
      await Deno.writeTextFile(left, "", { mode: 0o640 });
      const wanted = /^MONGO-110 Cannot run: the user nobody can't write to .*\nHint: Run: chown -h nobody: /;
      const refused = await launch(folder, backup, named);
      strictEqual(refused.code, 2);
      match(refused.stderr, wanted);
      await run("chown", [user, left]);
      strictEqual((await launch(folder, backup, named)).code, 0);
      await run("chown", ["root", folder]);
      const again = await launch(folder, backup, named);
      strictEqual(again.code, 2);
      match(again.stderr, wanted);
      // Who asks what is wrong is told by the doctor.
      strictEqual(
        (await launch(folder, ["doctor", "--working-dir", "$", "podheitor-mongodb:"], named)).code,
        0,
      );
    });
  },
});

Deno.test({
  name: "the launcher passes systemd's credentials on to a user who can't read root's files (needs root)",
  ignore: !isRoot,
  fn: async () => {
    await inFolder(async (folder) => {
      const credentials = `${folder}/credentials`;
      await Deno.mkdir(credentials, { mode: 0o500 });
      await Deno.writeTextFile(`${credentials}/podheitor-mongodb-uri`, "mongodb://given/\n", { mode: 0o400 });
      await Deno.writeTextFile(`${credentials}/podheitor-mongodb-password`, "one\n", { mode: 0o400 });
      const env = { ...named, CREDENTIALS_DIRECTORY: credentials, PODHEITOR_MONGODB_PASSWORD: "another" };
      const { stdout } = await launch(folder, backup, env);
      match(stdout, /^PODHEITOR_MONGODB_URI=mongodb:\/\/given\/$/m);
      match(stdout, /^PODHEITOR_MONGODB_PASSWORD=another$/m);
      strictEqual(stdout.includes("CREDENTIALS_DIRECTORY"), false);
    });
  },
});

Deno.test("the launcher passes on what the command needs of its environment, and forbids core files", async () => {
  await withFolder(async (folder) => {
    const hostile = [
      "DENO_AUDIT_PERMISSIONS",
      "DENO_PERMISSION_BROKER_PATH",
      "DENO_V8_FLAGS",
      "NODE_OPTIONS",
      "LD_PRELOAD",
    ];
    const given = { LANG: "C.UTF-8", TZ: "UTC", PODHEITOR_MONGODB_TRUSTED_KEYS: "/some/key" };
    const { code, stdout, stderr } = await launch(folder, ["verify", "$"], {
      ...given,
      ...Object.fromEntries(hostile.map((name) => [name, "/nowhere"])),
      PODHEITOR_MONGODB_PASSWORD: "not for this command",
      DENO_DIR: "/tmp",
      HOME: "/root",
    });
    strictEqual(code, 0, stderr);
    // The shell that prints them adds some of its own.
    const variables = new Map(
      stdout.match(/^(?!PWD|OLDPWD|SHLVL|_=)[A-Z_]+=.*$/gm)!.map((line) =>
        line.split("=") as [string, string]
      ),
    );
    deepStrictEqual(Object.fromEntries(variables), {
      ...given,
      PATH: "/usr/bin:/bin",
      DENO_DIR: "/dev/null/podheitor",
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
    });
    match(stdout, /^Max core file size +0 +0 /m);
  });
});

/** A working directory of the user's, which others can reach. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await run("chown", [user, folder]);
    await use(folder);
  });
}

/** Runs the launcher with a program in Deno's place that prints its status and its variables, on a machine without a user "bacula". */
async function launch(folder: string, args: readonly string[], env: Record<string, string>) {
  const result = { code: 0, stdout: "", stderr: "" };
  await withFolder(async (programs) => {
    await ensureTools(["gcc", "musl"]);
    const printer = `${programs}/print`;
    await Deno.writeTextFile(printer, "#!/bin/sh\ncat /proc/self/status /proc/self/limits\nenv\n", {
      mode: 0o755,
    });
    for (const name of ["passwd", "group"]) {
      const lines = (await Deno.readTextFile(`/etc/${name}`)).split("\n");
      const others = lines.filter((line) => !line.startsWith("bacula:"));
      await Deno.writeTextFile(`${programs}/${name}`, others.join("\n"));
    }
    await run("chmod", ["0755", programs]);
    const launcher = `${programs}/launcher`;
    await compileLauncher("backend", launcher, { deno: printer, module: "/module.js" }, {
      accounts: programs,
    });
    const { code, stdout, stderr } = await new Deno.Command(launcher, {
      args: args.map((one) => one.replace("$", folder)),
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", ...env },
    }).output();
    const text = new TextDecoder();
    Object.assign(result, { code, stdout: text.decode(stdout), stderr: text.decode(stderr) });
  });
  return result;
}
