/** engine=mongodump on a restore, with a strict stand-in for mongorestore, and with the tool itself where it is on PATH. */

import assert from "node:assert/strict";
import { BSON, MongoClient } from "mongodb";
import { openTarget } from "../../backend/mongo/target.ts";
import type { RestoredCollection } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { build } from "../../packaging/build.ts";
import { findOnPath } from "../lab/command.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { dropDataset, fingerprint, loadDataset } from "../e2e/dataset.ts";
import { signingKey } from "../e2e/system.ts";
import { installFakeMongorestore, type RestoreBehaviour } from "./fake_mongorestore.ts";
import { MemoryLog } from "./memory.ts";
import { failsWith } from "./mongo_edges.ts";

const password = "c4n@ry:/%s3cret";
const configName = /^podheitor-mongodb-[0-9a-f-]{36}\.tool /;

const documents = Array.from({ length: 400 }, (_, at) => ({ _id: at, text: "x".repeat(at * 3) }));

function pack(some: readonly BSON.Document[]): Uint8Array {
  return new Uint8Array(Buffer.concat(some.map((one) => BSON.serialize(one))));
}

function collection(database: string, name: string, options = "{}"): RestoredCollection {
  const namespace = { database, collection: name };
  return {
    namespace,
    kind: "collection",
    data: namespace,
    metadata: `{"options":${options},"indexes":[],"uuid":"","collectionName":"${name}","type":"collection"}`,
  };
}

