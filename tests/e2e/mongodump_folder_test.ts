/** Folders of mongodump, both ways: what a restore with where= leaves, and what `restore --from` takes. */

import assert from "node:assert/strict";
import { Long, type MongoClient, type Timestamp } from "mongodb";
import { isOnPath, run } from "../lab/command.ts";
import { dumpLikeMongodump, lookalikeVersion } from "../lab/lookalike_mongodump.ts";
import { databases, dropDataset, fingerprint, loadDataset } from "./dataset.ts";
import { System } from "./system.ts";

Deno.test("folders of mongodump", async (t) => {
  await using system = await System.start();
  const { client, set, lab } = system;
  const command = `podheitor-mongodb: uri=${set.uri}`;
  const work = ["--working-dir", `${lab.folder}/work`];
  const restore = (from: string, options: string, ...more: string[]) =>
    system.backend(["restore", "--from", from, ...work, ...more, `${command} ${options}`]);
  await loadDataset(client, system.serverVersion);
  await loadNames(client, system.serverVersion);
  const all = [...databases, "names"];
  const before = await fingerprint(client, all);
  const clear = async () => {
    await dropDataset(client);
    await client.db("names").dropDatabase();
  };

  await t.step("where= leaves the very tree that mongodump would", async () => {
    const backup = await system.backend(["backup", "--to", `${lab.folder}/backups`, ...work, command]);
    assert.equal(backup.code, 0, backup.stderr);
    const done = await restore(`${lab.folder}/backups`, "", "--where", `${lab.folder}/ours`);
    assert.equal(done.code, 0, done.stderr);
    await dumpLikeMongodump(client, `${lab.folder}/theirs`, { databases: all });
    const [ours, theirs] = [treeOf(`${lab.folder}/ours`), treeOf(`${lab.folder}/theirs`)];
    // A Full brings the oplog of its time along, as mongodump does with --oplog.
    ours.delete("oplog.bson");
    assert.deepEqual([...ours.keys()], [...theirs.keys()]);
    for (const [path, bytes] of ours) {
      if (path.endsWith(".bson")) {
        assert.equal(Buffer.compare(inOrder(bytes), inOrder(theirs.get(path)!)), 0, path);
        continue;
      }
      const [text, wanted] = [new TextDecoder().decode(bytes), textOf(theirs, path)];
      if (path === "prelude.json") {
        assert.equal(JSON.parse(text).ServerVersion, JSON.parse(wanted).ServerVersion);
        // The driver's objects put number-like keys first: of these, only the meaning can be compared.
      } else if (text.includes('"10":')) assert.deepEqual(JSON.parse(text), JSON.parse(wanted));
      else assert.equal(text, wanted);
    }
  });

  await t.step("what where= left is restored again", async () => {
    await clear();
    const done = await restore(`${lab.folder}/ours`, "allow_unsigned=yes");
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(await fingerprint(client, all), before);
  });

  await t.step("nobody's signature has to be allowed, and the log says so", async () => {
    const refused = await restore(`${lab.folder}/ours`, "");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /MONGO-502 .*mongodump wrote it, and signs nothing/);
    const occupied = await restore(`${lab.folder}/theirs`, "allow_unsigned=yes");
    assert.equal(occupied.code, 1);
    assert.match(occupied.stderr, /MONGO-601 .*not empty/);
    assert.ok(occupied.stdout.includes(`mongodump ${lookalikeVersion} wrote`), occupied.stdout);
    assert.match(occupied.stdout, /nothing in it is signed/);
    assert.match(occupied.stdout, /Warning: Manifest .* NOT SIGNED/);
  });

  await t.step("a compressed one is restored, over what is there, with the oplog of its time", async () => {
    await clear();
    await loadDataset(client, system.serverVersion);
    await loadNames(client, system.serverVersion);
    const { operationTime } = await client.db("app").command({ ping: 1 });
    // A dump has each collection as of another moment: here all are older than the oplog's end.
    await dumpLikeMongodump(client, `${lab.folder}/gz`, { databases: all, gzip: true });
    await client.db("app").collection("orders").updateMany({ customer: 7 }, { $set: { note: "changed" } });
    await client.db("app").collection("late").insertOne({ made: "during the dump" });
    await client.db("app").collection("late").createIndex({ made: 1 });
    await writeOplog(client, `${lab.folder}/gz`, operationTime);
    const now = await fingerprint(client, all);
    const done = await restore(`${lab.folder}/gz`, "allow_unsigned=yes drop=yes");
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /Replayed .* of the oplog/);
    assert.deepEqual(await fingerprint(client, all), now);
    // Where the dump ended within its oplog, nothing in the folder says: only the oplog's own end is an instant for sure.
    const early = `pit=${operationTime.getHighBits()}:${operationTime.getLowBits()}`;
    const refused = await restore(`${lab.folder}/gz`, `allow_unsigned=yes drop=yes ${early}`);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /MONGO-406 .*the earliest instant that it can give is its end/);
    assert.deepEqual(await fingerprint(client, all), now);
  });

  await t.step("include, new names and a dry run go through the same plan", async () => {
    const options = "allow_unsigned=yes include=app.orders ns_from=app.* ns_to=copy.*";
    const dry = await restore(`${lab.folder}/theirs`, `${options} dry_run=yes`);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /Plan: 1 collection, 30,000 documents/);
    assert.deepEqual(await client.db("copy").listCollections().toArray(), []);
    const done = await restore(`${lab.folder}/theirs`, options);
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual((await client.db("copy").listCollections().toArray()).map(({ name }) => name), [
      "orders",
    ]);
    assert.equal(await client.db("copy").collection("orders").countDocuments(), 30_000);
    assert.equal((await client.db("copy").collection("orders").indexes()).length, 9);
    await client.db("copy").dropDatabase();
    const one = await restore(
      `${lab.folder}/theirs`,
      `${options} resource=r1`,
      "--only",
      "/@mongodb/r1/app/orders.bson",
    );
    assert.equal(one.code, 0, one.stderr);
    assert.equal(await client.db("copy").collection("orders").countDocuments(), 30_000);
    await client.db("copy").dropDatabase();
  });

  await t.step("a damaged file ends it before anything is written", async () => {
    await clear();
    const path = `${lab.folder}/theirs/zoo/animals.bson`;
    const whole = await Deno.readFile(path);
    await Deno.writeFile(path, whole.subarray(0, -3));
    const done = await restore(`${lab.folder}/theirs`, "allow_unsigned=yes");
    assert.equal(done.code, 1);
    assert.match(
      done.stderr,
      /MONGO-507 Cannot read .*\/zoo\/animals\.bson: at offset \d+, it ends within a document/,
    );
    for (const name of all) assert.deepEqual(await client.db(name).listCollections().toArray(), []);
    const others = await restore(`${lab.folder}/theirs`, "allow_unsigned=yes exclude=zoo.animals");
    assert.equal(others.code, 0, others.stderr);
    await Deno.writeFile(path, whole);
  });

  for (const tool of ["mongodump", "mongorestore"]) {
    if (!await isOnPath(tool)) console.log(`${tool} isn't on PATH: its half of this test is left out`);
  }
  if (await isOnPath("mongorestore")) {
    await t.step("stock mongorestore takes what where= left", async () => {
      await clear();
      await run("mongorestore", ["--uri", set.uri, "--oplogReplay", `${lab.folder}/ours`]);
      assert.deepEqual(await fingerprint(client, all), before);
    });
  }
  if (await isOnPath("mongodump")) {
    await t.step("what stock mongodump wrote is restored", async () => {
      await clear();
      await loadDataset(client, system.serverVersion);
      const now = await fingerprint(client);
      await run("mongodump", ["--uri", set.uri, "--gzip", "--out", `${lab.folder}/stock`]);
      const done = await restore(`${lab.folder}/stock`, "allow_unsigned=yes drop=yes");
      assert.equal(done.code, 0, done.stderr);
      assert.deepEqual(await fingerprint(client), now);
    });
  }
});

