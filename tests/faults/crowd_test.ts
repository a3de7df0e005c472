/** A server with far more databases and collections than data. */

import assert from "node:assert/strict";
import { type Document, MongoClient } from "mongodb";
import { build } from "../../packaging/build.ts";
import { measure } from "../bench/process.ts";
import { signingKey } from "../e2e/system.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { SmallDisk } from "./disk.ts";
import { isLong } from "./long.ts";

const [databases, collectionsEach] = isLong ? [500, 20] as const : [50, 20] as const;
/** What the backend may take, whatever there is to list. */
const boundBytes = 512 << 20;
/** A mongod has two files open for each collection, and closes those that nobody uses only after a while. */
const closeSoon =
  "--wiredTigerEngineConfigString=file_manager=(close_handle_minimum=100,close_idle_time=2,close_scan_interval=1)";

Deno.test(`a server of ${databases} databases with ${databases * collectionsEach} collections comes back (needs root, to mount a small disk)`, async () => {
  const { backend } = await build();
  await using scratch = await ScratchFolder.make("crowd");
  // The servers' own disks are not what is tried.
  await using disk = await SmallDisk.mount(`${scratch.path}/servers`, 8 << 30);
  const start = (dir: string) =>
    ReplicaSet.start({ members: 1, extraArgs: [closeSoon], dir: `${disk.path}/${dir}` });
  const [source, target] = await Promise.all([start("source"), start("target")]);
  await using _source = source;
  await using _target = target;
  await fill(source);

  const costs = [];
  for (const [command, ...args] of [["backup", "--to"], ["restore", "--from"]] as const) {
    const set = command === "backup" ? source : target;
    costs.push(
      await measure({
        path: backend,
        args: [
          command,
          ...args,
          `${scratch.path}/backups`,
          "--working-dir",
          scratch.path,
          `podheitor-mongodb: uri=${set.uri}`,
        ],
        env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
      }),
    );
  }
  for (const { wallSeconds, peakRssBytes } of costs) {
    console.log(`${wallSeconds.toFixed(1)} s, ${Math.round(peakRssBytes / 2 ** 20)} MiB at most at once`);
    assert.ok(peakRssBytes > 0 && peakRssBytes < boundBytes, `${peakRssBytes} bytes at once`);
  }
  assert.deepEqual(await describe(target), await describe(source));
});

const names = Array.from({ length: databases }, (_, at) => `crowd${String(at).padStart(3, "0")}`);

async function fill({ uri }: ReplicaSet): Promise<void> {
  await using client = new MongoClient(uri);
  await each(names, async (name) => {
    for (let at = 0; at < collectionsEach; at++) {
      const kinds: Document[] = [{}, { capped: true, size: 4096 }, { collation: { locale: "de" } }, {
        validator: { n: { $gte: 0 } },
      }];
      const collection = await client.db(name).createCollection(`c${at}`, kinds[at % kinds.length]);
      await collection.insertMany([{ n: at, name }, { n: at + 1 }]);
    }
  });
}

/** Options, and the server's own hashes of the documents, of all collections. */
async function describe({ uri }: ReplicaSet): Promise<Map<string, Document>> {
  await using client = new MongoClient(uri);
  const found = new Map<string, Document>();
  await each(names, async (name) => {
    const { collections, md5 } = await client.db(name).command({ dbHash: 1 });
    const listed = await client.db(name).listCollections().toArray() as Document[];
    const options = listed.map(({ name, type, options }) => ({ name, type, options }));
    options.sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.equal(options.length, collectionsEach);
    found.set(name, { collections, md5, options });
  });
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Does something with each, eight at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
