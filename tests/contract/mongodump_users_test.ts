/** Users and roles of folders that mongodump wrote: of a whole server, and of one database. */

import assert from "node:assert/strict";
import { BSON, type Document, MongoClient } from "mongodb";
import { ReplicaSet } from "../lab/mongod.ts";
import { FolderJobs } from "./folder_jobs.ts";

/** A set with access control whose root has a password of its own. */
async function startSet(password: string) {
  const set = await ReplicaSet.start({ members: 1, auth: { user: "root", password } });
  const canLogIn = async (user: string, pwd: string, database: string) => {
    const uri = set.uri.replace(`root:${password}@`, `${user}:${pwd}@`)
      .replace("authSource=admin", `authSource=${database}`);
    await using client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 });
    return await client.db("admin").command({ ping: 1 }).then(() => true, (cause) => {
      assert.match(String(cause), /Authentication failed|AuthenticationFailed/);
      return false;
    });
  };
  return { set, canLogIn, [Symbol.asyncDispose]: () => set.stop() };
}

async function createUser(client: MongoClient, database: string, user: string, roles: unknown[]) {
  await client.db(database).command({ createUser: user, pwd: `${user}'s`, roles });
}

async function rawRecords(client: MongoClient, collection: string, filter: Document): Promise<Uint8Array> {
  const found = client.db("admin").collection(collection).find(filter, { raw: true });
  return Buffer.concat(await found.toArray() as unknown as Uint8Array[]);
}

Deno.test("users and roles of folders of mongodump", async (t) => {
  await using source = await startSet("x");
  await using jobs = await FolderJobs.make();
  const dump = `${jobs.folder}/backups`;
  await using client = await new MongoClient(source.set.uri).connect();
  await client.db("app").collection<{ _id: number }>("orders").insertOne({ _id: 1 });
  const privileges = [{ resource: { db: "app", collection: "orders" }, actions: ["find"] }];
  await client.db("app").command({ createRole: "seller", privileges, roles: [] });
  await createUser(client, "app", "clerk", ["seller"]);
  await createUser(client, "admin", "boss", ["root"]);

  /** A folder with the collection, and with users in the form of one of the two dumps. */
  async function writeDump(form: "server" | "database", filter: Document, authSchema: Uint8Array | null) {
    await Deno.remove(dump, { recursive: true }).catch(() => {});
    const orders = await client.db("app").collection("orders").find({}, { raw: true }).toArray();
    const put = async (path: string, bytes: Uint8Array, hasMetadata: boolean) => {
      await Deno.mkdir(`${dump}/${path.split("/")[0]}`, { recursive: true });
      await Deno.writeFile(`${dump}/${path}.bson`, bytes);
      const collectionName = path.split("/")[1];
      const index = '{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}';
      const text = `{"indexes":[${index}],"collectionName":"${collectionName}","type":"collection"}`;
      if (hasMetadata) await Deno.writeTextFile(`${dump}/${path}.metadata.json`, text);
    };
    await put("app/orders", Buffer.concat(orders as unknown as Uint8Array[]), true);
    const isServer = form === "server";
    for (const name of ["users", "roles", "version"]) {
      const bytes = name === "version"
        ? authSchema ?? await rawRecords(client, "system.version", {})
        : await rawRecords(client, `system.${name}`, filter);
      await put(isServer ? `admin/system.${name}` : `app/$admin.system.${name}`, bytes, isServer);
    }
  }

  const restore = (to: { set: ReplicaSet }, options: string) => jobs.restore(`uri=${to.set.uri} ${options}`);

  await t.step("a whole server's come back, and never at the cost of who restores", async () => {
    await using target = await startSet("y");
    await writeDump("server", {}, null);
    const log = await restore(target, "drop=yes");
    assert.match(log, /Restored 2 users and 1 role of the server/);
    assert.match(log, /Left as they are, since the restore itself is logged in with them: admin\.root/);
    assert.ok(await target.canLogIn("clerk", "clerk's", "app"));
    assert.ok(await target.canLogIn("boss", "boss's", "admin"));
    assert.ok(await target.canLogIn("root", "y", "admin"));
    await using found = await new MongoClient(target.set.uri).connect();
    const { roles } = await found.db("app").command({ rolesInfo: "seller", showPrivileges: true });
    assert.deepEqual(roles[0].privileges, privileges);
  });

  await t.step("users=no and a part of the data leave them out", async () => {
    await using target = await startSet("y");
    await writeDump("server", {}, null);
    assert.match(await restore(target, "users=no"), /Not restored of .*admin\/system\.users/);
    assert.match(await restore(target, "include=app.* drop=yes"), /users and roles are not restored/);
    assert.ok(!await target.canLogIn("clerk", "clerk's", "app"));
    await restore(target, "include=app.* drop=yes users=yes");
    assert.ok(await target.canLogIn("clerk", "clerk's", "app"));
  });

  await t.step("one database's come back, and drop=yes removes no others", async () => {
    await using target = await startSet("y");
    await using there = await new MongoClient(target.set.uri).connect();
    for (const database of ["app", "shop"]) await createUser(there, database, `old${database}`, []);
    await there.db("shop").command({ createRole: "keeper", privileges: [], roles: [] });
    await writeDump("database", { db: "app" }, null);
    const log = await restore(target, "drop=yes");
    assert.match(log, /Restored 1 user and 1 role of the server/);
    assert.match(log, /removed the users app\.oldapp, which the backup doesn't have/);
    assert.ok(await target.canLogIn("clerk", "clerk's", "app"));
    assert.ok(!await target.canLogIn("oldapp", "oldapp's", "app"));
    assert.ok(await target.canLogIn("oldshop", "oldshop's", "shop"));
    assert.ok(await target.canLogIn("root", "y", "admin"));
    assert.equal((await there.db("shop").command({ rolesInfo: "keeper" }))["roles"].length, 1);
  });

  await t.step(
    "records in a form that the server doesn't know are refused before anything is written",
    async () => {
      await using target = await startSet("y");
      for (const form of ["server", "database"] as const) {
        await writeDump(form, { db: "app" }, BSON.serialize({ _id: "authSchema", currentVersion: 1 }));
        await assert.rejects(restore(target, ""), /MONGO-601 .*in form 1 of authSchema/);
      }
      await using there = await new MongoClient(target.set.uri).connect();
      assert.deepEqual(await there.db("app").listCollections().toArray(), []);
    },
  );
});
