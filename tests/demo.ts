/**
 * `deno task demo`: the whole way once, on real parts: a replica set of three, a Director, a Storage and a File Daemon, driven through bconsole.
 *
 * @module
 */

import { MongoClient } from "mongodb";
import { build } from "../packaging/build.ts";
import { load } from "./demo/dataset.ts";
import { fingerprint } from "./demo/evidence.ts";
import { elapsedSeconds, expect, expectGood, narrate, say, showJob } from "./demo/narration.ts";
import { showPointInTime } from "./demo/point_in_time.ts";
import { BaculaLab } from "./lab/bacula.ts";
import { ScratchFolder } from "./lab/daemon.ts";
import { ReplicaSet } from "./lab/mongod.ts";

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
  const built = await build();
  await using scratch = await ScratchFolder.make("demo");
  const key = `${scratch.path}/signing.key`;
  await Deno.writeTextFile(key, crypto.getRandomValues(new Uint8Array(32)).toBase64(), { mode: 0o600 });

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
    expectGood("Full", full);
    const files = await lab.listFiles(full.jobId);
    say(
      `${files.length} virtual files, among them ${
        files.filter((_, at) => at % 4 === 0).slice(0, 5).join(", ")
      }`,
    );

    narrate("Dropping both databases");
    await client.db("app").dropDatabase();
    await client.db("shop").dropDatabase();

    narrate(`bconsole: restore jobid=${full.jobId} all done where=/`);
    expectGood("restore", await lab.restore({ from: [full.jobId] }));
    expect(
      before === await fingerprint(client),
      "dbHash, options and indexes of every collection are what they were",
    );

    await showPointInTime(lab, client);

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
console.log(
  `\nDone in ${elapsedSeconds()} s. Processes and folders of the demo are gone; downloads stay in .cache/ for the next time.`,
);