Deno.test("engine=mongodump on a restore", async (t) => {
  await using set = await ReplicaSet.start({ members: 1, auth: { user: "operator", password } });
  const client = await new MongoClient(set.uri).connect();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => client.close());
  await using scratch = await ScratchFolder.make("mongorestore");
  const [tools, work] = [`${scratch.path}/tools`, `${scratch.path}/work`];
  for (const folder of [tools, work]) await Deno.mkdir(folder);
  const plain = collection("small", "a b/-ä");

  /** Opens the target anew, with a tool that does one thing wrong, and an empty collection in it. */
  async function open(behaviour: RestoreBehaviour, log = new MemoryLog(), silenceMs = 60_000) {
    await installFakeMongorestore(tools, behaviour);
    await client.db("small").dropDatabase();
    const target = await openTarget(new Secret(set.uri), "majority", {
      tools,
      workingDirectory: work,
      log,
      silenceMs,
    });
    await target.create(plain);
    return target;
  }

  const calls = () => Deno.readTextFileSync(`${tools}/calls`).split("\n").slice(0, -1);
  const found = (name: string) => client.db("small").collection(name).find().sort({ $natural: 1 }).toArray();

  await t.step("inserts the very documents, with nothing in its environment and no file left", async () => {
    const log = new MemoryLog();
    await using target = await open("none", log);
    await target.write(plain, pack(documents));
    assert.deepEqual(await found("a b/-ä"), documents);
    const [call, ...more] = calls();
    assert.match(call!, configName);
    assert.equal(call!.replace(configName, ""), "small.a b/-ä false majority");
    assert.deepEqual(more, []);
    assert.equal(Deno.statSync(`${tools}/environ`).size, 0);
    assert.deepEqual([...Deno.readDirSync(work)], []);
    assert.ok(!JSON.stringify(log).includes("mongorestore"), JSON.stringify(log));
  });

  await t.step("a capped collection keeps its order", async () => {
    await using target = await open("none");
    const capped = collection("small", "capped", '{"capped":true,"size":{"$numberInt":"10000000"}}');
    await target.create(capped);
    await target.write(capped, pack(documents.toReversed()));
    assert.deepEqual(await found("capped"), documents.toReversed());
    assert.match(calls()[0]!, /small\.capped true majority$/);
  });

  await t.step("what the tool would change or has rules of its own for, it isn't given", async () => {
    await using target = await open("none");
    const empty = new BSON.Timestamp({ t: 0, i: 0 });
    await target.write(plain, pack([{ _id: 1, at: empty }]));
    assert.deepEqual(await found("a b/-ä"), [{ _id: 1, at: empty }]);
    await target.write(collection("small", "system.js"), pack([{ _id: "f", value: 1 }]));
    assert.deepEqual(calls(), []);
  });

  for (
    const { behaviour, want } of [
      { behaviour: "killed", want: /by mongorestore: it was killed by SIGKILL; it said: .*restoring small/ },
      {
        behaviour: "failing",
        want:
          /it ended with status 1, having restored 0 of 400 documents; it said: Failed: .*operator:\*\*\*@/,
      },
      { behaviour: "rejecting", want: /given 400 documents, restored 399 and failed to restore 1; .*E11000/ },
      { behaviour: "forgetful", want: /given 400 documents, restored 399 and failed to restore 0/ },
      { behaviour: "silent", want: /it did not say how many of 400 documents it restored/ },
      { behaviour: "babbling", want: /it did not say how many of 400 documents it restored/ },
    ] as const
  ) {
    await t.step(
      `a ${behaviour} mongorestore fails the job with a sentence and without a secret`,
      async () => {
        const log = new MemoryLog();
        await using target = await open(behaviour, log);
        await assert.rejects(target.write(plain, pack(documents)), (thrown: Error) => {
          for (const shape of [password, encodeURIComponent(password)]) {
            assert.ok(!JSON.stringify([thrown.message, log]).includes(shape));
          }
          return failsWith("restoreWrite", want)(thrown);
        });
        assert.deepEqual([...Deno.readDirSync(work)], []);
      },
    );
  }

  for (const behaviour of ["stuck", "endless"] as const) {
    await t.step(`a mongorestore that is ${behaviour} fails the job`, async () => {
      await using target = await open(behaviour, undefined, 5_000);
      await assert.rejects(
        target.write(plain, pack(documents)),
        failsWith("restoreWrite", /it took nothing and did not end for 5 s/),
      );
      assert.deepEqual([...Deno.readDirSync(work)], []);
    });
  }

  await t.step("a restore that ends early ends a mongorestore that is stuck", async () => {
    const target = await open("stuck");
    const writing = assert.rejects(
      target.write(plain, pack(documents)),
      failsWith("restoreWrite", /it was killed by SIGKILL/),
    );
    await target[Symbol.asyncDispose]();
    await writing;
    assert.deepEqual([...Deno.readDirSync(work)], []);
  });

  await t.step("a tool that is missing is a sentence that says what to install", async () => {
    await assert.rejects(
      openTarget(new Secret(set.uri), "majority", {
        tools: work,
        workingDirectory: work,
        log: new MemoryLog(),
      }),
      failsWith("optionUnavailable", /there is no .*\/work\/mongorestore/),
    );
  });

  await t.step(
    "the installed backend restores by it where the variable names it, and not at all otherwise",
    async () => {
      const { backend } = await build();
      const { version } = await client.db("admin").command({ buildInfo: 1 });
      await client.db("small").dropDatabase();
      await loadDataset(client, Number.parseFloat(version));
      const before = await fingerprint(client);
      await Deno.writeTextFile(`${work}/uri`, set.uri, { mode: 0o600 });
      const stock = await findOnPath("mongorestore");
      if (stock === null) console.log("mongorestore isn't on PATH: only the stand-in was asked");
      await installFakeMongorestore(tools, "none");
      const command = `podheitor-mongodb: uri_file=${work}/uri`;
      const call = async (folder: string | undefined, ...args: string[]) => {
        const env = {
          PODHEITOR_MONGODB_SIGNING_KEY: signingKey,
          ...(folder === undefined ? {} : { PODHEITOR_MONGODB_TOOLS: folder }),
        };
        const done = await new Deno.Command(backend, { args: [...args, "--working-dir", work], env })
          .output();
        const said = new TextDecoder().decode(done.stdout) + new TextDecoder().decode(done.stderr);
        return { code: done.code, said };
      };
      const to = `${scratch.path}/backups`;
      const backup = await call(undefined, "backup", "--to", to, command);
      assert.equal(backup.code, 0, backup.said);
      const restore = (folder: string | undefined) =>
        call(folder, "restore", "--from", to, `${command} drop=yes engine=mongodump`);
      for (const folder of [tools, ...(stock === null ? [] : [stock.replace(/\/mongorestore$/, "")])]) {
        await dropDataset(client);
        const restored = await restore(folder);
        assert.equal(restored.code, 0, restored.said);
        assert.deepEqual(await fingerprint(client), before);
      }
      assert.ok(calls().length > 5, calls().join());
      const left = [...Deno.readDirSync(work)].map(({ name }) => name).filter((name) =>
        name.endsWith(".tool")
      );
      assert.deepEqual(left, []);

      const elsewhere = `${scratch.path}/elsewhere`;
      const toFiles = await call(
        tools,
        "restore",
        "--from",
        to,
        "--where",
        elsewhere,
        `${command} engine=mongodump`,
      );
      assert.equal(toFiles.code, 1, toFiles.said);
      assert.match(toFiles.said, /MONGO-\d{3} Cannot restore with engine=mongodump to \/.*elsewhere: /);
      const rehearsal = await call(tools, "rehearse", "--from", to, "podheitor-mongodb: engine=mongodump");
      assert.equal(rehearsal.code, 1, rehearsal.said);
      assert.match(rehearsal.said, /MONGO-\d{3} Cannot restore with engine=mongodump in a rehearsal: /);

      await installFakeMongorestore(tools, "rejecting");
      const failed = await restore(tools);
      assert.equal(failed.code, 1, failed.said);
      assert.match(failed.said, /MONGO-603 Cannot write to .* by mongorestore: .*failed to restore 1/);

      const denied = await restore(undefined);
      assert.match(denied.said, /MONGO-102 .*PODHEITOR_MONGODB_TOOLS is not set/);
    },
  );
});
