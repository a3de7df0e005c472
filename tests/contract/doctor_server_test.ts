/** What the doctor says of servers with access control: privileges, logins, members, the oplog. */

import assert from "node:assert/strict";
import { createContext, runInContext } from "node:vm";
import { type Document, MongoClient } from "mongodb";
import { neededPrivileges, type Purpose } from "../../backend/mongo/privileges.ts";
import { freePort } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { ask, assertStatus, say } from "./doctor_report.ts";

/** Privileges that a script of `packaging/roles/` grants. */
async function grantedBy(
  purpose: Purpose,
  version: string,
): Promise<{ resource: Document; actions: string[] }[]> {
  const script = await Deno.readTextFile(new URL(`../../packaging/roles/${purpose}.js`, import.meta.url));
  const shell = { getRole: () => null, createRole: () => {} };
  const db = { version: () => version, getSiblingDB: () => shell };
  const parts = runInContext(`${script}\nJSON.stringify(privileges)`, createContext({ db }));
  return Object.values(JSON.parse(parts)).flat() as { resource: Document; actions: string[] }[];
}

for (const purpose of ["backup", "restore"] as const) {
  for (const version of ["4.4.2", "6.0.5"]) {
    Deno.test(`neededPrivileges says of a ${purpose} what packaging/roles/${purpose}.js grants on ${version}`, async () => {
      const flat = (privileges: readonly { resource: object; actions: readonly string[] }[]) =>
        privileges.flatMap(({ resource, actions }) =>
          actions.map((action) => `${action} ${JSON.stringify(Object.entries(resource).sort())}`)
        ).sort();
      const rows = neededPrivileges[purpose].filter((row) =>
        ("since" in row ? row.since : 0) <= Number.parseFloat(version)
      );
      assert.deepEqual(flat(rows), flat(await grantedBy(purpose, version)));
    });
  }
}

