/** Users and roles on their way from one server to another one. */

import assert from "node:assert/strict";
import { Decimal128, type Document, MongoClient } from "mongodb";
import { openTarget } from "../../backend/mongo/target.ts";
import { Secret } from "../../backend/secret.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { FolderJobs } from "./folder_jobs.ts";
import { failsWith } from "./mongo_edges.ts";

const auth = { user: "root", password: "x" };

/** A set with access control, and connection strings for its users. */
async function startSet() {
  const set = await ReplicaSet.start({ members: 1, auth });
  const uriOf = (user: string, password: string, database = "admin") =>
    set.uri.replace("root:x@", `${user}:${password}@`).replace("authSource=admin", `authSource=${database}`);
  return { set, uriOf, [Symbol.asyncDispose]: () => set.stop() };
}

/** Runs commands as a user. */
async function as<T>(uri: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  await using client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 });
  return await work(client);
}

async function canLogIn(uri: string): Promise<boolean> {
  return await as(uri, (client) => client.db("admin").command({ ping: 1 })).then(() => true, (cause) => {
    assert.match(String(cause), /Authentication failed|AuthenticationFailed/);
    return false;
  });
}

/** All records of users or roles but for those of some names, and without what tells one making of a user from another. */
async function recordsOf(uri: string, collection: string, without: readonly string[]): Promise<Document[]> {
  return await as(uri, async (client) => {
    const found = await client.db("admin").collection(collection).find({}).sort({ _id: 1 }).toArray();
    return found.filter(({ _id }) => !without.includes(String(_id)));
  });
}

async function namesInAdmin(uri: string): Promise<string[]> {
  return await as(uri, async (client) => {
    const listed = await client.db("admin").listCollections({}, { nameOnly: true }).toArray();
    return listed.map(({ name }) => name);
  });
}

/** The source's users and roles, and one who backs it up with no more than the documented roles. */
async function fillSource(uri: string): Promise<void> {
  await as(uri, async (client) => {
    const [app, admin] = [client.db("app"), client.db("admin")];
    await app.collection<{ _id: number }>("orders").insertMany([{ _id: 1 }, { _id: 2 }]);
    const privilege = (collection: string, ...actions: string[]) => ({
      resource: { db: "app", collection },
      actions,
    });
    await app.command({ createRole: "clerk", privileges: [privilege("orders", "find")], roles: [] });
    await app.command({
      createRole: "seller",
      privileges: [privilege("orders", "insert")],
      roles: ["clerk"],
      authenticationRestrictions: [{ clientSource: ["127.0.0.0/8"] }],
    });
    await app.command({
      createUser: "alice",
      pwd: "old",
      roles: ["seller"],
      customData: { number: Decimal128.fromString("1.50"), since: new Date(0) },
      authenticationRestrictions: [{ clientSource: ["127.0.0.1"] }],
    });
    await app.command({
      createUser: "far",
      pwd: "far",
      roles: [],
      authenticationRestrictions: [{ clientSource: ["10.0.0.1"] }],
    });
    await admin.command({ createUser: "saver", pwd: "x", roles: ["backup", "clusterMonitor"] });
    // Of the same names as what the restore into the target is logged in with.
    await admin.command({ createRole: "restoring", privileges: [], roles: [] });
    await admin.command({ createUser: "restorer", pwd: "source", roles: ["restoring"] });
  });
}

/** The target's own, and one who restores with no more than the documented roles, by way of a role of its own. */
async function fillTarget(uri: string, version: string): Promise<void> {
  await as(uri, async (client) => {
    const [app, admin] = [client.db("app"), client.db("admin")];
    await app.command({ createUser: "alice", pwd: "theirs", roles: [] });
    await app.command({ createUser: "carol", pwd: "carol", roles: [] });
    await app.command({ createRole: "clerk", privileges: [], roles: [] });
    await admin.command({
      createRole: "restoring",
      privileges: [
        { resource: { db: "app", collection: "" }, actions: ["find"] },
        ...version.startsWith("5.0.") ? [{ resource: { cluster: true }, actions: ["applyOps"] }] : [],
      ],
      roles: ["restore", "readWriteAnyDatabase"],
      authenticationRestrictions: [{ clientSource: ["127.0.0.1/32"] }],
    });
    await admin.command({ createUser: "restorer", pwd: "target", roles: ["restoring"] });
  });
}

const ofRestore = ["admin.restorer", "admin.restoring"];

