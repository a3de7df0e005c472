/** What a Full from a secondary asks of the primary, as the primary's own log has it. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { until } from "../lab/condition.ts";
import { type Member, ReplicaSet } from "../lab/mongod.ts";
import { FolderJobs } from "./folder_jobs.ts";

/** What a server logs of each operation, once it takes all for slow. */
interface Operation {
  readonly attr?: { readonly appName?: string; readonly command?: Record<string, unknown> };
}

/** Names of the commands that a member has served to backups. */
async function servedToBackups({ logpath }: Member): Promise<Map<string, number>> {
  const served = new Map<string, number>();
  for (const line of (await Deno.readTextFile(logpath)).split("\n")) {
    if (!line.includes('"Slow query"') || !line.includes('"appName":"podheitor-mongodb"')) continue;
    const { attr }: Operation = JSON.parse(line);
    const [name] = Object.keys(attr?.command ?? {});
    if (name !== undefined) served.set(name, (served.get(name) ?? 0) + 1);
  }
  return served;
}

Deno.test("a Full from a secondary reads nothing from the primary, which is written to all the while", async () => {
  await using set = await ReplicaSet.start();
  await using jobs = await FolderJobs.make();
  await using client = new MongoClient(set.uri);
  const events = client.db("app").collection("events");
  const text = "x".repeat(500);
  await events.insertMany(Array.from({ length: 20_000 }, (_, at) => ({ at, text })), {
    writeConcern: { w: 3 },
  });
  for (const member of set.members) await set.command(member, { profile: 0, slowms: -1 });
  const primary = await set.primary();

  let isWriting = true;
  let writes = 0;
  const writing = (async () => {
    for (; isWriting; writes++) await events.insertOne({ more: writes }, { writeConcern: { w: 1 } });
  })();
  const log = await jobs.backUp("F", "full", `uri=${set.uri} max_rate=8M`);
  isWriting = false;
  await writing;

  assert.ok(writes > 100, `${writes} writes`);
  assert.match(log, /from 127\.0\.0\.1:\d+ \(SECONDARY\)/);
  const [, port] = /from 127\.0\.0\.1:(\d+) \(SECONDARY\)/.exec(log)!;
  const source = set.members.find((member) => String(member.port) === port)!;
  // A log may be written a moment later.
  await until(
    "the source's log",
    10_000,
    async () => ((await servedToBackups(source)).get("getMore") ?? 0) > 2,
  );
  assert.ok((await servedToBackups(source)).has("find"));
  const asked = [...(await servedToBackups(primary)).keys()].sort();
  const reading = [
    "find",
    "getMore",
    "aggregate",
    "count",
    "listCollections",
    "listIndexes",
    "collStats",
    "dbStats",
  ];
  assert.deepEqual(asked.filter((name) => reading.includes(name)), [], asked.join(", "));
});
