/** engine=mongodump, with a strict stand-in for the tool, and with the tool itself where it is on PATH. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { readThroughMongodump } from "../../backend/mongo/mongodump_source.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { ToolConfig } from "../../backend/mongo/tool_config.ts";
import { Secret } from "../../backend/secret.ts";
import { build } from "../../packaging/build.ts";
import { findOnPath } from "../lab/command.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { dropDataset, fingerprint, loadDataset } from "../e2e/dataset.ts";
import { signingKey } from "../e2e/system.ts";
import { type Behaviour, installFakeMongodump } from "./fake_mongodump.ts";
import { MemoryLog } from "./memory.ts";
import { failsWith, readDocuments } from "./mongo_edges.ts";

const password = "c4n@ry:/%s3cret";

Deno.test("engine=mongodump", async (t) => {
  await using set = await ReplicaSet.start({ members: 1, auth: { user: "operator", password } });
  const client = await new MongoClient(set.uri).connect();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => client.close());
  await using scratch = await ScratchFolder.make("mongodump");
  const [tools, work] = [`${scratch.path}/tools`, `${scratch.path}/work`];
  for (const folder of [tools, work]) await Deno.mkdir(folder);
  const db = client.db("small");
  await db.collection("a b/-ä").insertMany(
    Array.from({ length: 500 }, (_, at) => ({ at, text: "x".repeat(at) })),
  );
  await db.createCollection("empty");
  await db.collection("one").insertOne({ only: 1 });
  const namespace = { database: "small", collection: "a b/-ä" };

  /** Opens the source anew, with a tool that does one thing wrong. */
  async function open(behaviour: Behaviour, log = new MemoryLog(), silenceMs = 60_000) {
    await installFakeMongodump(tools, behaviour);
    const uri = new Secret(set.uri);
    return await readThroughMongodump(await openSource(uri), uri, {
      tools,
      workingDirectory: work,
      log,
      silenceMs,
    });
  }

  await t.step("gives the very documents, and leaves no config file", async () => {
    await using native = await openSource(new Secret(set.uri));
    await using source = await open("none");
    for (const collection of ["a b/-ä", "empty", "one"]) {
      const wanted = { database: "small", collection };
      assert.deepEqual(await readDocuments(source, wanted), await readDocuments(native, wanted));
    }
    assert.match(await Deno.readTextFile(`${tools}/config`), /^podheitor-mongodb-[0-9a-f-]{36}\.tool$/);
    assert.deepEqual([...Deno.readDirSync(work)], []);
  });

  for (
    const { behaviour, want } of [
      {
        behaviour: "killed",
        want: /Cannot read small\.a b\/-ä by mongodump: it was killed by SIGKILL; it said: writing/,
      },
      { behaviour: "truncated", want: /at offset \d+ of its output, it ends within a document/ },
      { behaviour: "miscounted", want: /it says that it dumped 501 documents, 500 came/ },
      { behaviour: "silent", want: /it gave 500 documents and did not say how many they are/ },
      {
        behaviour: "failing",
        want: /it ended with status 1; it said: Failed: can't create session: .*operator:\*\*\*@/,
      },
    ] as const
  ) {
    await t.step(`a ${behaviour} mongodump fails the job with a sentence and without a secret`, async () => {
      const log = new MemoryLog();
      await using source = await open(behaviour, log);
      await assert.rejects(readDocuments(source, namespace), (thrown: Error) => {
        for (const shape of [password, encodeURIComponent(password)]) {
          assert.ok(!JSON.stringify([thrown.message, log]).includes(shape));
        }
        return failsWith("incompleteRead", want)(thrown);
      });
      assert.deepEqual([...Deno.readDirSync(work)], []);
    });
  }

  await t.step("a cancelled job ends a mongodump that is stuck", async () => {
    await using source = await open("stuck");
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _ of source.readBatches(namespace, stop.signal)) {
        stop.abort(new Error("canceled by the test"));
      }
    })();
    await assert.rejects(reading, /canceled by the test/);
    assert.deepEqual([...Deno.readDirSync(work)], []);
  });

  await t.step("a mongodump that gives nothing any more fails the job", async () => {
    await using source = await open("stuck", undefined, 5_000);
    await assert.rejects(
      readDocuments(source, namespace),
      failsWith("incompleteRead", /it gave nothing for 5 s; it said: writing/),
    );
    assert.deepEqual([...Deno.readDirSync(work)], []);
  });

  await t.step("a tool that is missing, or not named, is a sentence that says what to install", async () => {
    const uri = new Secret(set.uri);
    for (
      const [folder, want] of [[undefined, /is not set/], [work, /there is no .*\/work\/mongodump/], [
        "/a,/b",
        /wanted an absolute path/,
      ]] as const
    ) {
      await using native = await openSource(uri);
      await assert.rejects(
        readThroughMongodump(native, uri, { tools: folder, workingDirectory: work, log: new MemoryLog() }),
        failsWith("optionUnavailable", want),
      );
    }
  });

  await t.step("a tool that others can change is not run", async () => {
    await installFakeMongodump(tools, "none");
    await Deno.chmod(`${tools}/mongodump`, 0o775);
    const uri = new Secret(set.uri);
    await using native = await openSource(uri);
    await assert.rejects(
      readThroughMongodump(native, uri, { tools, workingDirectory: work, log: new MemoryLog() }),
      failsWith("optionUnavailable", /others than its owner can change/),
    );
  });

  await t.step("what a dead process left is removed, what a living one has is not", async () => {
    const left = `${work}/podheitor-mongodb-${crypto.randomUUID()}.tool`;
    await Deno.writeTextFile(left, "uri: secret");
    await using used = await ToolConfig.write(work, new Secret("mongodb://x"));
    await ToolConfig.removeLeft(work);
    assert.deepEqual([...Deno.readDirSync(work)].map(({ name }) => `${work}/${name}`), [used.path]);
    assert.equal(Deno.statSync(used.path).mode! & 0o777, 0o600);
  });

  await t.step(
    "the installed backend may run it where the variable names it, and nothing otherwise",
    async () => {
      const { backend } = await build();
      const { version } = await client.db("admin").command({ buildInfo: 1 });
      await loadDataset(client, Number.parseFloat(version));
      const before = await fingerprint(client);
      await Deno.writeTextFile(`${work}/uri`, set.uri, { mode: 0o600 });
      const stock = await findOnPath("mongodump");
      if (stock === null) console.log("mongodump isn't on PATH: only the stand-in was asked");
      await installFakeMongodump(tools, "none");
      const command = `podheitor-mongodb: uri_file=${work}/uri`;
      const call = async (folder: string | undefined, ...args: string[]) => {
        const env = {
          PODHEITOR_MONGODB_SIGNING_KEY: signingKey,
          ...(folder === undefined ? {} : { PODHEITOR_MONGODB_TOOLS: folder }),
        };
        const done = await new Deno.Command(backend, { args: [...args, "--working-dir", work], env })
          .output();
        return {
          code: done.code,
          said: new TextDecoder().decode(done.stdout) + new TextDecoder().decode(done.stderr),
        };
      };
      for (const folder of [tools, ...(stock === null ? [] : [stock.replace(/\/mongodump$/, "")])]) {
        const to = `${scratch.path}/backups-${crypto.randomUUID()}`;
        const backup = await call(folder, "backup", "--to", to, `${command} engine=mongodump`);
        assert.equal(backup.code, 0, backup.said);
        await dropDataset(client);
        const restored = await call(undefined, "restore", "--from", to, `${command} drop=yes`);
        assert.equal(restored.code, 0, restored.said);
        assert.deepEqual(await fingerprint(client), before);
      }
      const denied = await call(undefined, "backup", "--to", "/dev/null", `${command} engine=mongodump`);
      assert.match(denied.said, /MONGO-102 .*PODHEITOR_MONGODB_TOOLS is not set/);
      const listed = await call(
        `${tools},/bin`,
        "backup",
        "--to",
        "/dev/null",
        `${command} engine=mongodump`,
      );
      assert.match(listed.said, /MONGO-102 .*wanted an absolute path/);
    },
  );
});
