/**
 * Whether what is packaged for arm64 runs there, as far as a machine of another processor can tell: Bacula's own File Daemon for arm64 loads the plugin
 * and starts the backend, and the exporter answers. Only the processor is emulated; servers, Director and Storage Daemon are this machine's.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { type Executable, executables, installed } from "../../packaging/executables.ts";
import { compileLauncher } from "../../packaging/launcher.ts";
import { findTarget } from "../../packaging/target.ts";
import { BaculaLab } from "../lab/bacula.ts";
import { BaculaPrograms } from "../lab/bacula_programs.ts";
import { canary } from "../lab/canary.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { writeEmulated } from "../lab/emulator.ts";
import { Exporter } from "../lab/exporter.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { ensureTools } from "../lab/tools.ts";

/** Runs what a package has that is unpacked below `root`. */
export async function runEmulated(root: string): Promise<void> {
  await ensureTools(["gcc-arm64", "qemu-arm64"]);
  await using scratch = await ScratchFolder.make("emulated");
  const [backend, exporter] = await Promise.all(
    executables.map((executable) => makeStartable(executable, root, scratch.path)),
  );
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  const orders = client.db("app").collection<{ _id: number; text: string }>("orders");
  // Two segments of them.
  const documents = Array.from({ length: 1500 }, (_, at) => ({ _id: at, text: `${at % 10}`.repeat(1000) }));
  await orders.insertMany(documents);
  await using lab = await BaculaLab.start({
    fdPrograms: await BaculaPrograms.find("arm64"),
    plugin: `${root}${installed.plugins}/podheitor-mongodb-fd.so`,
    pluginCommands: { Mongo: `podheitor-mongodb: uri=${set.uri} database=* segment_size=1M` },
    env: {
      PODHEITOR_MONGODB_BACKEND: backend!,
      PODHEITOR_MONGODB_SIGNING_KEY: canary.signingKey,
      // An emulated Deno says nothing for half a minute, or for several where the machine has other work.
      PODHEITOR_MONGODB_SILENCE_SECONDS: "600",
    },
  });

  const full = await lab.run("Mongo", "Full");
  assert.deepEqual([full.status, full.errors], ["T", 0], full.log);
  assert.match(full.log, /Client: +"lab-fd" 15\.0\.3 .*aarch64/);
  await orders.drop();
  // Both take their time to start.
  const [restored] = await Promise.all([
    lab.restore({ from: [full.jobId] }),
    checkExporter(exporter!, `${lab.folder}/work`),
  ]);
  assert.deepEqual([restored.status, restored.errors], ["T", 0], restored.log);
  assert.match(restored.log, /good signature of key/);
  assert.deepEqual(await orders.find().sort({ _id: 1 }).toArray(), documents);
}

/** The exporter knows the backup, and ends as it is told. */
async function checkExporter(program: string, working: string): Promise<void> {
  await using exporter = await Exporter.start(working, { built: program, patienceMs: 240_000 });
  const metrics = await (await fetch(`${exporter.url}/metrics`)).text();
  assert.match(metrics, /^podheitor_.*resource="rs0".* \d/m);
  assert.equal(await exporter.stop(), 0);
}

/**
 * A launcher of the same parts that can be started here, since what it starts can't be a program of another processor: a script that emulates the
 * launcher, which starts a script that emulates Deno.
 */
async function makeStartable({ room, name }: Executable, root: string, folder: string): Promise<string> {
  const path = `${folder}/${name}`;
  await writeEmulated(`${path}.deno`, `${root}${installed.runtime}/deno`);
  const launched = { deno: `${path}.deno`, module: `${root}${installed.runtime}/${name}.js` };
  await compileLauncher(room, `${path}.launcher`, launched, { target: findTarget("arm64") });
  await writeEmulated(path, `${path}.launcher`);
  return path;
}
