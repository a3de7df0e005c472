/**
 * A Full whose member is killed, restarted or made primary at a random moment, while others write: what is restored is what is there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Binary, type Collection, MongoClient } from "mongodb";
import { openSource } from "../../backend/mongo/source.ts";
import { anySource } from "../../backend/mongo/source_rules.ts";
import { Secret } from "../../backend/secret.ts";
import { until } from "../lab/condition.ts";
import { type Member, ReplicaSet } from "../lab/mongod.ts";
import { findMongod } from "../lab/mongod_binary.ts";
import { FolderJobs } from "./folder_jobs.ts";
import { readDocuments } from "./mongo_edges.ts";

interface Row {
  _id: number;
  filler: Binary;
  changes: number;
}

const fillerBytes = 4_000;
/** Documents of each collection when a round begins. */
const sizes = { large: 8_000, natural: 5_000, small: 50, tiny: 3 } as const;

const address = ({ host, port }: Member) => `${host}:${port}`;

function row(_id: number): Row {
  return { _id, filler: new Binary(crypto.getRandomValues(new Uint8Array(fillerBytes))), changes: 0 };
}

async function load(client: MongoClient): Promise<void> {
  await client.db("app").dropDatabase();
  for (const [name, size] of Object.entries(sizes)) {
    const rows = Array.from({ length: size }, (_, at) => row(at));
    await client.db("app").collection<Row>(name).insertMany(rows, { writeConcern: { w: "majority" } });
  }
}

/** Changes, removes and adds documents of all collections until it is told to stop. */
async function write(client: MongoClient, stop: AbortSignal): Promise<number> {
  let changes = 0;
  for (let next = 10_000; !stop.aborted; next++) {
    for (const [name, size] of Object.entries(sizes)) {
      const rows: Collection<Row> = client.db("app").collection(name);
      const one = Math.floor(Math.random() * size);
      // Without a primary, there is nothing to be written.
      await rows.updateOne({ _id: one }, { $inc: { changes: 1 } }).catch(() => {});
      await rows.insertOne(row(next)).catch(() => {});
      await rows.deleteOne({ _id: one + 10_000 }).catch(() => {});
      changes++;
    }
  }
  return changes;
}

async function contentOf(client: MongoClient): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of Object.keys(sizes)) {
    const rows = client.db("app").collection(name).find({}, { raw: true, readConcern: "majority" });
    for await (const bytes of rows) {
      const hex = (bytes as unknown as Uint8Array).toHex();
      // Its `_id` comes first: an Int32.
      found.set(`${name} ${hex.slice(8, 26)}`, hex);
    }
  }
  return found;
}

/** Bytes of the data that a job has sent so far. */
function sentBytes(folder: string): number {
  try {
    const data = `${folder}/backups/.full.partial/@mongodb/r/app`;
    return [...Deno.readDirSync(data)].reduce(
      (sum, { name }) => sum + Deno.statSync(`${data}/${name}`).size,
      0,
    );
  } catch {
    return 0;
  }
}

Deno.test("Source.readBatches() gives what a majority has, where the server knows", async (t) => {
  await t.step("of a primary whose last write nobody else has", async () => {
    await using set = await ReplicaSet.start({ extraArgs: ["--setParameter", "enableTestCommands=1"] });
    await using client = new MongoClient(set.uri);
    const things = client.db("app").collection<{ _id: number }>("things");
    await things.insertOne({ _id: 1 }, { writeConcern: { w: 3 } });
    const primary = await set.primary();
    await using source = await openSource(new Secret(set.uri), { ...anySource, source: address(primary) });
    const read = async () => (await readDocuments(source, { database: "app", collection: "things" })).length;
    const secondaries = set.members.filter(({ port }) => port !== primary.port);
    const stopApplying = async (mode: "alwaysOn" | "off") => {
      for (const member of secondaries) {
        await set.command(member, { configureFailPoint: "rsSyncApplyStop", mode });
        await set.command(member, { configureFailPoint: "stopReplProducer", mode });
      }
    };
    await stopApplying("alwaysOn");
    await things.insertOne({ _id: 2 }, { writeConcern: { w: 1 } });
    assert.equal(await things.countDocuments(), 2);
    assert.equal(await read(), 1);
    assert.ok(source.readsCommitted);
    await stopApplying("off");
    await until("the majority to have it", 30_000, async () => await read() === 2);
  });

  await t.step("and all there is where it doesn't (4.4 only)", async () => {
    const args = ["--enableMajorityReadConcern", "false"];
    if (!(await findMongod()).version.startsWith("4.")) return;
    await using set = await ReplicaSet.start({ members: 1, extraArgs: args });
    await using client = new MongoClient(set.uri);
    await client.db("app").collection("things").insertOne({ a: 1 });
    await using source = await openSource(new Secret(set.uri));
    assert.equal((await readDocuments(source, { database: "app", collection: "things" })).length, 1);
    assert.ok(!source.readsCommitted);
  });
});

