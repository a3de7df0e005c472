/** The backend of a File Daemon that is root's is nobody who may do anything. */

import assert from "node:assert/strict";
import { build } from "../../packaging/build.ts";
import { compileLauncher } from "../../packaging/launcher.ts";
import { until } from "../lab/condition.ts";
import { run } from "../lab/command.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { backendProcesses, System } from "./system.ts";

const user = "nobody";

Deno.test({
  name: "an unprivileged backend through Bacula (needs root)",
  ignore: Deno.uid() !== 0,
  fn: async (t) => {
    await using scratch = await ScratchFolder.make("unprivileged");
    const backend = `${scratch.path}/backend`;
    // A checkout may be in a folder that is root's alone.
    await Deno.copyFile(`${(await build()).backend}.js`, `${backend}.js`);
    await compileLauncher("backend", backend, { deno: Deno.execPath(), module: `${backend}.js` });
    const secret = `${scratch.path}/rs0.uri`;
    await run("chmod", ["0755", scratch.path, backend]);
    await using system = await System.start({
      commands: (uri) => ({
        Mongo: `podheitor-mongodb: uri=${uri} resource=rs0`,
        Secret: `podheitor-mongodb: uri_file=${secret} resource=rs0`,
      }),
      lab: { env: { PODHEITOR_MONGODB_BACKEND: backend, PODHEITOR_MONGODB_USER: user } },
    });
    const { lab, client, set } = system;
    const collection = client.db("app").collection<{ _id: number }>("orders");
    await collection.insertMany(Array.from({ length: 1000 }, (_, at) => ({ _id: at })));
    await Deno.writeTextFile(secret, set.uri, { mode: 0o600 });
    await run("chmod", ["0755", lab.folder]);

    /** Runs a job and returns its result and what the kernel says of its backend. */
    const watch = async (start: () => Promise<number>) => {
      const jobId = await start();
      const status = await until("the backend to be that user's", 30_000, async () => {
        for (const pid of await backendProcesses(backend)) {
          const text = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
          const program = await Deno.readLink(`/proc/${pid}/exe`).catch(() => "");
          if (program === await Deno.realPath(Deno.execPath())) return text;
        }
        return false;
      });
      return { job: await lab.wait(jobId), status };
    };
    const uid = (await run("id", ["-u", user])).trim();
    const checkStatus = (status: string) => {
      const facts = new Map(
        status.split("\n").map((line) => line.split(/:\s*/)).map(([name = "", value = ""]) => [name, value]),
      );
      assert.equal(facts.get("Uid"), [uid, uid, uid, uid].join("\t"));
      assert.equal(facts.get("NoNewPrivs"), "1");
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
        assert.match(facts.get(set)!, /^0+$/, set);
      }
    };

    await t.step("a working directory that isn't the user's is refused with what to do", async () => {
      const job = await lab.run("Mongo", "Full");
      assert.equal(job.status, "f", job.log);
      assert.match(
        job.log,
        /MONGO-110 Cannot run: the user nobody can't write to .*work.*Run: chown -h nobody: /,
      );
    });

    await run("chown", [user, `${lab.folder}/work`]);
    let full = 0;
    await t.step("a Full works, without any right", async () => {
      const { job, status } = await watch(() => lab.start("Mongo", "Full"));
      assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
      checkStatus(status);
      full = job.jobId;
      const owners = [...Deno.readDirSync(`${lab.folder}/work`)].filter(({ name }) =>
        name.startsWith("podheitor-mongodb-")
      ).map(({ name }) => Deno.statSync(`${lab.folder}/work/${name}`).uid);
      assert.ok(owners.length > 0);
      assert.deepEqual(new Set(owners), new Set([Number(uid)]));
    });

    await t.step("so does an Incremental, and a restore of both", async () => {
      await collection.insertOne({ _id: 1000 });
      const increment = await lab.run("Mongo", "Incremental");
      assert.deepEqual([increment.status, increment.errors], ["T", 0], increment.log);
      await collection.drop();
      const { job, status } = await watch(() => lab.startRestore({ from: [full, increment.jobId] }));
      assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
      checkStatus(status);
      assert.equal(await collection.countDocuments(), 1001);
    });

    await t.step(
      "a secret of root's is refused with what to do, and works when it is the user's",
      async () => {
        const refused = await lab.run("Secret", "Full");
        assert.equal(refused.status, "f", refused.log);
        assert.match(refused.log, /MONGO-103 Cannot read .*rs0\.uri of uri_file=/);
        assert.match(refused.log, /belong to the user that the backend runs as/);
        await run("chown", [user, secret]);
        const job = await lab.run("Secret", "Full");
        assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
      },
    );

    await t.step("what root's jobs left is refused with what to do", async () => {
      await run("chown", ["root", `${lab.folder}/work/podheitor-mongodb-rs0-tip.json`]);
      const job = await lab.run("Mongo", "Full");
      assert.equal(job.status, "f", job.log);
      assert.match(job.log, /or to what root's jobs left there Hint: Run: chown -h nobody: /);
    });
  },
});
