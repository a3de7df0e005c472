import { strictEqual } from "node:assert/strict";
import { allowedProgramScript } from "./permissions.ts";

const deny = "--deny-run";

const cases: { args?: string[]; env?: Record<string, string>; want: string }[] = [
  { want: deny },
  { env: { PODHEITOR_MONGODB_TOOLS: "" }, want: deny },
  { env: { PODHEITOR_MONGODB_TOOLS: "/" }, want: "--allow-run=/mongodump,/mongorestore" },
  {
    env: { PODHEITOR_MONGODB_TOOLS: "/usr/bin" },
    want: "--allow-run=/usr/bin/mongodump,/usr/bin/mongorestore",
  },
  {
    env: { PODHEITOR_MONGODB_TOOLS: "/opt/tools-100.12_x/" },
    want: "--allow-run=/opt/tools-100.12_x/mongodump,/opt/tools-100.12_x/mongorestore",
  },
  { env: { PODHEITOR_MONGODB_TOOLS: "usr/bin" }, want: deny },
  { env: { PODHEITOR_MONGODB_TOOLS: "/usr/bin,/bin/sh" }, want: deny },
  { env: { PODHEITOR_MONGODB_TOOLS: "/usr/bin /bin" }, want: deny },
  { env: { PODHEITOR_MONGODB_TOOLS: "/usr/$(id)" }, want: deny },
  { env: { PODHEITOR_MONGODB_TOOLS: "/usr/`id`'\"" }, want: deny },
  { env: { PODHEITOR_MONGODB_TOOLS: "/usr/bin\n" }, want: deny },
  { args: ["rehearse"], env: { MONGOD_BIN: "/bin/true" }, want: "--allow-run=/bin/true" },
  {
    args: ["rehearse"],
    env: { MONGOD_BIN: "/bin/true", PODHEITOR_MONGODB_MONGOD: "/bin/false" },
    want: "--allow-run=/bin/false",
  },
  { args: ["rehearse"], env: { MONGOD_BIN: "/nowhere/mongod" }, want: deny },
  { args: ["rehearse"], env: { PODHEITOR_MONGODB_MONGOD: "/bin/true,/bin/sh" }, want: deny },
  { args: ["rehearse"], env: { PODHEITOR_MONGODB_MONGOD: "cd" }, want: deny },
  { args: ["backup"], env: { PODHEITOR_MONGODB_MONGOD: "/bin/true" }, want: deny },
  { args: ["job"], env: { PODHEITOR_MONGODB_MONGOD: "/bin/true" }, want: "--allow-run=/bin/true" },
  { args: ["job"], env: { MONGOD_BIN: "/bin/true" }, want: deny },
  {
    args: ["job"],
    env: { PODHEITOR_MONGODB_MONGOD: "/bin/true", PODHEITOR_MONGODB_TOOLS: "/bin" },
    want: "--allow-run=/bin/true,/bin/mongodump,/bin/mongorestore",
  },
];

for (const { args = [], env = {}, want } of cases) {
  const setting = Object.entries(env).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  Deno.test(`the launcher's script allows ${want.slice(2)} for ${[...setting, ...args].join(" ") || "nothing"}`, async () => {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `${allowedProgramScript}\nprintf %s "$run"`, "launcher", ...args],
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", ...env },
    }).output();
    strictEqual(new TextDecoder().decode(stdout), want);
  });
}
