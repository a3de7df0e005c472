/** A secondary that falls behind, on a real replica set: reading pauses until it has caught up. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { ReadThrottle } from "../../backend/job/read_throttle.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { Secret } from "../../backend/secret.ts";
import { until } from "../lab/condition.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { MemoryLog } from "./memory.ts";

Deno.test("Source.lagSeconds() follows a secondary that stops applying, and ReadThrottle waits for it", async () => {
  await using set = await ReplicaSet.start({ extraArgs: ["--setParameter", "enableTestCommands=1"] });
  await using client = new MongoClient(set.uri);
  // The seed may not have heard yet that the others have become secondaries.
  await using source = await until("a secondary to be picked", 30_000, async () => {
    const picked = await openSource(new Secret(set.uri));
    if (picked.deployment.sourceState === "SECONDARY") return picked;
    await picked[Symbol.asyncDispose]();
    return null;
  });
  const { deployment } = source;
  const member = set.members.find(({ port }) => deployment.source.endsWith(`:${port}`))!;
  const write = () => client.db("app").collection("writes").insertOne({});
  const stopApplying = (mode: "alwaysOn" | "off") =>
    set.command(member, { configureFailPoint: "rsSyncApplyStop", mode });
  // What the primary wrote just now may not be there yet, and is seconds younger than what it wrote before.
  await until(
    "the secondary to be up with the primary",
    30_000,
    async () => (await source.lagSeconds())! <= 1,
  );

  await stopApplying("alwaysOn");
  await until("the secondary to be behind", 30_000, async () => {
    await write();
    return (await source.lagSeconds())! > 1;
  });
  const log = new MemoryLog();
  const bounds = { bytesPerSecond: 0, lagSeconds: 1 };
  const throttle = new ReadThrottle(bounds, () => source.lagSeconds(), deployment.source, log);
  let hasPassed = false;
  const passing = throttle.pass(1, new AbortController().signal).then(() => hasPassed = true);
  await until("the pause", 10_000, () => log.lines.length > 0);
  assert.ok(!hasPassed);
  await stopApplying("off");
  await passing;
  throttle.report();
  const texts = [
    /^info Reading pauses: .* is \d+ s behind/,
    /^info Reading goes on after/,
    /^info Reading paused 1 time/,
  ];
  assert.equal(log.lines.length, texts.length);
  for (const [at, text] of texts.entries()) assert.match(log.lines[at]!, text);
});

Deno.test("Source.lagSeconds() is null without the privilege to ask, and 0 for a server without a set", async () => {
  await using single = await ReplicaSet.standalone();
  await using alone = await openSource(new Secret(single.uri));
  assert.equal(await alone.lagSeconds(), 0);
  await using set = await ReplicaSet.start({ members: 1, auth: { user: "root", password: "x" } });
  await using client = new MongoClient(set.uri);
  await client.db("admin").command({
    createUser: "guest",
    pwd: "y",
    roles: [{ role: "readAnyDatabase", db: "admin" }],
  });
  await using guest = await openSource(new Secret(set.uri.replace("root:x", "guest:y")));
  assert.equal(await guest.lagSeconds(), null);
});