Deno.test("a Full goes on when its member comes back", async (t) => {
  await using set = await ReplicaSet.start();
  await using other = await ReplicaSet.start({ members: 1 });
  await using client = new MongoClient(set.uri);
  await using restored = new MongoClient(other.uri);
  const secondary = async () => {
    const { port } = await set.primary();
    return set.members.find((member) => member.port !== port)!;
  };

  /** Strikes a Full, takes an Incremental of what came after it, restores both, and compares. */
  const roundTrip = async (strike: (member: Member) => Promise<unknown>, options = ""): Promise<string> => {
    await load(client);
    await using jobs = await FolderJobs.make();
    const member = await secondary();
    const from = `uri=${set.uri} source=${address(member)}`;
    const stop = new AbortController();
    const writing = write(client, stop.signal);
    let log: string;
    try {
      const job = jobs.backUp(
        "F",
        "full",
        `${from} segment_size=1M chunk_threshold=24M chunks=2 max_rate=10M ${options}`,
      );
      const atBytes = Math.floor(1e6 + Math.random() * 20e6);
      await Promise.race([
        job,
        until("the moment", 60_000, () => Promise.resolve(sentBytes(jobs.folder) >= atBytes)),
      ]);
      const [struck] = await Promise.allSettled([strike(member), job]);
      if (struck.status === "rejected") throw struck.reason;
      log = await job;
    } finally {
      stop.abort();
      assert.ok(await writing > 10);
    }
    await set.primary();
    await jobs.backUp("I", "increment", `uri=${set.uri}`);
    await jobs.restore(`uri=${other.uri} drop=yes`);
    assert.deepEqual(await contentOf(restored), await contentOf(client), log);
    return log;
  };

  let anew = 0;
  for (const signal of ["SIGKILL", "SIGKILL", "SIGTERM"] as const) {
    await t.step(`after ${signal} and a restart`, async () => {
      const log = await roundTrip(async (member) => {
        await set.kill(member, signal);
        await set.restart(member);
      });
      assert.match(log, /^W Cannot .*\. Waiting up to 60 seconds for 127\.0\.0\.1:\d+/m);
      assert.match(log, /^I 127\.0\.0\.1:\d+ can be read again after \d/m);
      if (/^W Reading app\.\w+ anew, /m.test(log)) anew++;
    });
  }

  // Where the moment is a late one, nothing may be left to be read.
  assert.ok(anew > 0, "nothing was read anew in any round");

  await t.step("after a restart, when all is read twice for its digests", async () => {
    await roundTrip(async (member) => {
      await set.kill(member, "SIGKILL");
      await set.restart(member);
    }, "verify_digests=yes");
  });

  await t.step("through an election that makes it primary, and one that ends that", async () => {
    await roundTrip(async (member) => {
      // One that is behind is not elected.
      await until("it to be primary", 60_000, async () => {
        await set.command(member, { replSetStepUp: 1 }).catch(() => {});
        return (await set.primary()).port === member.port;
      });
      await set.stepDown();
    });
  });

  await t.step("but fails within the bound when it stays away", async () => {
    const member = await secondary();
    let killedAt = 0;
    await assert.rejects(
      roundTrip(async () => {
        await set.kill(member, "SIGKILL");
        killedAt = performance.now();
      }, "max_source_absence=2"),
      /MONGO-(306|301|401) Cannot .* was not back within 2 seconds/,
    );
    assert.ok(performance.now() - killedAt < 60_000);
    await set.restart(member);
  });
});
