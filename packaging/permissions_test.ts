/** What Deno refuses to a program that the launcher starts: a probe in place of the backend tries all that there is, and is told from the rest. */

import { deepStrictEqual } from "node:assert/strict";
import { environmentTable } from "../backend/options/environment.ts";
import { withFolder } from "../tests/lab/folder.ts";
import { run } from "../tests/lab/command.ts";
import { ensureTools } from "../tests/lab/tools.ts";
import { compileLauncher } from "./launcher.ts";
import { permissionTable } from "./permissions.ts";

const folders = ["to", "from", "working", "where", "other"] as const;
const keyFiles = ["given.pub", "trusted.pub", "signing.pem"] as const;
const programs = ["mongodump", "mongorestore", "mongod", "other-program"] as const;

const everyFile = [...folders, ...keyFiles].map((name) => `read ${name}`);
const login = ["PODHEITOR_MONGODB_URI", "PODHEITOR_MONGODB_PASSWORD", "CREDENTIALS_DIRECTORY"];
const signing = ["PODHEITOR_MONGODB_SIGNING_KEY", "PODHEITOR_MONGODB_TRUSTED_KEYS"];
const trust = [...signing, "PODHEITOR_MONGODB_ALLOW_UNSIGNED"];
const driver = ["sys osRelease", "sys uid"];
const silence = "PODHEITOR_MONGODB_SILENCE_SECONDS";
const ways = ["connect", "fetch", "node", "listen"];
const everyHost = ways.flatMap((way) => [`${way} 127.0.0.1`, `${way} 127.0.0.2`]);
const ownHost = ways.map((way) => `${way} 127.0.0.1`);

interface Case {
  readonly args: readonly string[];
  /** Variables that are not set. */
  readonly unset?: readonly string[];
  /** All that is granted; `env` without the word. */
  readonly want: readonly string[];
}

