/** A thousand collections whose names are as long as the server takes them, and longest when they are escaped, through a real Bacula. */

import assert from "node:assert/strict";
import { type Document } from "mongodb";
import { SmallDisk } from "../faults/disk.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { System } from "./system.ts";

const count = 1_000;
const database = "n";
/** Bytes of a namespace that MongoDB takes. */
const namespaceBytes = 255;
/** As long as a resource may be called. */
const resource = "r".repeat(64);

/** A name of which every byte is escaped; of three bytes a character, or four and one. */
function nameOf(at: number): string {
  const bytes = namespaceBytes - database.length - 1;
  const first = String.fromCodePoint(0x4e00 + at);
  return at % 2 === 0
    ? first.padEnd(bytes / 3, "語") + "%".repeat(bytes % 3)
    : first + "𝄞".repeat((bytes - 3) / 4) + "/".repeat((bytes - 3) % 4);
}

Deno.test("a thousand names at their limit come back (needs root, to mount a small disk)", async () => {
  await using folder = await ScratchFolder.make("names");
  // The server's own disk is not what is tried.
  await using disk = await SmallDisk.mount(`${folder.path}/server`, 4 << 30);
  await using system = await System.start({
    set: { members: 1, dir: disk.path },
    commands: (uri) => ({ Names: `podheitor-mongodb: uri=${uri} database=${database} resource=${resource}` }),
  });
  const { lab, client } = system;
  const db = client.db(database);
  const names = Array.from({ length: count }, (_, at) => nameOf(at));
  for (const name of names) {
    assert.equal(new TextEncoder().encode(`${database}.${name}`).length, namespaceBytes);
    await db.collection<Document>(name).insertOne({ name });
  }
  await assert.rejects(db.collection(`${names[0]}x`).insertOne({}), /namespace/i);
  const { collections } = await db.command({ dbHash: 1 });

  const full = await lab.run("Names", "Full");
  assert.deepEqual([full.status, full.errors], ["T", 0], full.log);
  const files = await lab.listFiles(full.jobId);
  const longest = Math.max(...files.map((path) => path.length));
  assert.equal(longest, `/@mongodb/${resource}/${database}/.metadata.json`.length + 3 * (namespaceBytes - 2));
  await db.dropDatabase();
  const restore = await lab.restore({ from: [full.jobId] });
  assert.deepEqual([restore.status, restore.errors], ["T", 0], restore.log);
  assert.deepEqual((await db.command({ dbHash: 1 }))["collections"], collections);
  assert.equal(Object.keys(collections).length, count);
});
