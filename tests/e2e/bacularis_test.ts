/** The line that Bacularis writes into a FileSet, run by a real File Daemon. */

import assert from "node:assert/strict";
import { askBacularis } from "../lab/bacularis.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ensureTools } from "../lab/tools.ts";
import { System } from "./system.ts";

Deno.test("a FileSet of Bacularis through a real Bacula", async () => {
  await ensureTools(["php"]);
  await using folder = await ScratchFolder.make("bacularis");
  const parameters = {
    uri_file: `${folder.path}/uri`,
    exclude: "app.a b*,app.c;`id`",
    verify_digests: true,
    users: "no",
  };
  const { answers } = await askBacularis([parameters]);
  await using system = await System.start({
    set: { members: 1 },
    commands: () => ({ Form: `\\|${answers[0]!.line}` }),
  });
  const { client, lab, set } = system;
  await Deno.writeTextFile(parameters.uri_file, set.uri, { mode: 0o600 });
  for (const name of ["a", "a bc", "c;`id`"]) await client.db("app").collection(name).insertOne({ a: 1 });
  const job = await lab.run("Form", "Full");
  assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
  const files = (await lab.listFiles(job.jobId)).filter((path) => path.endsWith(".metadata.json"));
  assert.deepEqual(files, ["/@mongodb/rs0/app/a.metadata.json"]);
  await client.db("app").collection("a").drop();
  const restored = await lab.restore({ from: [job.jobId] });
  assert.deepEqual([restored.status, restored.errors], ["T", 0], restored.log);
  assert.equal(await client.db("app").collection("a").countDocuments(), 1);
});
