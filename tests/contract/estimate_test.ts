/** An estimate against the Full that it is of. */

import assert from "node:assert/strict";
import { runEstimate } from "../../backend/job/estimate.ts";
import type { FileHeader } from "../../backend/objects.ts";
import { backUp, command, documents } from "./engine_jobs.ts";
import { MemoryLog, MemorySource } from "./memory.ts";

/** A collection whose size the catalog knows. */
function sized(name: string, count: number, size: number) {
  const all = documents(count, size);
  return { name, documents: all, sizeHintBytes: all.reduce((sum, { length }) => sum + length, 0) };
}

Deno.test("runEstimate() names the files of a Full, with about their sizes, and reads no document", async () => {
  const databases = {
    app: [sized("orders", 3500, 1000), sized("a/b", 3, 100), sized("empty", 0, 0)],
    many: Array.from({ length: 300 }, (_, at) => sized(`c${at}`, 1, 200)),
  };
  const source = new MemorySource(databases);
  const announced = new Map<string, FileHeader>();
  const log = new MemoryLog();
  source.readBatches = () => assert.fail("a document was read");
  await runEstimate({
    source,
    resource: "r0",
    segmentSize: 1 << 20,
    log,
    announce: (file) => {
      announced.set(file.name.replace("manifest.estimate", "manifest"), file);
      return Promise.resolve();
    },
    timeSeconds: 1_700_000_000,
  });
  const { sink } = await backUp(new MemorySource(databases), undefined, command);
  const made = new Map(
    [...sink.files].map((
      [name, { header }],
    ) => [name.replace(/manifest\.[^/]*\.json/, "manifest.json"), header]),
  );
  assert.deepEqual([...announced.keys()].sort(), [...made.keys()].sort());
  for (const [name, { size }] of made) {
    const estimated = announced.get(name)!.size;
    if (name.endsWith(".metadata.json")) assert.equal(estimated, size, name);
    else assert.ok(Math.abs(estimated - size) <= size / 20, `${name}: ${estimated} of ${size}`);
  }
  assert.deepEqual(log.lines, ['info Estimate of resource "r0": 303 collections, 3.5 MiB']);
});
