/** What the exporter's launcher makes of its arguments, and what Deno refuses to what it starts. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { parseListen } from "../exporter/listen.ts";
import { run } from "../tests/lab/command.ts";
import { withFolder } from "../tests/lab/folder.ts";
import { ensureTools } from "../tests/lab/tools.ts";
import { compileLauncher } from "./launcher.ts";

let scratch = "";

Deno.test.beforeAll(async () => {
  await ensureTools(["gcc", "musl"]);
  scratch = await Deno.makeTempDir();
  await Deno.chmod(scratch, 0o755);
  const deno = `${scratch}/print`;
  await Deno.writeTextFile(deno, '#!/bin/sh\nprintf "%s\\0" "$@"\n', { mode: 0o755 });
  await compileLauncher("exporter", `${scratch}/launcher`, { deno, module: "/module.js" }, { watched: true });
});

Deno.test.afterAll(() => Deno.remove(scratch, { recursive: true }));

const working = "--working-dir=/w";

const cases: { args: string[]; net?: string[]; read?: string[] }[] = [
  { args: [], net: ["0.0.0.0:9105"], read: ["/opt/bacula/working"] },
  { args: ["--listen", "127.0.0.1:1", working], net: ["127.0.0.1:1"], read: ["/w"] },
  { args: ["--listen=:0", "--working-dir", "/w"], net: ["0.0.0.0:0"], read: ["/w"] },
  { args: ["--listen=[::1]:9105", working], net: ["[::1]:9105"], read: ["/w"] },
  { args: ["--listen=localhost:65535", working], net: ["localhost:65535"], read: ["/w"] },
  // The exporter says what is wrong with these.
  ...["", ":", "x", "9105", "a:65536", "a:b", "a:1,b:2", "*:1", "a b:1", "[::1]", "[g]:1", "[::1]x:1", "a::1"]
    .map((listen) => ({ args: [`--listen=${listen}`, working], read: ["/w"] })),
  { args: ["--help"] },
  { args: ["--version", "--listen=:1"] },
];

for (const { args, net = [], read = [] } of cases) {
  Deno.test(`the exporter's launcher lets ${args.join(" ") || "no arguments"} listen on ${net.join() || "nothing"}`, async () => {
    const flags = await flagsOf(args);
    deepStrictEqual([flags.get("--allow-net") ?? [], flags.get("--allow-read") ?? []], [net, read]);
    deepStrictEqual(flags.get("--allow-sys"), ["uid"]);
    const others = [...flags.keys()].filter((flag) => flag.startsWith("--allow"));
    deepStrictEqual(others.filter((flag) => !/^--allow-(net|read|sys)$/.test(flag)), []);
  });
}

Deno.test("the exporter's launcher and parseListen() read an address alike, or neither takes it", async () => {
  const char = fc.constantFrom(..."019[]:.,-a f*\"'\n");
  const texts = fc.sample(
    fc.oneof(
      fc.string({ unit: char, maxLength: 12 }),
      fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
      fc.tuple(fc.ipV6(), fc.nat(70_000)).map(([host, port]) => `[${host}]:${port}`),
      fc.tuple(fc.ipV4(), fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
    ),
    60,
  );
  for (const text of texts) {
    const granted = (await flagsOf([`--listen=${text}`, working])).get("--allow-net") ?? [];
    deepStrictEqual(granted, addressOf(text), JSON.stringify(text));
  }
});

function addressOf(text: string): string[] {
  try {
    const { hostname } = parseListen(text);
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    return [`${host}:${text.slice(text.lastIndexOf(":") + 1)}`];
  } catch {
    return [];
  }
}

Deno.test("the exporter's launcher reads the files that the web configuration names, from its own folder", async () => {
  await withFolder(async (folder) => {
    const web = `${folder}/web.yml`;
    await Deno.writeTextFile(
      web,
      [
        "# cert_file: /no",
        "tls_server_config:",
        "  cert_file: cert.pem",
        '  key_file:   "/keys/the key.pem"   # the key',
        "  client_ca_file: /no",
        "basic_auth_users:",
        "  cert_file_user: /no",
      ].join("\n"),
    );
    const flags = await flagsOf([working, "--web.config.file", web]);
    deepStrictEqual(flags.get("--allow-read"), ["/w", web, `${folder}/cert.pem`, "/keys/the key.pem"]);
    await Deno.writeTextFile(web, "key_file: '/a,/'\n");
    const { code, stderr } = await launch([working, "--web.config.file", web]);
    strictEqual(code, 2);
    match(stderr, /^MONGO-110 Cannot run: the path of a file that .*web\.yml names is empty, /);
  });
});

Deno.test("the exporter's launcher takes no path that could make a list longer", async () => {
  for (const path of ["", "-a", "/a,/b", '/a"', "/a\n/b"]) {
    for (const option of ["--working-dir", "--web.config.file"]) {
      if (path === "" && option === "--web.config.file") continue;
      const { code, stderr } = await launch([`${option}=${path}`]);
      strictEqual(code, 2);
      match(stderr, /^MONGO-110 Cannot run: the path of --/);
    }
  }
});

Deno.test("Deno grants the exporter the working directory, the web configuration's files, its port and nothing else", async () => {
  await withFolder(async (folder) => {
    for (const name of ["working", "web", "other"]) {
      await Deno.mkdir(`${folder}/${name}`);
      await Deno.writeTextFile(`${folder}/${name}/file`, "");
    }
    await Deno.writeTextFile(`${folder}/web/web.yml`, "cert_file: cert.pem\nkey_file: key.pem\n");
    for (const name of ["cert.pem", "key.pem"]) await Deno.writeTextFile(`${folder}/web/${name}`, "");
    await Deno.writeTextFile(`${folder}/program`, "#!/bin/sh\n", { mode: 0o755 });
    await Deno.copyFile(new URL("probe.js", import.meta.url), `${folder}/probe.js`);
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = server.addr;
    const readable = ["working/file", "web/web.yml", "web/cert.pem", "web/key.pem"];
    const files = [...readable, "web/file", "other/file", "program"].map((name) => `${folder}/${name}`);
    const system = ["/etc/passwd", "/proc/self/environ", "/etc/shadow"];
    const attempts = [
      ...[...files, ...system].map((path) => ({ name: `read ${path}`, way: "read", values: [path] })),
      ...files.map((path) => ({ name: `write ${path}`, way: "write", values: [path] })),
      { name: "run", way: "run", values: [`${folder}/program`] },
      ...["PATH", "OTHER_SECRET", "PODHEITOR_MONGODB_URI"].map((name) => ({
        name,
        way: "env",
        values: [name],
      })),
      ...["uid", "hostname", "osRelease"].map((name) => ({ name, way: "sys", values: [name] })),
      { name: "ffi", way: "ffi", values: ["libc.so.6"] },
      ...["connect", "fetch", "node"].map((way) => ({ name: way, way, values: ["127.0.0.1", port] })),
      ...["127.0.0.1", "127.0.0.2"].map((host) => ({
        name: `listen ${host}`,
        way: "listen",
        values: [host],
      })),
    ];
    await Deno.writeTextFile(
      `${folder}/attempts.js`,
      `export const attempts = ${JSON.stringify(attempts)};\n`,
    );
    const launcher = `${folder}/launcher`;
    // Without accounts it stays whose folder this is.
    await compileLauncher(
      "exporter",
      launcher,
      { deno: Deno.execPath(), module: `${folder}/probe.js` },
      { accounts: folder },
    );
    const args = [
      `--working-dir=${folder}/working`,
      `--web.config.file=${folder}/web/web.yml`,
      "--listen=127.0.0.1:0",
    ];
    const said = await run("env", [
      ...["-i", "PATH=/usr/bin:/bin", "OTHER_SECRET=1", "PODHEITOR_MONGODB_URI=1"],
      ...[launcher, ...args],
    ]);
    deepStrictEqual(JSON.parse(said), [
      ...readable.map((name) => `read ${folder}/${name}`),
      "uid",
      "listen 127.0.0.1",
    ]);
  });
});

Deno.test({
  name:
    "the exporter's launcher is the directory's owner's, and nobody else's with what root could (needs root)",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await withFolder(async (folder) => {
      const deno = `${folder}/print`;
      await Deno.writeTextFile(deno, "#!/bin/sh\ncat /proc/self/status\n", { mode: 0o755 });
      await run("chmod", ["0755", folder]);
      await Deno.mkdir(`${folder}/working`);
      await run("chown", ["nobody", `${folder}/working`]);
      const launcher = `${folder}/launcher`;
      await compileLauncher("exporter", launcher, { deno, module: "/module.js" });
      const said = await run(launcher, [`--working-dir=${folder}/working`]);
      const facts = new Map(said.split("\n").map((line) => line.split(/:\s*/) as [string, string]));
      const uid = (await run("id", ["-u", "nobody"])).trim();
      deepStrictEqual([facts.get("Uid"), facts.get("NoNewPrivs")], [Array(4).fill(uid).join("\t"), "1"]);
      const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
      deepStrictEqual(sets.filter((set) => !/^0+$/.test(facts.get(set)!)), []);
    });
  },
});

/** The flags that Deno is started with: names, and their lists. */
async function flagsOf(args: readonly string[]): Promise<Map<string, string[]>> {
  const { code, stdout, stderr } = await launch(args);
  strictEqual(code, 0, stderr);
  const all = stdout.split("\0");
  const flags = all.slice(0, all.indexOf("/module.js")).filter((one) => one.startsWith("--"));
  return new Map(flags.map((flag) => {
    const [, name, list] = /^(--[^=]+)(?:=(.*))?$/s.exec(flag)!;
    return [name!, list?.split(",") ?? []];
  }));
}

/** Runs the launcher, which watches its own use of memory, with a program in Deno's place that prints its arguments. */
async function launch(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(`${scratch}/launcher`, {
    args: [...args],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin" },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
