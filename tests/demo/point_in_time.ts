/**
 * Scenes of the chain: a Full and two Incrementals while others write, a gap in the oplog that is refused, and the way back to one instant.
 *
 * @module
 */

import type { MongoClient, Timestamp } from "mongodb";
import type { BaculaLab } from "../lab/bacula.ts";
import { compare, type Copy, copyAll, describeCatalog, fingerprint } from "./evidence.ts";
import { expect, expectGood, narrate, say, showJob } from "./narration.ts";
import { audit, totalBalance, Writers } from "./writers.ts";

/** Numbers of fields in the form of `mod`, Plugin Options. */
const [drop, pit, dryRun] = [2, 4, 5];

/** Transfers between one step and the next. */
const transfersBetween = 20;

/** Backs up under load, and restores to an instant amid it. The data must be the demo's. */
export async function showPointInTime(lab: BaculaLab, client: MongoClient): Promise<void> {
  narrate(
    "People go to work: orders change one by one, and transactions move money between the databases, numbered 1, 2, 3 …",
  );
  await using writers = await Writers.start(client);
  await writers.goOn(transfersBetween);
  const catalog = await describeCatalog(client);

  narrate(
    "bconsole: run job=Mongo level=Full, while they work: it takes along what the oplog says of its own time",
  );
  const full = await lab.run("Mongo", "Full");
  expectGood("Full", full);

  narrate("bconsole: run job=Mongo level=Incremental: only the oplog, from where the Full ended");
  await writers.goOn(transfersBetween);
  const first = await lab.run("Mongo", "Incremental");
  expectGood("Incremental", first);

  narrate(
    "What if the oplog no longer reached back to there? Its place is set to a day earlier, where this oplog has nothing",
  );
  await showGap(lab);

  narrate(
    "An instant, picked while they work; the server still knows what was there, and that is copied: a snapshot read",
  );
  await writers.goOn(transfersBetween);
  const { at, wanted } = await remember(client, writers);
  const instant = `${at.getHighBitsUnsigned()}:${at.getLowBitsUnsigned()}`;
  await writers.goOn(transfersBetween);
  say(
    `The instant is ${instant}: second and increment. Since then, they have come to transfer ${writers.transfers}`,
  );

  narrate("bconsole: run job=Mongo level=Incremental, which goes on from the last good one");
  const second = await lab.run("Mongo", "Incremental");
  expectGood("Incremental", second);
  await writers.stop();
  say(`They stop after ${writers.transfers} transfers and ${writers.orders} changes of orders`);

  const from = [full.jobId, first.jobId, second.jobId];
  narrate(
    `bconsole: restore jobid=${from}, Plugin Options: drop=yes pit=${instant} dry_run=yes: what would be done?`,
  );
  const before = await fingerprint(client);
  expectGood(
    "dry run",
    await lab.restore({ from, pluginOptions: { fields: [[drop, "yes"], [pit, instant], [dryRun, "yes"]] } }),
  );
  expect(before === await fingerprint(client), "and nothing has changed");

  narrate("The same without dry_run");
  expectGood(
    "restore",
    await lab.restore({ from, pluginOptions: { fields: [[drop, "yes"], [pit, instant]] } }),
  );
  const { documents, differences } = compare(await copyAll(client), wanted);
  for (const difference of differences) say(difference);
  expect(
    differences.length === 0,
    `all ${
      documents.toLocaleString("en")
    } documents are, byte for byte, those of the copy, and there are no others`,
  );
  expect(catalog === await describeCatalog(client), "collections, options and indexes are what they were");
  const { lastTransfer, isComplete, balance } = await audit(client);
  expect(
    lastTransfer < writers.transfers && isComplete && balance === totalBalance,
    `the books end with transfer ${lastTransfer} of ${writers.transfers}, none before it is missing, and no money is lost`,
  );
}

/** An instant, and all documents as they were at it. */
async function remember(client: MongoClient, writers: Writers): Promise<{ at: Timestamp; wanted: Copy }> {
  const { version } = await client.db("admin").command({ buildInfo: 1 });
  if (Number.parseInt(version) >= 5) {
    const at = writers.clusterTime;
    return { at, wanted: await copyAll(client, at) };
  }
  say(`MongoDB ${version} can't be asked for the past: for the copy, they have to hold still`);
  await writers.stop();
  const { operationTime: at } = await client.db("admin").command({ ping: 1 });
  const wanted = await copyAll(client);
  writers.resume();
  return { at, wanted };
}

/** Has the plugin believe that the last job ended a day before it did, for one job. */
async function showGap(lab: BaculaLab): Promise<void> {
  const path = `${lab.folder}/work/podheitor-mongodb-rs0-tip.json`;
  const text = await Deno.readTextFile(path);
  const file = JSON.parse(text);
  file.tips[0].position.t -= 86_400;
  await Deno.writeTextFile(path, JSON.stringify(file));
  const refused = await lab.run("Mongo", "Incremental");
  await Deno.writeTextFile(path, text);
  showJob(refused);
  expect(
    refused.status !== "T" && refused.log.includes("MONGO-402"),
    "no Incremental with a hole in it: the job failed, and says what to do",
  );
}