/** Names that a file system or a URL minds, and one that is cut. */
async function loadNames(client: MongoClient, serverVersion: number): Promise<void> {
  const db = client.db("names");
  const long = "l".repeat(235);
  for (const name of ["my coll+1", "a/b:c*d?", "100%", "näme=&@~", "ends\n", "(a)'!", `${long} 1`]) {
    await db.collection(name).insertOne({ name, n: Long.fromNumber(1) });
  }
  if (serverVersion >= 5) {
    await db.createCollection("t s", { timeseries: { timeField: "t" } });
    await db.collection("t s").insertOne({ t: new Date(0), value: 1 });
  }
  await db.createCollection("v/w", { viewOn: "my coll+1", pipeline: [] });
}

async function writeOplog(client: MongoClient, out: string, from: Timestamp): Promise<void> {
  await dumpLikeMongodump(client, out, { databases: [], gzip: true, oplogFrom: from });
}

function treeOf(root: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const walk = (below: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${root}/${below}`)) {
      if (isDirectory) walk(`${below}${name}/`);
      else files.set(`${below}${name}`, Deno.readFileSync(`${root}/${below}${name}`));
    }
  };
  walk("");
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A file's documents, sorted by their bytes: members of a set don't store them in the same order. */
function inOrder(bytes: Uint8Array): Uint8Array {
  const documents: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += documents.at(-1)!.length) {
    documents.push(bytes.subarray(at, at + new DataView(bytes.buffer, at, 4).getInt32(0, true)));
  }
  return Buffer.concat(documents.sort((a, b) => Buffer.compare(a, b)));
}

function textOf(files: ReadonlyMap<string, Uint8Array>, path: string): string {
  return new TextDecoder().decode(files.get(path));
}
