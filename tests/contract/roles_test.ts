/** The roles that `packaging/roles/` makes: they suffice for every kind of job, and nothing in them is too much. */

import assert from "node:assert/strict";
import { createContext, runInContext } from "node:vm";
import { type Document, MongoClient, MongoServerError } from "mongodb";
import { loadDataset } from "../e2e/dataset.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { FolderJobs } from "./folder_jobs.ts";

const auth = { user: "root", password: "x" };

interface Privilege {
  readonly resource: Document;
  readonly actions: readonly string[];
}

type Parts = Readonly<Record<string, readonly Privilege[]>>;

/** A set with access control and a user `job`, who has the role of a script. */
class GuardedSet implements AsyncDisposable {
  readonly set: ReplicaSet;
  readonly parts: Parts;
  readonly #role: string;

  private constructor(set: ReplicaSet, role: string, parts: Parts) {
    this.set = set;
    this.#role = role;
    this.parts = parts;
  }

  static async start(script: "backup" | "restore"): Promise<GuardedSet> {
    const set = await ReplicaSet.start({ members: 1, auth });
    const text = await Deno.readTextFile(new URL(`../../packaging/roles/${script}.js`, import.meta.url));
    const role = script === "backup" ? "podheitorBackup" : "podheitorRestore";
    await using client = new MongoClient(set.uri);
    // Once to make it, and once more to renew it.
    await play(text, client, set.binary.version);
    const parts = await play(text, client, set.binary.version);
    await client.db("admin").command({ createUser: "job", pwd: "p", roles: [role] });
    return new GuardedSet(set, role, parts);
  }

  get uri(): string {
    return this.set.uri.replace("root:x@", "job:p@");
  }

  async asRoot<T>(work: (client: MongoClient) => Promise<T>): Promise<T> {
    await using client = new MongoClient(this.set.uri);
    return await work(client);
  }