/** `$` stands for the test's folder. */
const cases: readonly Case[] = [
  {
    args: ["job", "--kind", "B", "--working-dir", "$/working"],
    // deno-fmt-ignore
    want: [
      ...everyFile, "write working", ...everyHost, "run mongodump", ...driver,
      ...login, ...signing, silence, "PODHEITOR_MONGODB_TOOLS",
    ],
  },
  {
    args: ["job", "--kind", "R", "--working-dir", "$/working"],
    // deno-fmt-ignore
    want: [
      ...everyFile, ...folders.map((name) => `write ${name}`), ...everyHost, "run mongod", "run mongorestore", ...driver,
      ...login, ...trust, silence, "PODHEITOR_MONGODB_MONGOD", "PODHEITOR_MONGODB_TOOLS",
    ],
  },
  ...["E", "L", "Q"].map((kind) => ({
    args: ["job", "--kind", kind, "--working-dir", "$/working"],
    want: [...everyFile, ...everyHost, ...driver, ...login, silence],
  })),
  {
    args: ["backup", "--to", "$/to", "--working-dir=$/working", "podheitor-mongodb: where=/"],
    // deno-fmt-ignore
    want: [
      ...everyFile, "write to", "write working", ...everyHost, "run mongodump", ...driver,
      ...login, ...signing, silence, "PODHEITOR_MONGODB_TOOLS",
    ],
  },
  {
    args: ["backup", "--to", "/dev/null", "podheitor-mongodb:"],
    unset: ["PODHEITOR_MONGODB_TOOLS"],
    want: [
      ...[...everyFile, "write to", ...everyHost, ...driver],
      ...[...login, ...signing, silence],
    ],
  },
  {
    args: [
      "restore",
      "--from",
      "$/from",
      "--working-dir",
      "$/working",
      "--where",
      "$/where",
      "podheitor-mongodb:",
    ],
    // deno-fmt-ignore
    want: [
      ...everyFile, "write working", "write where", ...everyHost, "run mongorestore", ...driver,
      ...login, ...trust, silence, "PODHEITOR_MONGODB_TOOLS",
    ],
  },
  {
    args: [
      "restore",
      "--from",
      "$/from",
      "--working-dir",
      "$/working",
      "podheitor-mongodb: where=/somewhere",
    ],
    // deno-fmt-ignore
    want: [
      ...everyFile, ...folders.map((name) => `write ${name}`), ...everyHost, "run mongorestore", ...driver,
      ...login, ...trust, silence, "PODHEITOR_MONGODB_TOOLS",
    ],
  },
  {
    args: ["rehearse", "--from", "$/from", "--working-dir", "$/working", "--key", "$/given.pub"],
    // deno-fmt-ignore
    want: [
      "read from", "read working", "read given.pub", "write working", ...ownHost, "run mongod", ...driver,
      ...trust, silence, "PODHEITOR_MONGODB_MONGOD",
    ],
  },
  {
    args: [
      "doctor",
      "--json",
      "--working-dir",
      "$/working",
      "--interval",
      "24h",
      "podheitor-mongodb: where=/somewhere",
    ],
    // deno-fmt-ignore
    want: [
      ...everyFile, "write working", ...everyHost, ...driver, "sys statfs",
      ...login, ...trust, "PODHEITOR_MONGODB_BACKEND", "PODHEITOR_MONGODB_TOOLS",
    ],
  },
  {
    args: ["verify", "$/from", "--key", "$/given.pub"],
    want: ["read from", "read given.pub", ...trust, "sys uid"],
  },
  {
    args: ["verify", "--json", "--", "$/from"],
    want: ["read from", "read trusted.pub", ...trust, "sys uid"],
  },
  {
    args: ["chain", "$/from"],
    unset: ["PODHEITOR_MONGODB_TRUSTED_KEYS"],
    want: [
      "read from",
      "read signing.pem",
      ...trust.filter((name) => !name.endsWith("TRUSTED_KEYS")),
      "sys uid",
    ],
  },
  {
    args: ["chain", "--working-dir", "$/working"],
    want: ["read working", "read trusted.pub", ...trust, "sys uid"],
  },
  {
    args: ["prepare-restore", "resource=rs0", "drop=yes", "--working-dir", "$/working"],
    want: ["read working", "write working"],
  },
  { args: ["keygen", "$/to"], want: ["write to"] },
  { args: ["--help"], want: [] },
  { args: ["--version"], want: [] },
  // The folder that the launcher is started in is "to".
  { args: ["verify", "."], want: ["read to", "read trusted.pub", ...trust, "sys uid"] },
  { args: ["something", "--to", "$/to", "--working-dir", "$/working"], want: [] },
  { args: [], want: [] },
];

for (const { args, unset = [], want } of cases) {
  const without = unset.length === 0 ? "" : ` without ${unset.join(" and ")}`;
  Deno.test(`Deno grants ${args.join(" ") || "no command"}${without} what its row says and nothing else`, async () => {
    await withFolder(async (folder) => {
      await lay(folder);
      using server = serve();
      await Deno.writeTextFile(
        `${folder}/attempts.js`,
        `export const attempts = ${JSON.stringify(attemptsOf(folder, server.port))};\n`,
      );
      const launch = `${folder}/launch`;
      await ensureTools(["gcc", "musl"]);
      await compileLauncher("backend", launch, { deno: Deno.execPath(), module: `${folder}/probe.js` });
      const env = Object.entries(variables(folder)).filter(([name]) => !unset.includes(name))
        .map(([name, value]) => `${name}=${value}`);
      const said = await run(
        "env",
        ["-i", ...env, launch, ...args.map((one) => one.replace("$", folder))],
        { cwd: `${folder}/to` },
      );
      const granted: string[] = JSON.parse(said);
      const kept = granted.splice(granted.indexOf("give up the rest")).slice(1);
      deepStrictEqual(new Set(granted), new Set(want));
      const named = args[0] !== "doctor" && args.join(" ").includes("where=/somewhere") || args.includes("R")
        ? ["write working"]
        : want.filter((one) => one.startsWith("write "));
      deepStrictEqual(new Set(kept), new Set(named.map((one) => `still ${one}`)));
    });
  });
}

