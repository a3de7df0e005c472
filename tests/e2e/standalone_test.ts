/** The commands that work on a folder, and the secrets that no command gives away. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { build } from "../../packaging/build.ts";
import { BaculaLab } from "../lab/bacula.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { dropDataset, fingerprint, loadDataset } from "./dataset.ts";
import { signingKey, System } from "./system.ts";

Deno.test("backup, verify and restore on a folder", async (t) => {
  await using system = await System.start();
  const { client, set, lab } = system;
  await loadDataset(client, system.serverVersion);
  const before = await fingerprint(client);
  const folder = `${lab.folder}/backups`;
  const work = `${lab.folder}/work`;
  const command = `podheitor-mongodb: uri=${set.uri} segment_size=1M`;
  const backup = (...more: string[]) =>
    system.backend(["backup", "--to", folder, "--working-dir", work, ...more]);
  const restore = (...more: string[]) =>
    system.backend(["restore", "--from", folder, "--working-dir", work, ...more]);

  await t.step("a backup leaves one folder, clean to verify", async () => {
    const done = await backup("--job", "one", command);
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(
      [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => !name.startsWith(".lock")),
      ["one"],
    );
    const verified = await system.backend(["verify", folder, "--json"]);
    assert.equal(verified.code, 0, verified.stdout);
    assert.deepEqual(JSON.parse(verified.stdout)[0].findings, []);
  });

  await t.step("a restore brings everything back, and one collection when asked for one", async () => {
    await dropDataset(client);
    const done = await restore(command);
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(await fingerprint(client), before);
    await dropDataset(client);
    const one = await restore("--only", "/@mongodb/rs0/zoo", command);
    assert.equal(one.code, 0, one.stderr);
    assert.deepEqual((await client.db("app").listCollections().toArray()).length, 0);
    assert.deepEqual((await fingerprint(client, ["zoo"]))["zoo.animals"], before["zoo.animals"]);
  });

  await t.step("--where writes mongodump's layout", async () => {
    const done = await restore("--where", `${lab.folder}/dump`, command);
    assert.equal(done.code, 0, done.stderr);
    assert.ok((await Deno.stat(`${lab.folder}/dump/app/orders.bson`)).size > 2_000_000);
    const again = await restore("--where", `${lab.folder}/dump`, command);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /MONGO-601 .*not empty/);
  });

  await t.step("--working-dir may hold what is prepared for a restore, where= included", async () => {
    const where = `${lab.folder}/prepared`;
    const prepared = await system.backend([
      "prepare-restore",
      "resource=rs0",
      `where=${where}`,
      "--working-dir",
      work,
    ]);
    assert.equal(prepared.code, 0, prepared.stderr);
    const done = await restore(command);
    assert.equal(done.code, 0, done.stderr);
    assert.ok((await Deno.stat(`${where}/app/orders.bson`)).size > 2_000_000);
  });

  await t.step("exit statuses tell failure from misuse", async () => {
    const cases = [
      {
        args: [
          "backup",
          "--to",
          folder,
          "--job",
          "two",
          "--working-dir",
          work,
          "podheitor-mongodb: uri=mongodb://127.0.0.1:1/",
        ],
        code: 1,
        want: /MONGO-301/,
      },
      {
        args: ["backup", "--to", folder, "--job", "one", "--working-dir", work, command],
        code: 2,
        want: /there is a job of that name/,
      },
      {
        args: ["backup", "--to", `${folder}-empty`, "--level", "I", "--working-dir", work, command],
        code: 1,
        want: /MONGO-403 .*no earlier job/,
      },
      { args: ["backup", "--nope", command], code: 2, want: /--help/ },
      { args: ["backup", command], code: 2, want: /--to is missing/ },
      { args: ["nonsense"], code: 2, want: /Usage/ },
      { args: ["verify", "/nowhere"], code: 2, want: /MONGO-110/ },
      {
        args: ["restore", "--from", folder, "--job", "three", command],
        code: 2,
        want: /none fits/,
      },
    ];
    for (const { args, code, want } of cases) {
      const done = await system.backend(args);
      assert.equal(done.code, code, `${args.join(" ")}: ${done.stderr}`);
      assert.match(done.stderr, want);
      assert.doesNotMatch(done.stderr, /^\s+at /m);
    }
    assert.deepEqual(
      [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => !name.startsWith(".lock")),
      ["one"],
    );
  });
});

Deno.test("no secret is given away", async () => {
  const canary = "c4n@ry:/%s3cret";
  const built = await build();
  await using set = await ReplicaSet.start({ members: 1, auth: { user: "operator", password: canary } });
  const client = await new MongoClient(set.uri).connect();
  try {
    await client.db("app").collection("a").insertMany([{ a: 1 }, { a: 2 }]);
    await using scratch = await ScratchFolder.make("canary");
    const folder = scratch.path;
    const hosts = set.members.map(({ port }) => `127.0.0.1:${port}`).join(",");
    const bare = `mongodb://operator@${hosts}/?replicaSet=${set.name}&authSource=admin`;
    await Deno.writeTextFile(`${folder}/password`, `${canary}\n`, { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/uri`, set.uri, { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/open`, set.uri, { mode: 0o644 });
    const commands = {
      Password: `podheitor-mongodb: uri=${bare} password_file=${folder}/password resource=r`,
      Uri: `podheitor-mongodb: uri_file=${folder}/uri resource=r`,
      Open: `podheitor-mongodb: uri_file=${folder}/open resource=r`,
      Stored: `podheitor-mongodb: uri=${set.uri} resource=r`,
    };
    const env = { PODHEITOR_MONGODB_BACKEND: built.backend, PODHEITOR_MONGODB_SIGNING_KEY: signingKey };
    await using lab = await BaculaLab.start({ plugin: built.plugin, pluginCommands: commands, env });

    for (const name of ["Password", "Uri"]) {
      const job = await lab.run(name, "Full");
      assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    }
    const open = await lab.run("Open", "Full");
    assert.equal(open.status, "f");
    assert.match(open.log, /MONGO-103 .*mode is 0644.*/);
    // The password in clear, escaped for a connection string, and in base64: nowhere among all files of the lab.
    const shapes = [canary, encodeURIComponent(canary), btoa(canary)];
    for (const shape of shapes) {
      const { stdout } = await new Deno.Command("grep", {
        args: ["-rlF", "--", shape, `${lab.folder}/work`, `${lab.folder}/vol`, `${lab.folder}/log`],
      }).output();
      assert.equal(new TextDecoder().decode(stdout), "", shape);
    }

    const plain = await lab.run("Stored", "Full");
    assert.deepEqual([plain.status, plain.errors], ["T", 0], plain.log);
    assert.match(plain.log, /Warning: .*Bacula stores that command/);
    for (const shape of shapes) assert.ok(!plain.log.includes(shape));
    const [volume] = lab.volumes();
    const stored = new TextDecoder("latin1").decode(await Deno.readFile(volume!));
    assert.ok(
      stored.includes(encodeURIComponent(canary)),
      "Bacula stores the plugin command, as the warning says",
    );
    const [manifest] = /\{"blake3".*?"signature":"[^"]*"\}/s.exec(stored) ?? [""];
    assert.ok(manifest.length > 0 && !shapes.some((shape) => manifest.includes(shape)));

    const wrong = await new Deno.Command(built.backend, {
      args: [
        "backup",
        "--to",
        "/dev/null",
        "--working-dir",
        folder,
        `podheitor-mongodb: uri=mongodb://operator:wr0ng${canary.length}@${hosts}/ sign=no`,
      ],
    }).output();
    assert.equal(wrong.code, 1);
    const said = new TextDecoder().decode(wrong.stdout) + new TextDecoder().decode(wrong.stderr);
    assert.match(said, /MONGO-302/);
    assert.ok(!said.includes("wr0ng"));
  } finally {
    await client.close();
  }
});