Deno.test("users and roles come back with a chain, to any instant, and never at the cost of who restores", async (t) => {
  await using source = await startSet();
  await using target = await startSet();
  await using jobs = await FolderJobs.make();
  await fillSource(source.set.uri);
  await fillTarget(target.set.uri, target.set.binary.version);
  const from = `uri=${source.uriOf("saver", "x")}`;
  const into = `uri=${target.uriOf("restorer", "target")}`;
  const alice = (password: string) => target.uriOf("alice", password, "app");
  const ownRecords = async () => [
    await recordsOf(target.set.uri, "system.users", []).then((all) =>
      all.filter(({ _id }) => _id === ofRestore[0])
    ),
    await recordsOf(target.set.uri, "system.roles", []).then((all) =>
      all.filter(({ _id }) => _id === ofRestore[1])
    ),
  ];
  const own = await ownRecords();
  let before: Document[] = [];

  await t.step("a Full and an Incremental have them, read with the role backup", async () => {
    const log = await jobs.backUp("F", "full", from);
    assert.match(log, /Users and roles: admin\.system\.roles, admin\.system\.users, admin\.system\.version/);
    assert.match(log, /Not included: the databases config and local/);
    before = await recordsOf(source.set.uri, "system.users", ofRestore);
    await as(source.set.uri, async (client) => {
      const app = client.db("app");
      await app.command({ updateUser: "alice", pwd: "new" });
      await app.command({ createUser: "bob", pwd: "bob", roles: ["clerk"] });
      await app.command({ createRole: "late", privileges: [], roles: ["seller"] });
      // A slice ends with what a majority has.
      await app.command({ dropUser: "far", writeConcern: { w: "majority" } });
    });
    await jobs.backUp("I", "inc", from);
  });

  await t.step("without drop=yes, who is there stays and others come", async () => {
    const log = await jobs.restore(into, { job: "full" });
    assert.match(log, /There already and left as they are: admin\.root, app\.alice, app\.clerk;/);
    assert.match(
      log,
      /Left as they are, since the restore itself is logged in with them: admin\.restorer, admin\.restoring/,
    );
    assert.ok(await canLogIn(alice("theirs")));
    assert.ok(await canLogIn(target.uriOf("carol", "carol", "app")));
    const saver = (all: Document[]) => all.filter(({ _id }) => _id === "admin.saver");
    assert.deepEqual(
      saver(await recordsOf(target.set.uri, "system.users", [])),
      saver(await recordsOf(source.set.uri, "system.users", [])),
    );
  });

  await t.step("with drop=yes, they are those of the chain's end, byte for byte", async () => {
    const log = await jobs.restore(`${into} drop=yes`);
    assert.match(log, /drop=yes: removed the users app\.carol, app\.far, which the backup doesn't have/);
    for (const collection of ["system.users", "system.roles"]) {
      assert.deepEqual(
        await recordsOf(target.set.uri, collection, ofRestore),
        await recordsOf(source.set.uri, collection, ofRestore),
      );
    }
    assert.deepEqual([await canLogIn(alice("new")), await canLogIn(alice("old"))], [true, false]);
    assert.ok(await canLogIn(target.uriOf("bob", "bob", "app")));
    await as(alice("new"), async (client) => {
      const orders = client.db("app").collection<{ _id: number }>("orders");
      // One by her own role, the other by the role that this one inherits.
      await orders.insertOne({ _id: 3 });
      assert.equal((await orders.find().toArray()).length, 3);
      await assert.rejects(orders.deleteOne({ _id: 3 }), /not authorized/);
    });
  });

  await t.step("an instant within the chain has them as they were then", async () => {
    const full = JSON.parse(
      await Deno.readTextFile(`${jobs.folder}/backups/full/@mongodb/r/manifest.full.json`),
    );
    const { t: second, i } = full.manifest.oplog.to;
    await jobs.restore(`${into} drop=yes pit=${second}:${i}`);
    assert.deepEqual(await recordsOf(target.set.uri, "system.users", ofRestore), before);
    assert.deepEqual([await canLogIn(alice("new")), await canLogIn(alice("old"))], [false, true]);
    assert.equal(await canLogIn(target.uriOf("far", "far", "app")), false);
  });

  await t.step(
    "who restores, and the role of theirs, are what they were all the time, and nothing is left over",
    async () => {
      assert.deepEqual(await ownRecords(), own);
      assert.deepEqual(
        (await namesInAdmin(target.set.uri)).filter((name) => name.startsWith("podheitor")),
        [],
      );
    },
  );

  await t.step("users=no, and a restore of some files, leave users alone", async () => {
    await as(target.set.uri, (client) => client.db("app").command({ updateUser: "alice", pwd: "mine" }));
    assert.match(await jobs.restore(`${into} drop=yes users=no`), /users and roles are not restored/);
    await jobs.restore(`${into} drop=yes`, { only: ["/@mongodb/r/app"] });
    await jobs.restore(`${into} drop=yes include=app.*`);
    assert.ok(await canLogIn(alice("mine")));
    await assert.rejects(
      jobs.restore(`${into} drop=yes users=yes`, { only: ["/@mongodb/r/app"] }),
      /MONGO-506 .*admin\/system\.roles\.bson, .*did not come/,
    );
  });

  await t.step("users alone, by their files", async () => {
    await as(target.set.uri, (client) => client.db("app").dropDatabase());
    await jobs.restore(`${into} drop=yes`, { only: ["/@mongodb/r/admin"] });
    assert.ok(await canLogIn(alice("new")));
    assert.deepEqual(await as(target.set.uri, (client) => client.db("app").listCollections().toArray()), []);
  });

  await t.step("where= leaves them as mongodump does, and their oplog as it is", async () => {
    const where = `${jobs.folder}/dump`;
    await jobs.restore(into, { where });
    const names = [...Deno.readDirSync(`${where}/admin`)].map(({ name }) => name).sort();
    assert.deepEqual(
      names,
      ["roles", "users", "version"].flatMap((one) => [`system.${one}.bson`, `system.${one}.metadata.json`]),
    );
    const oplog = new TextDecoder("latin1").decode(await Deno.readFile(`${where}/oplog.bson`));
    assert.ok(oplog.includes("admin.system.users") && !oplog.includes("podheitor_mongodb_users"));
  });
});

Deno.test("a backup whose user may not read users says who may, and what to say to go without", async () => {
  await using source = await startSet();
  await using jobs = await FolderJobs.make();
  await as(source.set.uri, async (client) => {
    await client.db("app").collection("a").insertOne({});
    await client.db("admin").command({
      createUser: "reader",
      pwd: "x",
      roles: ["readAnyDatabase", "clusterMonitor", { role: "read", db: "local" }, {
        role: "read",
        db: "config",
      }],
    });
  });
  const uri = `uri=${source.uriOf("reader", "x")}`;
  await assert.rejects(
    jobs.backUp("F", "all", uri),
    /MONGO-302 Cannot read the users and roles: .*not authorized[^]*role backup may read admin\.system\.users.*users=no/,
  );
  assert.match(await jobs.backUp("F", "some", `${uri} users=no`), /Not included: users and roles/);
  await assert.rejects(jobs.restore(`${uri} users=yes`), /MONGO-602 .*the backup was made without them/);
});

Deno.test("the first user of a server comes by an Incremental", async () => {
  await using source = await ReplicaSet.start({ members: 1 });
  await using target = await startSet();
  await using jobs = await FolderJobs.make();
  await as(source.uri, (client) => client.db("app").collection("a").insertOne({}));
  assert.match(await jobs.backUp("F", "full", `uri=${source.uri}`), /Users and roles: the server has none/);
  await as(
    source.uri,
    (client) =>
      client.db("app").command({
        createUser: "first",
        pwd: "first",
        roles: [],
        writeConcern: { w: "majority" },
      }),
  );
  await jobs.backUp("I", "inc", `uri=${source.uri}`);
  await jobs.restore(`uri=${target.set.uri}`);
  assert.ok(await canLogIn(target.uriOf("first", "first", "app")));
});

Deno.test("UsersTarget.check() refuses before anything is written", async () => {
  await using set = await startSet();
  const check = async (user: string, authSchema: number | null, drop: boolean) => {
    await using target = await openTarget(new Secret(set.uriOf(user, "x")));
    await target.users!.check(authSchema, drop);
  };
  await as(set.set.uri, async (client) => {
    const create = (createUser: string, roles: string[]) =>
      client.db("admin").command({ createUser, pwd: "x", roles });
    await create("writer", ["readWriteAnyDatabase"]);
    await create("restorer", ["restore", "readWriteAnyDatabase"]);
  });
  for (const drop of [false, true]) {
    for (const authSchema of [null, 3, 5]) await check("restorer", authSchema, drop);
    await assert.rejects(check("writer", 5, drop), failsWith("authentication", /may not merge them/));
  }
  for (const authSchema of [1, 2, 4, 6]) {
    await assert.rejects(
      check("restorer", authSchema, false),
      failsWith(
        "restoreTarget",
        new RegExp(`in form ${authSchema} of authSchema, the server in form 5; wanted 3 or 5`),
      ),
    );
  }
});
