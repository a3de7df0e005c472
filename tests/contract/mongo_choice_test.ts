/**
 * Which server is read and which is written, on real replica sets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { type ErrorCode, PluginError } from "../../backend/errors.ts";
import { openSource } from "../../backend/mongo/source.ts";
import { anySource } from "../../backend/mongo/source_rules.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import { Secret } from "../../backend/secret.ts";
import { until } from "../lab/condition.ts";
import { freePort } from "../lab/daemon.ts";
import { type Member, ReplicaSet } from "../lab/mongod.ts";
import { reconfigure } from "../lab/reconfigure.ts";
import { FakeServer } from "./fake_server.ts";
import { failsWith } from "./mongo_edges.ts";

const address = ({ host, port }: Member) => `${host}:${port}`;

async function pickedMember(
  uri: string,
): Promise<{ source: string; state: string; warnings: readonly string[] }> {
  await using source = await openSource(new Secret(uri));
  const { deployment: { source: host, sourceState }, warnings } = source;
  return { source: host, state: sourceState, warnings };
}

Deno.test("openSource() takes hidden before visible, and the primary only when no other member can do", async () => {
  await using set = await ReplicaSet.start();
  const primary = await set.primary();
  const [one, two] = set.members.filter(({ port }) => port !== primary.port) as [Member, Member];

  await until("the primary to know its secondaries", 30_000, async () => {
    const { members } = await set.command(primary, { replSetGetStatus: 1 }) as {
      members: { stateStr: string }[];
    };
    return members.filter(({ stateStr }) => stateStr === "SECONDARY").length === 2;
  });
  const visible = await pickedMember(set.uri);
  {
    await using source = await openSource(new Secret(set.uri));
    assert.equal(typeof source.longestOplogSeconds, "number");
  }
  assert.deepEqual([visible.state, visible.warnings], ["SECONDARY", []]);
  assert.ok([address(one), address(two)].includes(visible.source));

  await reconfigure(set, new Map([[two, { priority: 0, hidden: true }]]));
  assert.deepEqual(await pickedMember(set.uri), { source: address(two), state: "SECONDARY", warnings: [] });

  const delay = set.binary.version.startsWith("4.") ? { slaveDelay: 3600 } : { secondaryDelaySecs: 3600 };
  await reconfigure(set, new Map([[two, delay]]));
  assert.deepEqual(await pickedMember(set.uri), { source: address(one), state: "SECONDARY", warnings: [] });

  await set.kill(one, "SIGKILL");
  await until("the primary to miss its secondary", 30_000, async () => {
    const { members } = await set.command(primary, { replSetGetStatus: 1 }) as {
      members: { name: string; health: number }[];
    };
    return members.find(({ name }) => name === address(one))?.health === 0;
  });
  const last = await pickedMember(set.uri);
  assert.deepEqual([last.source, last.state], [address(primary), "PRIMARY"]);
  const [warning, ...others] = last.warnings;
  assert.deepEqual(others, []);
  assert.match(warning!, new RegExp(`${address(one)}: it is not reachable`));
  assert.match(warning!, new RegExp(`${address(two)}: it is delayed by 3600 s`));
});

Deno.test("openSource() without the privilege to see the set's state asks the members themselves", async () => {
  await using set = await ReplicaSet.start({ auth: { user: "root", password: "s3cr/et:x" } });
  await using client = new MongoClient(set.uri);
  await client.db("admin").command({
    createUser: "reader",
    pwd: "other",
    roles: ["readAnyDatabase"],
    writeConcern: { w: 3 },
  });
  const primary = await set.primary();
  const [one, two] = set.members.filter(({ port }) => port !== primary.port) as [Member, Member];
  const uri = `${set.uri.replace(/\/\/.*@/, "//reader:other@")}&serverSelectionTimeoutMS=1000`;
  // No member tells others of a hidden one: the connection string names it.
  await reconfigure(set, new Map([[two, { priority: 0, hidden: true }]]));
  await set.kill(one, "SIGKILL");
  assert.deepEqual(await pickedMember(uri), { source: address(two), state: "SECONDARY", warnings: [] });

  const wrong = set.uri.replace("s3cr%2Fet%3Ax", "wr0ng-passw0rd");
  assert.notEqual(wrong, set.uri);
  for (const open of [openSource, openTarget]) {
    await assert.rejects(open(new Secret(wrong)), (thrown) => {
      assert.ok(!Deno.inspect(thrown).includes("wr0ng-passw0rd"));
      return failsWith("authentication", /Authentication failed/)(thrown);
    });
  }
});

Deno.test("openSource() reads a standalone server, with a warning that it has no oplog", async () => {
  await using server = await ReplicaSet.standalone();
  await using source = await openSource(new Secret(server.uri));
  assert.equal(source.deployment.kind, "standalone");
  assert.equal(source.deployment.sourceState, "STANDALONE");
  assert.deepEqual([source.oplog, source.longestOplogSeconds], [null, null]);
  assert.match(source.warnings.join(), /no oplog.* Incrementals and Differentials are refused/);
  const { source: host } = source.deployment;
  await using _named = await openSource(new Secret(server.uri), { ...anySource, source: host });
  for (const options of [{ source: "127.0.0.1:1" }, { avoid: [host] }]) {
    await assert.rejects(
      openSource(new Secret(server.uri), { ...anySource, ...options }),
      failsWith(
        "connect",
        /^Cannot read from 127\.0\.0\.1:\d+: (source= names 127\.0\.0\.1:1|avoid= names it)$/,
      ),
    );
  }
  await using target = await openTarget(new Secret(server.uri));
  assert.match(target.description, /^standalone server at 127\.0\.0\.1:\d+ \(MongoDB /);
});

Deno.test("openSource() and openTarget() refuse what is no replica set that holds data (fake mongos and servers of other versions)", async () => {
  const usual = {
    isWritablePrimary: true,
    ismaster: true,
    helloOk: true,
    minWireVersion: 0,
    maxWireVersion: 21,
  };
  const rows = [
    { name: "mongos", replies: { hello: { ...usual, msg: "isdbgrid" } }, want: /mongos/ },
    {
      name: "config server",
      replies: { hello: { ...usual, configsvr: 2, setName: "c" } },
      want: /config server/,
    },
    { name: "old", replies: { hello: usual, buildInfo: { version: "4.2.24" } }, want: /MongoDB 4\.2\.24/ },
    { name: "too new", replies: { hello: usual, buildInfo: { version: "9.0.0" } }, want: /MongoDB 9\.0\.0/ },
  ];
  for (const { name, replies, want } of rows) {
    for (const open of [openSource, openTarget]) {
      await using server = new FakeServer(replies);
      await assert.rejects(open(new Secret(server.uri)), failsWith("unsupportedServer", want), name);
    }
  }
});

Deno.test("openSource() and openTarget() say of a connection what is wrong with it, without the password", async () => {
  const password = "hunter2-hunter2";
  const closed = freePort();
  const wait = "serverSelectionTimeoutMS=300";
  const rows: { uri: string; code: ErrorCode; want: RegExp }[] = [
    { uri: `mongodb://u:${password}@127.0.0.1:${closed}/?${wait}`, code: "connect", want: /ECONNREFUSED/ },
    {
      uri: `mongodb://u:${password}@127.0.0.1:${closed}/?${wait}&unheard=1`,
      code: "optionInvalid",
      want: /unheard/,
    },
    { uri: `mongodb://u:${password}@127.0.0.1:x/`, code: "optionInvalid", want: /connection string/ },
    { uri: `mongodb://u:${password}`, code: "optionInvalid", want: /connection string/ },
    { uri: `mongodb://u:${password} ${password}@h:x/`, code: "optionInvalid", want: /connection string/ },
    { uri: `mongodb://u:${password}@x@h/`, code: "optionInvalid", want: /connection string/ },
    { uri: `mongodb://u:${password}%zz@h/`, code: "optionInvalid", want: /connection string/ },
    { uri: `mongodb+srv://u:${password}@no-such-host.invalid/`, code: "connect", want: /no-such-host/ },
  ];
  for (const { uri, code, want } of rows) {
    for (const open of [openSource, openTarget]) {
      await assert.rejects(open(new Secret(uri)), (thrown) => {
        const { report } = thrown as PluginError;
        assert.ok(!report.includes(password), report);
        return failsWith(code, want)(thrown);
      });
    }
  }
});
