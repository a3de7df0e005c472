/**
 * `deno task demo`: the whole way once, on real parts: a replica set of three, a Director, a Storage and a File Daemon, driven through bconsole.
 *
 * @module
 */

import { Binary, Decimal128, Long, MongoClient, Timestamp } from "mongodb";
import { build } from "../packaging/build.ts";
import { BaculaLab, type JobResult } from "./lab/bacula.ts";
import { ReplicaSet } from "./lab/mongod.ts";
import { ensureTools } from "./lab/tools.ts";

const started = performance.now();
let step = 0;

/** Says what comes next. */
function narrate(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(3);
  console.log(`\n\x1b[1m[${seconds} s] ${++step}. ${text}\x1b[0m`);
}

/** The part of a job's log that an operator looks at: what the plugin says, and how it ended. */
function showJob({ jobId, status, errors, log }: JobResult): void {
  for (const line of log.split("\n")) {
    if (/podheitor-mongodb|^Hint|Fatal|Termination:/.test(line)) console.log(`   | ${line.trim()}`);
  }
  console.log(`   job ${jobId}: status ${status}, JobErrors ${errors}`);
}

function expect(good: boolean, sentence: string): void {
  console.log(`   ${good ? "yes" : "NO"}: ${sentence}`);
  if (!good) throw new Error(`The demo did not show what it should: ${sentence}`);
}

/** Some 100,000 documents of mixed kinds in two databases. */
async function load(client: MongoClient): Promise<void> {
  const app = client.db("app");
  const orders = app.collection<{ _id: number }>("orders");
  for (let from = 0; from < 80_000; from += 10_000) {
    await orders.insertMany(Array.from({ length: 10_000 }, (_, at) => ({
      _id: from + at,
      customer: (from + at) % 977,
      total: Decimal128.fromString(`${from + at}.95`),
      lines: [{ sku: `sku-${at % 50}`, count: at % 7 }, { sku: "sku-x", count: 1 }],
      placed: new Date(1_700_000_000_000 + at * 1000),
      version: Long.fromNumber(at),
    })));
  }
  await orders.createIndexes([{ key: { customer: 1, placed: -1 } }, {
    key: { "lines.sku": 1 },
    sparse: true,
  }]);
  await app.createCollection("log", { capped: true, size: 1 << 20 });
  await app.collection("log").insertMany(
    Array.from({ length: 5_000 }, (_, at) => ({ at, note: `line ${at}` })),
  );
  await app.createCollection("open_orders", {
    viewOn: "orders",
    pipeline: [{ $match: { customer: { $lt: 10 } } }],
  });
  const shop = client.db("shop");
  await shop.collection("pictures").insertMany(
    Array.from(
      { length: 20 },
      (_, at) => ({ name: `p${at}`, bytes: new Binary(new Uint8Array(200_000).fill(at)) }),
    ),
  );
  await shop.collection("odd/näme %").insertMany(
    Array.from({ length: 15_000 }, (_, at) => ({ at, stamp: new Timestamp({ t: at, i: 1 }) })),
  );
}

/** The server's own hashes of every collection, and the catalog's options and indexes. */
async function fingerprint(client: MongoClient): Promise<string> {
  const all: unknown[] = [];
  for (const name of ["app", "shop"]) {
    const db = client.db(name);
    const { collections } = await db.command({ dbHash: 1 });
    all.push(name, collections);
    for (
      const collection of (await db.listCollections().toArray()).sort((a, b) => (a.name < b.name ? -1 : 1))
    ) {
      all.push(collection.name, "options" in collection ? collection.options : null);
      if (collection.type !== "view") all.push(await db.collection(collection.name).indexes());
    }
  }
  return JSON.stringify(all);
}

/** Changes one byte within a document of the volume. */
async function tamper(volume: string): Promise<void> {
  const bytes = await Deno.readFile(volume);
  const at = new TextDecoder("latin1").decode(bytes).indexOf("sku-x", 2_000_000);
  if (at < 0) throw new Error("The volume holds no document to change");
  bytes[at + 4] = "y".charCodeAt(0);
  await Deno.writeFile(volume, bytes);
}

