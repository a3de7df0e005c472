/**
 * What documented commands find when they are typed, what their names mean, and what has to be true afterwards.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Desk } from "./desk.ts";

/** Of the commands of a form. */
export interface Scene {
  readonly of: RegExp;
  /** What names mean for these alone. */
  readonly names?: Readonly<Record<string, string>>;
  /** Where they are typed; in the checkout otherwise. */
  readonly folder?: string;
  readonly before?: () => Promise<void>;
  /** Runs one that doesn't just end well, and resolves to what it says. */
  readonly perform?: (text: string) => Promise<string>;
  readonly after?: (said: string) => void | Promise<void>;
}

/** The scenes at a desk; the first one that fits a command is its scene, and others just have to end well. */
export function scenesOf(desk: Desk): Scene[] {
  return [...scenesOfJobs(desk), ...scenesOfFolders(desk), ...scenesOfKeys(desk), ...scenesOfExporter(desk)];
}

function says(...wanted: readonly RegExp[]): (said: string) => void {
  return (said) => {
    for (const pattern of wanted) assert.match(said, pattern);
  };
}

/** Commands about the File Daemon's jobs. */
function scenesOfJobs(desk: Desk): Scene[] {
  const { lab } = desk.system;
  const work = `${lab.folder}/work`;
  return [
    {
      // Where the packages are, the File Daemon's folders are found without being named.
      of: /^podheitor-mongodb-backend doctor "/,
      names: { doctor: `doctor --config ${lab.folder}/etc/bacula-fd.conf --working-dir ${work}` },
      after: says(/To be backed up: app, shop/),
    },
    {
      of: /^podheitor-mongodb-backend prepare-restore /,
      names: { "…": `--working-dir ${work}` },
      after: async () => {
        const { status, log } = await lab.restore({ from: [1] });
        assert.equal(status, "T", log);
        await desk.data.act("same");
      },
    },
    {
      // Named and not spelt out: what is missing is said, and not that there is no such command.
      of: /^podheitor-mongodb-backend ([a-z][a-z-]+|backup …)$/,
      names: { " …": "" },
      perform: async (text) => {
        const { code, stderr } = await desk.typeInVain(text);
        assert.equal(code, 2, stderr);
        return stderr;
      },
      after: (said) => assert.doesNotMatch(said, /There is no command/),
    },
    { of: /^backend chain /, after: says(/mongo-rs0/) },
    {
      of: /^chown -h bacula:/,
      before: () => Deno.writeTextFile(`${work}/podheitor-mongodb-of-root`, ""),
    },
    { of: /^ls /, after: says(/podheitor-mongodb-rs0-stats\.json/) },
    { of: /^chown bacula: FILE/, names: { FILE: `${desk.folder}/etc/rs0.uri` } },
    { of: /^estimate /, after: says(/\/@mongodb\/rs0\/app\/orders\.bson/, /^2000 OK estimate files=\d+/m) },
    { of: /^\.ls /, after: says(/ \/@mongodb\/rs0\/app$/m, / \/@mongodb\/rs0\/shop$/m) },
    { of: /^\.query /, after: says(/^collection=app\.orders$/m) },
    { of: /^status client/, after: says(/Plugin: podheitor-mongodb/) },
    { of: /^list jobs/, after: says(/\| mongo-rs0 /) },
    {
      of: /^list joblog/,
      names: { "…": "1", "<full>": "1" },
      after: says(/Manifest \w+: .* signed by key \w+/, /Termination: +Backup OK/),
    },
    {
      of: /^restore … select current$/,
      // It is asked whether to run the job, and that is enough here.
      names: { "…": "client=lab-fd fileset=mongo-rs0 where=/ all done", current: "current\nno" },
      after: says(/^\| 1 +\| F /m, /files selected to be restored/),
    },
  ];
}