Deno.test("permissionTable: each command is one that the probe was tried as", () => {
  const tried = new Set(cases.map(({ args }) => args[0] === "job" ? `job ${args[2]}` : args[0]));
  deepStrictEqual(Object.keys(permissionTable).filter((command) => !tried.has(command)), []);
});

async function lay(folder: string): Promise<void> {
  for (const name of folders) {
    await Deno.mkdir(`${folder}/${name}`);
    await Deno.writeTextFile(`${folder}/${name}/file`, "");
  }
  for (const name of keyFiles) await Deno.writeTextFile(`${folder}/${name}`, "");
  for (const name of programs) await Deno.writeTextFile(`${folder}/${name}`, "#!/bin/sh\n", { mode: 0o755 });
  await Deno.copyFile(new URL("probe.js", import.meta.url), `${folder}/probe.js`);
}

/** All variables of the product, and two of others. */
function variables(folder: string): Record<string, string> {
  return {
    ...Object.fromEntries(Object.keys(environmentTable).map((name) => [name, "1"])),
    PATH: "/usr/bin:/bin",
    OTHER_SECRET: "1",
    // The folders belong to whoever runs the test.
    PODHEITOR_MONGODB_USER: "root",
    PODHEITOR_MONGODB_MONGOD: `${folder}/mongod`,
    PODHEITOR_MONGODB_TOOLS: folder,
    PODHEITOR_MONGODB_SIGNING_KEY: `${folder}/signing.pem`,
    PODHEITOR_MONGODB_TRUSTED_KEYS: `${folder}/trusted.pub`,
  };
}

function attemptsOf(folder: string, port: number) {
  const files = [
    ...folders.map((name) => ({ name, path: `${folder}/${name}/file` })),
    ...keyFiles.map((name) => ({ name, path: `${folder}/${name}` })),
    ...["/proc/self/environ", "/proc/self/status", "/etc/shadow"].map((path) => ({ name: path, path })),
  ];
  const written = [
    ...folders.map((name) => ({ name, path: `${folder}/${name}/new` })),
    ...["/etc/passwd", "/usr/bin/env", "/bin/sh"].map((path) => ({ name: path, path })),
  ];
  return [
    ...files.map(({ name, path }) => ({ name: `read ${name}`, way: "read", values: [path] })),
    ...written.map(({ name, path }) => ({ name: `write ${name}`, way: "write", values: [path] })),
    ...["127.0.0.1", "127.0.0.2"].flatMap((host) =>
      ways.map((way) => ({ name: `${way} ${host}`, way, values: [host, port] }))
    ),
    ...programs.map((name) => ({ name: `run ${name}`, way: "run", values: [`${folder}/${name}`] })),
    ...Object.keys(variables(folder)).map((name) => ({ name, way: "env", values: [name] })),
    ...["osRelease", "uid", "statfs", "hostname"].map((name) => ({
      name: `sys ${name}`,
      way: "sys",
      values: [name],
    })),
    { name: "ffi", way: "ffi", values: ["libc.so.6"] },
    // As a restore does when it turns out to go into a server.
    { name: "give up the rest", way: "giveUpWriting", values: ["/"] },
    ...folders.map((name) => ({
      name: `still write ${name}`,
      way: "write",
      values: [`${folder}/${name}/new`],
    })),
  ];
}

/** A server that any address of the loopback reaches. */
function serve(): Disposable & { port: number } {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "0.0.0.0", port: 0, signal: stop.signal, onListen: () => {} },
    () => new Response(),
  );
  return { port: server.addr.port, [Symbol.dispose]: () => stop.abort() };
}