/** A stand-alone backup, its verification, and the verification of a changed copy. */
async function standalone(
  uri: string,
  folder: string,
  { backend, key }: { backend: string; key: string },
): Promise<void> {
  const run = async (...args: string[]) => {
    const env = { PODHEITOR_MONGODB_SIGNING_KEY: key };
    const { code, stdout } = await new Deno.Command(backend, { args, env, stderr: "inherit" }).output();
    for (const line of new TextDecoder().decode(stdout).trim().split("\n")) console.log(`   | ${line}`);
    return code;
  };
  const command = `podheitor-mongodb: uri=${uri} resource=demo`;
  await run("backup", "--to", folder, "--job", "copy", "--working-dir", folder, command);
  expect(await run("verify", folder) === 0, "every object is what the signed manifest says");
  const path = `${folder}/copy/@mongodb/demo/app/orders.bson`;
  const bytes = await Deno.readFile(path);
  bytes[1000]! ^= 1;
  await Deno.writeFile(path, bytes);
  expect(await run("verify", folder) === 1, "the changed byte was found");
}

async function main(): Promise<void> {
  narrate("Getting ready: tools, a mongod, Bacula 15.0.3, and the build (downloads happen once)");
  await ensureTools(["gcc", "make"]);
  const built = await build();
  const key = crypto.getRandomValues(new Uint8Array(32)).toBase64();

  narrate(
    "Starting a replica set of three and a Bacula: Director, Storage Daemon, File Daemon with the plugin",
  );
  await using set = await ReplicaSet.start();
  await using lab = await BaculaLab.start({
    plugin: built.plugin,
    pluginCommands: {
      Mongo:
        `podheitor-mongodb: mode=dump uri=${set.uri} database=* parallel_dbs=4 segment_size=2M verify=true`,
    },
    env: { PODHEITOR_MONGODB_BACKEND: built.backend, PODHEITOR_MONGODB_SIGNING_KEY: key },
    // Bacula's own checksum of its blocks is off, so that it is the plugin which has to notice a changed byte.
    blockChecksum: false,
  });
  const client = await new MongoClient(set.uri).connect();
  try {
    narrate(
      "Loading 100,020 documents of mixed kinds: orders with indexes, a capped log, a view, pictures, a collection with an odd name",
    );
    await load(client);
    const before = await fingerprint(client);

    narrate("bconsole: run job=Mongo level=Full");
    const full = await lab.run("Mongo", "Full");
    showJob(full);
    expect(full.status === "T" && full.errors === 0, "the Full ended well");
    const files = await lab.listFiles(full.jobId);
    console.log(
      `   ${files.length} virtual files, among them ${
        files.filter((_, at) => at % 4 === 0).slice(0, 5).join(", ")
      }`,
    );

    narrate("Dropping both databases");
    await client.db("app").dropDatabase();
    await client.db("shop").dropDatabase();

    narrate(`bconsole: restore jobid=${full.jobId} all done where=/`);
    const restored = await lab.restore({ from: [full.jobId] });
    showJob(restored);
    expect(restored.status === "T" && restored.errors === 0, "the restore ended well");
    expect(
      before === await fingerprint(client),
      "dbHash, options and indexes of every collection are what they were",
    );

    narrate("Changing one byte of a document on the volume, and restoring again, to a directory");
    await tamper(lab.volumes()[0]!);
    const refused = await lab.restore({ from: [full.jobId], where: `${lab.folder}/restore` });
    showJob(refused);
    expect(refused.status !== "T", "the changed segment was refused, and the job failed");
    expect(refused.log.includes("nothing of this object was applied"), "the job log says so");

    narrate(
      "The same without Bacula: a Full into a folder, what verify finds, and what it finds after one byte was changed",
    );
    await standalone(set.uri, `${lab.folder}/standalone`, { backend: built.backend, key });

    narrate("Cleaning up");
  } finally {
    await client.close();
  }
}

await main();
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(
  `\nDone in ${seconds} s. Processes and folders of the demo are gone; downloads stay in .cache/ for the next time.`,
);
