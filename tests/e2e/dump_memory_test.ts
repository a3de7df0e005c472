/** The built backend on the largest documents that there can be: its memory stays below what the documents say. */

import assert from "node:assert/strict";
import { Binary, MongoClient } from "mongodb";
import { build } from "../../packaging/build.ts";
import { measure } from "../bench/process.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { signingKey } from "./system.ts";

/** What ARCHITECTURE.md says of memory, for four readers and segments of 16 MiB. */
const boundBytes = 512 << 20;
const documentsEach = 12;

Deno.test("a Full of 16 MiB documents, several readers and ranges, stays within its memory", async () => {
  const { backend } = await build();
  await using scratch = await ScratchFolder.make("memory");
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = new MongoClient(set.uri);
  const content = crypto.getRandomValues(new Uint8Array(65_536));
  const largest = new Uint8Array((16 << 20) - 100);
  for (let at = 0; at < largest.length; at += content.length) {
    largest.set(content.subarray(0, largest.length - at), at);
  }
  for (const database of ["a", "b", "c", "d"]) {
    for (let at = 0; at < documentsEach; at++) {
      await client.db(database).collection<{ _id: number }>("large").insertOne({
        _id: at,
        content: new Binary(largest),
      } as { _id: number });
    }
  }
  const options = "chunk_threshold=32M chunks=4 sign=yes";
  const { peakRssBytes, output } = await measure({
    path: backend,
    args: [
      "backup",
      "--to",
      "/dev/null",
      "--working-dir",
      scratch.path,
      `podheitor-mongodb: uri=${set.uri} ${options}`,
    ],
    env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey },
  });
  assert.match(output, /48 documents/);
  assert.ok(
    peakRssBytes > 0 && peakRssBytes < boundBytes,
    `${Math.round(peakRssBytes / 2 ** 20)} MiB at most at once`,
  );
});