Deno.test("examine() of a set with access control", async (t) => {
  await using set = await ReplicaSet.start({ auth: { user: "root", password: "x" } });
  await using client = await new MongoClient(set.uri).connect();
  const admin = client.db("admin");
  await client.db("app").collection("orders").insertOne({ a: 1 });
  const login = async (user: string, roles: (string | Document)[]) => {
    await admin.command({ createUser: user, pwd: "s3cret-word", roles, writeConcern: { w: 3 } });
    return set.uri.replace("root:x@", `${user}:s3cret-word@`);
  };
  const role = async (name: string, privileges: readonly object[]) => {
    await admin.command({ createRole: name, privileges, roles: [], writeConcern: { w: 3 } });
    return name;
  };
  const { version } = set.binary;

  await t.step("the scripts' roles and MongoDB's own are all that is asked for", async () => {
    const own = await role("saver", await grantedBy("backup", version));
    for (const [user, roles] of [["one", [own]], ["two", ["backup", "clusterMonitor"]]] as const) {
      const report = await ask({ command: `uri=${await login(user, [...roles])}` });
      assertStatus(report, {
        command: "ok",
        address: "ok",
        port: "ok",
        tls: "ok",
        login: "ok",
        clock: "ok",
        server: "ok",
        member: "ok",
        scope: "ok",
        privileges: "ok",
      });
      assert.match(say(report, "server"), new RegExp(`MongoDB ${version}, replica set rs0`));
      assert.match(
        say(report, "member"),
        /Chose .* by readPreference=secondaryPreferred[^]*SECONDARY, score/,
      );
      assert.match(say(report, "scope"), /To be backed up: admin, app/);
    }
  });

  await t.step("so they are for a restore", async () => {
    const own = await role("restorer", await grantedBy("restore", version));
    const extra = version.startsWith("5.")
      ? [await role("applier", [{ resource: { cluster: true }, actions: ["applyOps"] }])]
      : [];
    const cases = [["three", [own]], ["four", ["restore", "readWriteAnyDatabase", ...extra]]] as const;
    for (const [user, roles] of cases) {
      const report = await ask({ command: `uri=${await login(user, [...roles])}`, purpose: "restore" });
      assertStatus(report, { login: "ok", server: "ok", member: "ok", privileges: "ok" });
      assert.match(say(report, "member"), /A restore would go to 127\.0\.0\.1:\d+/);
    }
  });

  await t.step("each privilege that is missing is named, and how bad that is", async () => {
    const all = await grantedBy("backup", version);
    const without = (action: string, key: string) =>
      all.map(({ resource, actions }) => ({
        resource,
        actions: actions.filter((one) => one !== action || !JSON.stringify(resource).includes(key)),
      })).filter(({ actions }) => actions.length > 0);
    const cases = [
      {
        action: "find",
        key: '"oplog.rs"',
        status: "error",
        want: /lacks find on local\.oplog\.rs: jobs of a replica set/,
      },
      {
        action: "find",
        key: '"system.users"',
        status: "error",
        want: /lacks find on admin\.system\.users: jobs with users/,
      },
      {
        action: "listIndexes",
        key: '"collection":""',
        status: "error",
        want: /lacks listIndexes on every database: every/,
      },
      {
        action: "find",
        key: '"system.js"',
        status: "warning",
        want: /find on system\.js of every database: .*stored functions/,
      },
      {
        action: "serverStatus",
        key: '"cluster"',
        status: "warning",
        want: /lacks serverStatus on the cluster: no job fails/,
      },
    ] as const;
    for (const [at, { action, key, status, want }] of cases.entries()) {
      const user = `lacking${at}`;
      const report = await ask({
        command: `uri=${await login(user, [await role(user, without(action, key))])}`,
      });
      assertStatus(report, { privileges: status });
      assert.match(say(report, "privileges"), want);
      assert.match(say(report, "privileges"), /packaging\/roles\/backup\.js/);
    }
  });

  await t.step("a login of one database suffices for that one", async () => {
    const own = await role("clerk", [
      { resource: { db: "admin", collection: "" }, actions: ["listCollections"] },
      {
        resource: { cluster: true },
        actions: ["listDatabases", "replSetGetStatus", "replSetGetConfig", "serverStatus"],
      },
      {
        resource: { db: "app", collection: "" },
        actions: ["listCollections", "listIndexes", "find", "collStats", "dbStats"],
      },
      { resource: { db: "local", collection: "oplog.rs" }, actions: ["find", "collStats"] },
      { resource: { db: "config", collection: "transactions" }, actions: ["find"] },
    ]);
    const uri = await login("clerk", [own]);
    const one = await ask({ command: `uri=${uri} database=app` });
    assertStatus(one, { scope: "ok", privileges: "warning" });
    assert.doesNotMatch(say(one, "privileges"), /error/);
    await client.db("shop").collection("orders").insertOne({ a: 1 });
    const all = await ask({ command: `uri=${uri}` });
    assertStatus(all, { privileges: "error" });
    assert.match(say(all, "privileges"), /find on admin\.system\.users/);
    const both = await ask({ command: `uri=${uri} users=no` });
    assert.match(
      say(both, "privileges"),
      /error .*lacks listCollections, listIndexes, find on the database shop: every/,
    );
  });

  await t.step("a wrong password, no login, a missing database, an excluded set", async () => {
    const wrong = await ask({ command: `uri=${set.uri.replace("root:x@", "root:wr0ng-word@")}` });
    assertStatus(wrong, {
      tls: "ok",
      login: "error",
      clock: "skipped",
      privileges: "skipped",
      member: "skipped",
    });
    assert.match(say(wrong, "login"), /302 .*Authentication failed/);
    assert.doesNotMatch(JSON.stringify(wrong), /wr0ng-word/);
    const none = await ask({ command: `uri=${set.uri.replace("root:x@", "")}` });
    assertStatus(none, { login: "error" });
    assert.match(say(none, "login"), /names no user, and the server asks for one/);
    assertStatus(await ask({ command: `uri=${set.uri} database=nope` }), {
      scope: "error",
      privileges: "ok",
    });
    const hosts = set.members.map(({ port }) => `127.0.0.1:${port}`).join();
    const avoided = await ask({ command: `uri=${set.uri} avoid=${hosts}` });
    assertStatus(avoided, { member: "error", scope: "skipped" });
    assert.match(say(avoided, "member"), /301 .*avoid= names it/);
    const broken = await ask({ command: `uri=${set.uri} databse=app` });
    assertStatus(broken, { command: "error", login: "skipped", continuation: "skipped" });
  });

  await t.step("a host that isn't there is a warning while others are, and an error alone", async () => {
    const away = `127.0.0.1:${freePort()}`;
    const some = await ask({
      command: `uri=${set.uri.replace("127.0.0.1", `${away},nowhere.invalid,127.0.0.1`)}`,
    });
    assertStatus(some, { address: "warning", port: "warning", login: "ok" });
    assert.match(say(some, "address"), /301 Cannot resolve nowhere\.invalid/);
    assert.match(say(some, "port"), new RegExp(`301 Cannot reach ${away}`));
    const alone = await ask({ command: `uri=mongodb://${away}/` });
    assertStatus(alone, { port: "error", tls: "skipped", login: "skipped", oplog_window: "skipped" });
    assertStatus(await ask({ command: "uri=mongodb://nowhere.invalid/" }), {
      address: "error",
      port: "skipped",
    });
  });

  await t.step("the oplog is held against the interval, and nothing was written anywhere", async () => {
    const before = await admin.command({ dbHash: 1 });
    const window = async (intervalSeconds: number | undefined) =>
      await ask({ command: `uri=${set.uri}`, ...intervalSeconds === undefined ? {} : { intervalSeconds } });
    assertStatus(await window(1), { oplog_window: "ok" });
    const far = await window(10 * 365 * 86_400);
    assertStatus(far, { oplog_window: "warning" });
    assert.match(say(far, "oplog_window"), /less than three times .* -> .*replSetResizeOplog/);
    const unknown = await window(undefined);
    assert.match(say(unknown, "oplog_window"), /warning .*How often jobs run isn't known .* --interval 24h/);
    assert.equal((await admin.command({ dbHash: 1 }))["md5"], before["md5"]);
  });
});
