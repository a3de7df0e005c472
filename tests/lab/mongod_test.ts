import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { type Member, ReplicaSet } from "./mongod.ts";

/** What must be gone at the end. */
function traces(members: readonly Member[]): string[] {
  return members.flatMap(({ pid, dbpath, logpath }) => [`/proc/${pid}`, dbpath, logpath]);
}

async function assertGone(paths: readonly string[]): Promise<void> {
  for (const path of paths) await assert.rejects(Deno.stat(path), Deno.errors.NotFound, path);
}

Deno.test("ReplicaSet: three members, step-down, kill, restart, and nothing left after stop", async () => {
  await using set = await ReplicaSet.start();
  const first = await set.primary();
  const second = await set.stepDown();
  assert.notEqual(second.port, first.port);

  const { pid } = second;
  await set.kill(second, "SIGKILL");
  const third = await set.primary();
  assert.notEqual(third.port, second.port);
  await set.restart(second);
  assert.notEqual(second.pid, pid);

  await using client = new MongoClient(set.uri);
  await client.db("app").collection("things").insertOne({ a: 1 }, { writeConcern: { w: 3 } });
  const { hosts } = await client.db("admin").command({ hello: 1 });
  assert.deepEqual(hosts.toSorted(), set.members.map(({ host, port }) => `${host}:${port}`).toSorted());

  const paths = [...traces(set.members), `/proc/${pid}`];
  await set.stop();
  await assertGone(paths);
});

Deno.test("ReplicaSet: with an administrator, nobody else gets in", async () => {
  await using set = await ReplicaSet.start({
    members: 1,
    name: "other",
    auth: { user: "ro ot", password: "p@ss/word" },
  });
  assert.match(set.uri, /replicaSet=other/);
  await using client = new MongoClient(set.uri);
  await client.db("app").collection("things").insertOne({ a: 1 });
  await using stranger = new MongoClient(set.uri.replace(/\/\/.*@/, "//"));
  await assert.rejects(stranger.db("app").collection("things").findOne(), /requires authentication/);
});

Deno.test("ReplicaSet.standalone: a server without a set, and nothing left after stop", async () => {
  const server = await ReplicaSet.standalone({ auth: { user: "root", password: "secret" } });
  const paths = traces(server.members);
  const [member] = server.members;
  assert.ok(member);
  const reply = await server.command(member, { hello: 1 });
  assert.equal(reply.isWritablePrimary, true);
  assert.equal(reply.setName, undefined);
  await server.stop();
  await assertGone(paths);
});

Deno.test("ReplicaSet: a mongod that doesn't start fails with its own words and leaves nothing", async () => {
  await assert.rejects(ReplicaSet.start({ members: 1, extraArgs: ["--no-such-option"] }), /no-such-option/);
});