/** Commands that need no Bacula. */
function scenesOfFolders(desk: Desk): Scene[] {
  const backups = desk.names["/backups"]!;
  const dump = desk.names["/a/mongodump/folder"]!;
  const job = () => [...Deno.readDirSync(backups)].find(({ isDirectory }) => isDirectory)!.name;
  const same = () => desk.data.act("same");
  return [
    {
      of: /^deno task backend backup /,
      after: (said) => {
        says(/Backed up 2 databases/, /^Done$/m)(said);
        desk.names["NAME"] = job();
      },
    },
    { of: /^deno task backend restore --from \/backups /, before: () => desk.data.act("drop"), after: same },
    {
      of: /^deno task backend restore --from \/a\/mongodump/,
      before: async () => {
        const written = await desk.system.backend(
          ["restore", "--from", backups, "--where", dump, "--working-dir", desk.folder, "podheitor-mongodb:"],
          { PODHEITOR_MONGODB_SIGNING_KEY: `${desk.folder}/etc/signing.pem` },
        );
        assert.equal(written.code, 0, written.stderr);
        await desk.data.act("drop");
      },
      after: same,
    },
    { of: /^deno task verify /, after: (said) => assert.ok(said.includes(job()), said) },
    { of: /^deno task backend chain /, after: (said) => assert.ok(said.includes(job()), said) },
    {
      of: /^packaging\/verify-artifacts\.sh/,
      names: { LIST: desk.names["signing.pem.pub"]!, "FOLDER|MANIFEST...": backups },
    },
    { of: /^(podheitor-mongodb-)?backend rehearse /, after: says(/app\.orders/) },
  ];
}

/** Commands that make keys, or check a signature without the product. */
function scenesOfKeys(desk: Desk): Scene[] {
  const { folder, system } = desk;
  const key = `${folder}/etc/signing.pem`;
  const byHand = `${folder}/by-hand`;
  let isFirst = true;
  let digest = "";
  return [
    {
      of: /^podheitor-mongodb-backend keygen \//,
      // It overwrites nothing.
      before: () => isFirst ? Promise.resolve() : moveKey(key, `${key}.aside`),
      after: async () => {
        assert.equal(Deno.statSync(key).mode! & 0o777, 0o600);
        if (!isFirst) return await moveKey(`${key}.aside`, key);
        isFirst = false;
        const { status, log } = await system.lab.run("mongo-rs0", "Full");
        assert.equal(status, "T", log);
      },
    },
    {
      of: /^openssl genpkey /,
      after: (said) => Deno.writeTextFile(`${byHand}/signing.pem`, said, { mode: 0o600 }),
    },
    {
      of: /^openssl pkey /,
      folder: byHand,
      after: async (said) => {
        await Deno.writeTextFile(`${byHand}/trusted.keys`, said, { mode: 0o600 });
        const uri = system.set.uri;
        const args = [
          "backup",
          "--to",
          "/dev/null",
          "--working-dir",
          byHand,
          `podheitor-mongodb: uri=${uri}`,
        ];
        const { code, stderr } = await system.backend(args, {
          PODHEITOR_MONGODB_SIGNING_KEY: `${byHand}/signing.pem`,
          PODHEITOR_MONGODB_TRUSTED_KEYS: `${byHand}/trusted.keys`,
        });
        assert.equal(code, 0, stderr);
      },
    },
    {
      of: /^printf -- '-----BEGIN/,
      folder: byHand,
      before: async () => {
        const { stdout } = await new Deno.Command("find", {
          args: [desk.names["/backups"]!, "-path", "*/@mongodb/rs0/manifest.*.json"],
        }).output();
        await Deno.copyFile(new TextDecoder().decode(stdout).trim(), `${byHand}/m.json`);
      },
    },
    { of: /^sed .* m\.json/, folder: byHand, after: (said) => void (digest = said) },
    {
      of: /^grep .* m\.json \| grep /,
      folder: byHand,
      after: (said) => {
        assert.match(said, /^[0-9a-f]{64}\n$/);
        assert.equal(said, digest);
      },
    },
    { of: /^(printf 'podheitor|grep .*base64 -d)/, folder: byHand },
    { of: /^openssl pkeyutl -verify /, folder: byHand, after: says(/Verified Successfully/) },
  ];
}

async function moveKey(from: string, to: string): Promise<void> {
  for (const half of ["", ".pub"]) await Deno.rename(from + half, to + half);
}

/** Commands about the exporter. */
function scenesOfExporter(desk: Desk): Scene[] {
  const url = `http://${desk.names["127.0.0.1:9105"]}/healthz`;
  return [
    { of: /^podheitor-mongodb-exporter --listen/, perform: (text) => desk.leaveRunning(text, url) },
    { of: /^curl .*\/metrics$/, after: says(/^podheitor_mongodb_last_success_timestamp\{.*resource="rs0"/m) },
    { of: /^curl .*\/healthz$/, after: says(/^ok/) },
    {
      of: /^deno task exporter$/,
      names: { "deno task exporter": "deno task exporter --help" },
      after: says(/--listen HOST:PORT/),
    },
  ];
}
