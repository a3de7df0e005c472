/** What the doctor says of permissions, secrets and keys: each check well and ill, and never a secret. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { describeReport, type DoctorReport } from "../../backend/commands/doctor/report.ts";
import { SmallDisk } from "../faults/disk.ts";
import { run } from "../lab/command.ts";
import { Machine, product, testMachines } from "./doctor_machine.ts";

const isRoot = Deno.uid() === 0;

const key = (line: string) => async ({ folder, env }: Machine) => {
  const own = (await Deno.readTextFile(`${folder}/signing.pem.pub`)).split(" ")[0];
  await Deno.writeTextFile(`${folder}/keys`, `${own} ${line}\n`);
  env.PODHEITOR_MONGODB_TRUSTED_KEYS = `${folder}/keys`;
};

testMachines([
  {
    name: "a working directory of another user",
    change: ({ folder }) => Deno.chown(`${folder}/work`, 65534, null),
    check: "user",
    status: "warning",
    want: isRoot ? /This runs as root/ : /the working directory is nobody's/,
    needsRoot: true,
  },
  {
    name: "a working directory that any user may write to",
    change: ({ folder }) => Deno.chmod(`${folder}/work`, 0o777),
    check: "working_directory",
    status: "error",
    want: /mode 0777: any user can forge where the last jobs ended.* chmod o-w/,
  },
  {
    name: "a working directory that its group may write to",
    change: ({ folder }) => Deno.chmod(`${folder}/work`, 0o770),
    check: "working_directory",
    status: "warning",
    want: /mode 0770: its group can forge/,
  },
  {
    name: "another working directory than the File Daemon's",
    change: ({ folder }) =>
      Deno.rename(`${folder}/work`, `${folder}/elsewhere`).then(() => Deno.mkdir(`${folder}/work`)),
    command: () => "elsewhere",
    check: "working_directory",
    status: "warning",
    want: /says WorkingDirectory = .*\/work, this looks at .*\/elsewhere -> Say --working-dir/,
  },
  {
    name: "no working directory",
    change: ({ folder }) => Deno.remove(`${folder}/work`),
    check: "working_directory",
    status: "error",
    want: /work can't be looked into -> .*--working-dir/,
  },
  {
    name: "secrets that others can read",
    change: ({ folder }) => Deno.chmod(`${folder}/rs0.uri`, 0o640),
    check: "secrets",
    status: "error",
    want: /103 Cannot use .*rs0\.uri: its mode is 0640.* chmod 0600/,
  },
  {
    name: "no connection string",
    change: () => {},
    command: () => "",
    check: "secrets",
    status: "error",
    want: /101 Cannot connect: there is no connection string/,
  },
  {
    name: "a secret in the plugin command",
    change: () => {},
    command: () => "uri=mongodb://a:b@127.0.0.1:1/",
    check: "secrets",
    status: "warning",
    want: /The plugin command holds a secret/,
  },
  {
    name: "no key",
    change: ({ env }) => delete env.PODHEITOR_MONGODB_SIGNING_KEY,
    check: "signing_key",
    status: "error",
    want: /504 .*PODHEITOR_MONGODB_SIGNING_KEY is not set.*keygen/,
  },
  {
    name: "a key that others can read",
    change: ({ folder }) => Deno.chmod(`${folder}/signing.pem`, 0o644),
    check: "signing_key",
    status: "error",
    want: /103 .*its mode is 0644/,
  },
  {
    name: "no signature",
    change: () => {},
    command: ({ folder }) => `uri_file=${folder}/rs0.uri sign=no`,
    check: "signing_key",
    status: "warning",
    want: /sign=no: changes to a backup can't be noticed/,
  },
  {
    name: "no key at all",
    change: ({ env }) => delete env.PODHEITOR_MONGODB_SIGNING_KEY,
    check: "trusted_keys",
    status: "error",
    want: /No key is trusted/,
  },
  {
    name: "a trusted key",
    change: key(""),
    check: "trusted_keys",
    status: "ok",
    want: /Key [0-9a-f]{16} is trusted/,
  },
  {
    name: "a key that nobody trusts any more",
    change: key("revoked"),
    check: "signing_key",
    status: "error",
    want: /504 .*is revoked, so that no restore here would take it/,
  },
  {
    name: "a revoked key",
    change: key("revoked"),
    check: "trusted_keys",
    status: "ok",
    want: /is revoked: nothing that it signed/,
  },
  {
    name: "a key whose time is over",
    change: key("not-after=2026-11-01"),
    check: "signing_key",
    status: "error",
    want: /504 .*so that no restore here would take it/,
  },
  {
    name: "a key whose time ends soon",
    change: key("not-after=2026-12-01"),
    check: "trusted_keys",
    status: "warning",
    want: /is trusted until 2026-12-01T23:59:59Z only -> .*KEYS\.md/,
  },
  {
    name: "a list of keys that others may write to",
    change: async (machine) => {
      await key("")(machine);
      await Deno.chmod(`${machine.folder}/keys`, 0o666);
    },
    check: "trusted_keys",
    status: "error",
    want: /504 .*its mode is 0666/,
  },
  {
    name: "restores that take anything",
    change: ({ env }) => env.PODHEITOR_MONGODB_ALLOW_UNSIGNED = "yes",
    check: "trusted_keys",
    status: "warning",
    want: /any restore takes backups that nobody signed/,
  },
  {
    name: "a rehearsal that is no restore",
    change: () => {},
    command: ({ folder }) => `uri_file=${folder}/rs0.uri mode=rehearse`,
    check: "command",
    status: "error",
    want: /102 Cannot back up with mode=rehearse/,
  },
  {
    name: "no tools",
    change: () => {},
    command: ({ folder }) => `uri_file=${folder}/rs0.uri engine=mongodump`,
    check: "tools",
    status: "error",
    want: /PODHEITOR_MONGODB_TOOLS isn't set, and engine=mongodump is/,
  },
  {
    name: "tools elsewhere",
    change: ({ env, folder }) => env.PODHEITOR_MONGODB_TOOLS = folder,
    command: ({ folder }) => `uri_file=${folder}/rs0.uri engine=mongodump`,
    check: "tools",
    status: "error",
    want: /\/mongodump isn't there/,
  },
  {
    name: "tools",
    change: async ({ env, folder }) => {
      env.PODHEITOR_MONGODB_TOOLS = folder;
      await Deno.writeTextFile(`${folder}/mongodump`, "");
    },
    command: ({ folder }) => `uri_file=${folder}/rs0.uri engine=mongodump`,
    check: "tools",
    status: "ok",
    want: /\/mongodump is there/,
  },
]);

Deno.test("examine() leaves nothing in the working directory", async () => {
  await using machine = await Machine.make();
  const report = await machine.ask();
  assert.equal(report.checks.find(({ check }) => check === "working_directory")?.status, "ok");
  assert.equal(report.checks.find(({ check }) => check === "disk_space")?.status, "ok");
  assert.deepEqual([...Deno.readDirSync(`${machine.folder}/work`)], []);
});

Deno.test("examine() of a working directory that can't be written to, or has others' files (needs root)", {
  ignore: !isRoot,
}, async () => {
  await using machine = await Machine.make();
  const backend = `${machine.folder}/podheitor.js`;
  await Deno.copyFile(`${(await product()).backend}.js`, backend);
  await run("chmod", ["0755", machine.folder]);
  const ask = async () => {
    const { code, stdout } = await new Deno.Command("setpriv", {
      args: [
        ...["--reuid=65534", "--regid=65534", "--clear-groups", Deno.execPath(), "run", "-A", backend],
        ...[
          "doctor",
          "--json",
          "--working-dir",
          `${machine.folder}/work`,
          "podheitor-mongodb: uri=mongodb://127.0.0.1:1/",
        ],
      ],
      env: { ...machine.env, DENO_DIR: "/dev/null/x" },
    }).output();
    assert.equal(code, 1);
    const report: DoctorReport = JSON.parse(new TextDecoder().decode(stdout));
    return report.checks.filter(({ check }) => check === "working_directory").map((
      { status, text, remedy },
    ) => `${status} ${text} -> ${remedy}`).join("\n");
  };
  assert.match(await ask(), /error A job can't write to .*work: .* -> .*chown nobody: /);
  await run("chown", ["nobody", `${machine.folder}/work`]);
  assert.match(await ask(), /^ok .* can be written to/m);
  await Deno.writeTextFile(`${machine.folder}/work/podheitor-mongodb-rs0-tip.json`, "");
  assert.match(
    await ask(),
    /error podheitor-mongodb-rs0-tip\.json in .*: not this user's -> Run: chown -h nobody: /,
  );
});

Deno.test("examine() warns of a disk that is nearly full, and fails one that is (needs root)", {
  ignore: !isRoot,
}, async () => {
  await using machine = await Machine.make();
  const work = `${machine.folder}/work`;
  await using disk = await SmallDisk.mount(work, 200 << 20);
  await Deno.chmod(work, 0o750);
  const ask = async () => (await machine.ask()).checks.find(({ check }) => check === "disk_space");
  assert.equal((await ask())?.status, "warning");
  await disk.fill(`${work}/large`, 180 << 20);
  const { status, text } = (await ask())!;
  assert.equal(status, "error");
  assert.match(text, /^2\d(\.\d)? MiB are free in /);
});

/** What may stand where a password is expected. */
const secret = fc.string({
  unit: fc.constantFrom(..."abc019%:/?#@&=+ \"'\\{}[],;é\n"),
  minLength: 6,
  maxLength: 20,
})
  .map((text) => `S3c${text}R3t`);

