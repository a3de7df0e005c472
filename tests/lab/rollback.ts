/** A primary that loses writes: it took them alone, and the set went on without it. */

import { MongoClient } from "mongodb";
import { until } from "./condition.ts";
import type { Member, ReplicaSet } from "./mongod.ts";

/**
 * Makes the primary of a set of three or more take writes that no other member gets, and roll them back.
 *
 * The others are killed, not stopped: a stopped one would find the writes in its socket when it goes on. The lonely primary steps down after
 * about the set's election time-out of 3 s, so `writes` must be quick.
 *
 * @param writes given a client of the lonely primary alone, which asks for nobody else's acknowledgement
 * @returns the member that rolled back, a secondary again
 */
export async function rollBack(
  set: ReplicaSet,
  writes: (primary: MongoClient) => Promise<void>,
): Promise<Member> {
  const old = await set.primary();
  const others = set.members.filter(({ port }) => port !== old.port);
  const before = await rollbackId(set, old);
  await using client = new MongoClient(uriOf(set, old), { writeConcern: { w: 1, journal: true } });
  await client.connect();
  await Promise.all(others.map((member) => set.kill(member, "SIGKILL")));
  await writes(client);
  await set.kill(old, "SIGKILL");
  await Promise.all(others.map((member) => set.restart(member)));
  await set.restart(old);
  await until(`the roll-back of ${old.host}:${old.port}`, 60_000, async () => {
    // It closes all connections when it begins.
    const now = await rollbackId(set, old).catch(() => before);
    return now !== before && await isSecondary(set, old).catch(() => false);
  });
  return old;
}

/** Counts a member's roll-backs; it lies on its disk. Unlike `replSetGetRBID`, an administrator may ask for it. */
async function rollbackId(set: ReplicaSet, member: Member): Promise<number> {
  const { repl } = await set.command(member, { serverStatus: 1 }) as { repl: { rbid: number } };
  return repl.rbid;
}

async function isSecondary(set: ReplicaSet, member: Member): Promise<boolean> {
  return (await set.command(member, { hello: 1 }))["secondary"] === true;
}

function uriOf(set: ReplicaSet, { host, port }: Member): string {
  const uri = new URL(set.uri.replace(/(?<=\/\/|@)[^/@]+(?=\/\?)/, `${host}:${port}`));
  uri.searchParams.delete("replicaSet");
  uri.searchParams.set("directConnection", "true");
  return uri.href;
}