  /** Gives the role exactly these privileges. */
  async grant(privileges: readonly Privilege[]): Promise<void> {
    await this.asRoot((client) =>
      client.db("admin").command({ updateRole: this.#role, privileges, roles: [] })
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.set.stop();
  }
}

/** Runs a script with all of mongosh's shell that it uses; resolves to its table of privileges. */
async function play(script: string, client: MongoClient, version: string): Promise<Parts> {
  const admin = client.db("admin");
  const present = (await admin.command({ rolesInfo: 1 }))["roles"].map(({ role }: { role: string }) => role);
  const commands: Promise<unknown>[] = [];
  const shell = {
    getRole: (name: string) => present.includes(name) ? {} : null,
    createRole: ({ role, ...rest }: Document) => commands.push(admin.command({ createRole: role, ...rest })),
    updateRole: (name: string, rest: Document) => commands.push(admin.command({ updateRole: name, ...rest })),
  };
  const db = { version: () => version, getSiblingDB: (name: string) => name === "admin" ? shell : null };
  const parts = runInContext(`${script}\nJSON.stringify(privileges)`, createContext({ db }));
  await Promise.all(commands);
  return JSON.parse(parts);
}

/**
 * Runs a job with the parts of a role that it is said to take, and then without any one action of `tried` parts: that must fail, and name what is lacking.
 */
async function assertLeast(
  guarded: GuardedSet,
  parts: readonly string[],
  tried: readonly string[],
  job: () => Promise<string>,
): Promise<void> {
  const all = parts.flatMap((part) => guarded.parts[part]!.map((privilege) => ({ part, ...privilege })));
  const plain = (privileges: readonly Privilege[]) =>
    privileges.map(({ resource, actions }) => ({ resource, actions }));
  await guarded.grant(plain(all));
  await job();
  for (const { part, resource, actions } of all) {
    if (!tried.includes(part)) continue;
    for (const action of actions) {
      const without = all.map((privilege) => ({
        ...privilege,
        actions: privilege.actions.filter((one) =>
          one !== action || JSON.stringify(privilege.resource) !== JSON.stringify(resource)
        ),
      })).filter(({ actions }) => actions.length > 0);
      await guarded.grant(plain(without));
      const what = `${action} on ${JSON.stringify(resource)}`;
      await assert.rejects(job(), (cause: Error) => {
        assert.match(cause.message, /MONGO-302 /, `${what}: ${cause.message}`);
        assert.ok(cause.message.includes(action), `${what}: ${cause.message}`);
        assert.match(cause.message, whereOf(resource), `${what}: ${cause.message}`);
        return true;
      }, what);
    }
  }
  await guarded.grant(plain(all));
}

/** How a failure names a resource: by what of it was asked for. */
function whereOf({ cluster, collection, system_buckets }: Document): RegExp {
  if (cluster === true) return /the cluster|all databases/;
  if (system_buckets !== undefined) return / on \w+\.system\.buckets\.\w+/;
  return collection === ""
    ? / on (the database \w+|\w+\.[^ ]|what the entries|every database)/
    : new RegExp(` on \\w+\\.${collection}`);
}

Deno.test("the role of packaging/roles/backup.js is what backups take, and no more", async (t) => {
  await using source = await GuardedSet.start("backup");
  await source.asRoot(async (client) => {
    await loadDataset(client, parseInt(source.set.binary.version));
    const app = client.db("app");
    await app.collection<Document>("system.js").insertOne({ _id: "f", value: 1 } as never);
    await app.command({ createUser: "alice", pwd: "x", roles: [] });
    await app.command({ createRole: "clerk", privileges: [], roles: [] });
  });
  let count = 0;
  const full = async (options: string) => {
    await using jobs = await FolderJobs.make();
    return await jobs.backUp("F", `full${count++}`, `uri=${source.uri} ${options}`);
  };

  await t.step("a Full without users", async () => {
    const parts = ["documents", "buckets", "oplog"];
    await assertLeast(source, parts, parts, () => full("users=no"));
  });

  await t.step("a Full with ranges of _id, read twice", async () => {
    await assertLeast(
      source,
      ["documents", "buckets", "oplog"],
      [],
      () => full("users=no chunk_threshold=1M chunks=4 verify_digests=yes"),
    );
  });

  await t.step("a Full with users", async () => {
    await assertLeast(source, ["documents", "buckets", "oplog", "users"], ["users"], () => full("users=yes"));
  });

  await t.step("an Incremental", async () => {
    await using jobs = await FolderJobs.make();
    await jobs.backUp("F", "base", `uri=${source.set.uri} users=no`);
    await source.grant(source.parts["oplog"]!.slice(0, 1));
    await jobs.backUp("I", "inc", `uri=${source.uri} users=no`);
    await source.grant([]);
    await assert.rejects(
      jobs.backUp("I", "inc2", `uri=${source.uri} users=no`),
      /MONGO-302 .* find on local\.oplog\.rs/,
    );
  });

  await t.step("nothing can be written with all of it", async () => {
    await source.grant(Object.values(source.parts).flat());
    await using client = new MongoClient(source.uri);
    const app = client.db("app");
    for (
      const write of [
        () => app.collection("orders").insertOne({ a: 1 }),
        () => app.collection("orders").updateOne({}, { $set: { a: 1 } }),
        () => app.collection("orders").deleteOne({}),
        () => app.collection("orders").createIndex({ a: 1 }),
        () => app.createCollection("fresh"),
        () => app.dropDatabase(),
        () => client.db("admin").command({ createUser: "x", pwd: "x", roles: [] }),
      ]
    ) await assert.rejects(write(), (cause) => cause instanceof MongoServerError && cause.code === 13);
  });
});

Deno.test("the role of packaging/roles/restore.js is what restores take, and no more", async (t) => {
  await using source = await GuardedSet.start("backup");
  await using target = await GuardedSet.start("restore");
  await using jobs = await FolderJobs.make();
  await source.asRoot(async (client) => {
    await loadDataset(client, parseInt(source.set.binary.version));
    const app = client.db("app");
    await app.collection<Document>("system.js").insertOne({ _id: "f", value: 1 } as never);
    await app.command({ createRole: "clerk", privileges: [], roles: [] });
    await jobs.backUp("F", "full", `uri=${source.set.uri}`);
    await app.collection<Document>("orders").insertOne({ z: 1 });
    await app.collection<Document>("orders").updateOne({ z: 1 }, { $set: { q: 1 } });
    await app.collection<Document>("orders").deleteOne({ z: 1 });
    await app.createCollection("fresh");
    await app.collection("fresh").createIndex({ a: 1 });
    await app.collection("fresh").dropIndex("a_1");
    await app.collection("fresh").rename("fresher");
    await app.command({ collMod: "fresher", validationLevel: "moderate" });
    await app.command({ convertToCapped: "fresher", size: 100_000 });
    await app.createCollection("view", { viewOn: "orders", pipeline: [] });
    await app.collection("german").drop();
    await app.command({ createUser: "bob", pwd: "x", roles: ["clerk"], writeConcern: { w: "majority" } });
    await jobs.backUp("I", "inc", `uri=${source.set.uri}`);
  });
  const restore = async (options: string, job: string) => {
    // What a failed restore left is another restore's matter.
    await target.asRoot(async (client) => {
      for (const name of ["app", "shop", "zoo"]) await client.db(name).dropDatabase();
      await client.db("app").collection("orders").insertOne({ old: true });
      await client.db("app").collection<Document>("system.js").insertOne({ _id: "old", value: 1 } as never);
    });
    return await jobs.restore(`uri=${target.uri} drop=yes ${options}`, { job });
  };

  await t.step("a Full without users", async () => {
    const parts = ["documents", "buckets"];
    await assertLeast(target, parts, parts, () => restore("users=no", "full"));
  });

  await t.step("a chain without users", async () => {
    await assertLeast(target, ["documents", "buckets", "oplog"], ["oplog"], () => restore("users=no", "inc"));
  });

  await t.step("a chain with users", async () => {
    await assertLeast(
      target,
      ["documents", "buckets", "oplog", "users"],
      ["users"],
      () => restore("users=yes", "inc"),
    );
  });
});
