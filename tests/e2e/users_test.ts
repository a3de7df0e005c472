/** Users and roles through a real Bacula: with a chain, and left alone where they weren't marked. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { System } from "./system.ts";

const roles = {
  saver: ["backup", "clusterMonitor"],
  restorer: ["restore", "readWriteAnyDatabase"],
};

Deno.test("users come back through a real Bacula", async (t) => {
  await using system = await System.start({
    set: { members: 1, auth: { user: "root", password: "x" } },
    commands: (uri) => ({ Mongo: `podheitor-mongodb: uri=${uri.replace("root:", "saver:")}` }),
  });
  const { lab, client, set, serverVersion } = system;
  const [admin, app] = [client.db("admin"), client.db("app")];
  const logsIn = async (user: string, password: string) => {
    const options = { auth: { username: user, password }, authSource: "app" };
    await using other = new MongoClient(
      set.uri.replace("root:x@", "").replace("&authSource=admin", ""),
      options,
    );
    return await other.db("app").command({ ping: 1 }).then(() => true, () => false);
  };
  const run = async (level: "Full" | "Incremental") => {
    const job = await lab.run("Mongo", level);
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    return job;
  };
  // 5.0 wants one privilege more, as the documentation says.
  const applyOps = { resource: { cluster: true }, actions: ["applyOps"] };
  await admin.command({
    createRole: "replayer",
    privileges: serverVersion === 5 ? [applyOps] : [],
    roles: [],
  });
  for (const [user, granted] of Object.entries(roles)) {
    await admin.command({ createUser: user, pwd: "x", roles: [...granted, "replayer"] });
  }
  await app.command({ createUser: "alice", pwd: "old", roles: ["readWrite"] });
  await app.collection<{ _id: number }>("orders").insertOne({ _id: 1 });
  const full = await run("Full");
  assert.match(
    full.log,
    /Users and roles: admin\.system\.roles, admin\.system\.users, admin\.system\.version/,
  );
  assert.ok((await lab.listFiles(full.jobId)).includes("/@mongodb/rs0/admin/system.users.bson"));
  await app.command({ updateUser: "alice", pwd: "new", writeConcern: { w: "majority" } });
  const incremental = await run("Incremental");
  await app.command({ dropUser: "alice" });
  await app.command({ createUser: "mallory", pwd: "m", roles: [] });
  const from = [full.jobId, incremental.jobId];
  const uri = set.uri.replace("root:", "restorer:");
  const fields = [[1, uri], [2, "yes"]] as const;

  await t.step("users stay as they are when others' files are marked", async () => {
    const files = [
      "/@mongodb/rs0/app",
      ...(await lab.listFiles(incremental.jobId)).filter((name) => name.includes("/oplog.")),
      ...(await lab.listFiles(full.jobId)).filter((name) => name.includes("/oplog.")),
    ];
    const job = await lab.restore({ from, files, pluginOptions: { fields } });
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    assert.match(job.log, /users and roles are not restored/);
    assert.deepEqual([await logsIn("alice", "new"), await logsIn("mallory", "m")], [false, true]);
  });

  await t.step(
    "a whole restore with drop=yes brings them as they were, and the restoring user stays",
    async () => {
      const job = await lab.restore({ from, pluginOptions: { fields } });
      assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
      assert.match(
        job.log,
        /Left as they are, since the restore itself is logged in with them: admin\.restorer/,
      );
      assert.match(job.log, /removed the users app\.mallory/);
      assert.deepEqual(
        [await logsIn("alice", "new"), await logsIn("alice", "old"), await logsIn("mallory", "m")],
        [true, false, false],
      );
      const names = (await admin.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
      assert.ok(!names.some((name) => name.startsWith("podheitor")), names.join());
    },
  );
});
