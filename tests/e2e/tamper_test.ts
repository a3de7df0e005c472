/** What was changed since the backup is never applied: on the volume, in the catalog, in a folder. */

import assert from "node:assert/strict";
import { dropDataset, fingerprint, loadDataset } from "./dataset.ts";
import { signingKey, System } from "./system.ts";

Deno.test("a changed backup is refused", async (t) => {
  await using system = await System.start({
    // Bacula's own checksum of its blocks would notice a changed volume before the plugin can.
    lab: { blockChecksum: false },
    commands: (uri) => ({ Mongo: `podheitor-mongodb: uri=${uri} segment_size=1M` }),
  });
  const { lab, client, set } = system;
  await loadDataset(client, system.serverVersion);
  const full = await lab.run("Mongo", "Full");
  assert.deepEqual([full.status, full.errors], ["T", 0], full.log);
  const before = await fingerprint(client);

  await t.step("one byte within a segment on the volume", async () => {
    const [volume] = lab.volumes();
    const bytes = await Deno.readFile(volume!);
    const at = new TextDecoder("latin1").decode(bytes).indexOf("animal 500");
    assert.ok(at > 0);
    bytes[at + 7] = "6".charCodeAt(0);
    await Deno.writeFile(volume!, bytes);
    await dropDataset(client);
    const job = await lab.restore({ from: [full.jobId] });
    assert.notEqual(job.status, "T");
    assert.match(job.log, /MONGO-505 .*zoo\/animals\.bson: the signed manifest says BLAKE3/);
    assert.equal(await client.db("zoo").collection("animals").countDocuments(), 0);
    bytes[at + 7] = "5".charCodeAt(0);
    await Deno.writeFile(volume!, bytes);
    await dropDataset(client);
    const healed = await lab.restore({ from: [full.jobId] });
    assert.deepEqual([healed.status, healed.errors], ["T", 0], healed.log);
    assert.deepEqual(await fingerprint(client), before);
  });

  await t.step("the manifest in the catalog", async () => {
    const where = `from RestoreObject where JobId=${full.jobId} and ObjectType=25`;
    const [[kept = ""] = []] = await lab.query(`select hex(RestoreObject) ${where}`);
    const changed = `${kept.slice(0, 2000)}${kept.slice(2000, 2002) === "41" ? "42" : "41"}${
      kept.slice(2002)
    }`;
    await lab.query(
      `update RestoreObject set RestoreObject=X'${changed}' where JobId=${full.jobId} and ObjectType=25`,
    );
    await dropDataset(client);
    const job = await lab.restore({ from: [full.jobId] });
    assert.notEqual(job.status, "T");
    assert.deepEqual((await client.db("app").listCollections().toArray()).length, 0);
    await lab.query(
      `update RestoreObject set RestoreObject=X'${kept}' where JobId=${full.jobId} and ObjectType=25`,
    );
    const healed = await lab.restore({ from: [full.jobId] });
    assert.deepEqual([healed.status, healed.errors], ["T", 0], healed.log);
  });

  await t.step("no manifest in the catalog at all", async () => {
    await lab.query(`delete from RestoreObject where JobId=${full.jobId}`);
    await dropDataset(client);
    const job = await lab.restore({ from: [full.jobId] });
    assert.notEqual(job.status, "T");
    assert.match(job.log, /MONGO-503 /);
    assert.deepEqual((await client.db("app").listCollections().toArray()).length, 0);
  });

  await t.step("a folder: every kind of change is a finding, and a restore refuses it", async () => {
    await client.db("app").collection("a").insertMany([{ a: 1 }, { a: 2 }]);
    const folder = `${lab.folder}/folder`;
    const command = `podheitor-mongodb: uri=${set.uri} database=app resource=r`;
    const kept = `${folder}/kept`;
    assert.equal(
      (await system.backend([
        "backup",
        "--to",
        folder,
        "--job",
        "kept",
        "--working-dir",
        lab.folder,
        command,
      ])).code,
      0,
    );
    assert.equal((await system.backend(["verify", folder])).code, 0);
    const data = "@mongodb/r/app/a.bson";
    const changes: { name: string; change: (path: string) => Promise<void>; want: RegExp }[] = [
      { name: "byte", change: (path) => flip(`${path}/${data}`), want: /a\.bson has another BLAKE3/ },
      { name: "missing", change: (path) => Deno.remove(`${path}/${data}`), want: /a\.bson is missing/ },
      {
        name: "extra",
        change: (path) => Deno.writeTextFile(`${path}/@mongodb/r/app/b.bson`, "x"),
        want: /b\.bson is not listed/,
      },
      {
        name: "manifest",
        change: (path) => flip(`${path}/@mongodb/r/manifest.kept.json`),
        want: /is not the manifest/,
      },
      {
        name: "object",
        change: async (path) => {
          for (const { name } of Deno.readDirSync(`${path}/restore-objects`)) {
            if (name.includes("-25-")) await flip(`${path}/restore-objects/${name}`);
          }
        },
        want: /MONGO-50[12]/,
      },
    ];
    for (const { name, change, want } of changes) {
      const copy = `${lab.folder}/changed-${name}/kept`;
      await Deno.mkdir(copy, { recursive: true });
      assert.ok((await new Deno.Command("cp", { args: ["-a", `${kept}/.`, copy] }).output()).success);
      await change(copy);
      const verified = await system.backend(["verify", copy]);
      assert.equal(verified.code, 1, name);
      assert.match(verified.stdout, want, name);
      const findings = JSON.parse((await system.backend(["verify", copy, "--json"])).stdout)[0].findings;
      assert.ok(findings.length > 0);
      if (name !== "manifest") {
        const args = ["restore", "--from", copy, "--working-dir", lab.folder, `${command} drop=yes`];
        assert.equal((await system.backend(args)).code, 1, name);
      }
    }
  });

  await t.step("another key's signature", async () => {
    const other = { PODHEITOR_MONGODB_SIGNING_KEY: new Uint8Array(32).fill(1).toBase64() };
    assert.notEqual(other.PODHEITOR_MONGODB_SIGNING_KEY, signingKey);
    const verified = await system.backend(["verify", `${lab.folder}/folder`], other);
    assert.equal(verified.code, 1);
    assert.match(verified.stdout, /MONGO-502 .*trusted are/);
  });
});

async function flip(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  await Deno.writeFile(path, bytes);
}