Deno.test("examine() and describeReport() show no piece of a secret, whatever is wrong with it", async () => {
  await using machine = await Machine.make();
  const places = [
    (word: string) => ({ command: `uri="mongodb://user:${word}@127.0.0.1:1/"` }),
    (word: string) => ({ command: `uri=mongodb://user:${word}@127.0.0.1:1/?authSource=x` }),
    (word: string) => ({
      command: `uri='mongodb://user:${encodeURIComponent(word)}@127.0.0.1:1,127.0.0.1:2/'`,
    }),
    (word: string) => ({ file: `mongodb://user:${word}@127.0.0.1:1/?tls=${word.length % 2 === 0}` }),
    (word: string) => ({ file: `mongodb+srv://user:${encodeURIComponent(word)}@nowhere.invalid/` }),
    (word: string) => ({ file: word }),
    (word: string) => ({ file: "mongodb://user@127.0.0.1:1/", password: word }),
    (word: string) => ({ key: word }),
    (word: string) => ({
      key: `${new TextEncoder().encode(word.padEnd(32, "x")).slice(0, 32).toBase64()}${word}`,
    }),
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...places), secret, async (place, word) => {
      const { command, file, password, key } = {
        command: undefined,
        file: undefined,
        password: undefined,
        key: undefined,
        ...place(word),
      };
      if (file !== undefined) await Deno.writeTextFile(`${machine.folder}/rs0.uri`, file);
      if (password !== undefined) {
        await Deno.writeTextFile(`${machine.folder}/password`, password, { mode: 0o600 });
      }
      if (key !== undefined) machine.env = { PODHEITOR_MONGODB_SIGNING_KEY: key.replaceAll("\n", "") };
      const report = await machine.ask(
        command ??
          `uri_file=${machine.folder}/rs0.uri${
            password === undefined ? "" : ` password_file=${machine.folder}/password`
          }`,
      );
      const shown = [JSON.stringify(report), describeReport(report, true).join("\n")].join("\n");
      for (const piece of ["S3c", "R3t"]) {
        assert.ok(!shown.includes(piece), `${JSON.stringify(word)}\n${shown}`);
      }
    }),
    { numRuns: 60 },
  );
});
