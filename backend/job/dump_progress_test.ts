import assert from "node:assert/strict";
import { DumpProgress, type ProgressListener } from "./dump_progress.ts";

const namespace = { database: "app", collection: "orders" };

function make(totalBytes: number, listener?: ProgressListener) {
  const lines: string[] = [];
  const say = (text: string) => void lines.push(text);
  let seconds = 1_000;
  let asked = 0;
  const progress = new DumpProgress(
    () => Promise.resolve((asked++, totalBytes)),
    { info: say, warning: say, error: say },
    // A wall clock that is set back meanwhile changes no duration.
    { now: () => new Date(-seconds * 1000), monotonicMs: () => seconds * 1000 },
    listener,
  );
  const pass = (more: number) => void (seconds += more);
  return { progress, lines, pass, asked: () => asked };
}

Deno.test("DumpProgress.report() says share, speed and what is left", async () => {
  const { progress, lines, pass, asked } = make(1 << 30);
  pass(60);
  progress.add(256 << 20);
  await progress.report();
  pass(60);
  progress.add(512 << 20);
  await progress.report();
  assert.deepEqual(lines, [
    "Progress: 256.0 MiB of about 1.0 GiB (25 %), 4.3 MiB/s, about 3 min to go",
    "Progress: 768.0 MiB of about 1.0 GiB (75 %), 6.4 MiB/s, about 40 s to go",
  ]);
  assert.equal(asked(), 1);
});

Deno.test("DumpProgress.report() guesses nothing where the size is unknown or was passed", async () => {
  for (const total of [0, 1 << 20]) {
    const { progress, lines, pass } = make(total);
    pass(1);
    progress.add(2 << 20);
    await progress.report();
    assert.deepEqual(lines, ["Progress: 2.0 MiB, 2.0 MiB/s"]);
  }
});

Deno.test("DumpProgress.collectionDone() has a line for large collections only", () => {
  const { progress, lines, pass } = make(0);
  const startedAtMs = 1_000_000;
  pass(2);
  progress.collectionDone(namespace, 10, (256 << 20) - 1, startedAtMs);
  assert.deepEqual(lines, []);
  progress.collectionDone(namespace, 1_234_567, 512 << 20, startedAtMs);
  assert.deepEqual(lines, ["app.orders: 1,234,567 documents, 512.0 MiB in 2.0 s (256.0 MiB/s)"]);
});

Deno.test("DumpProgress tells its listener of every batch, and asks for sizes at once then", async () => {
  const seen: [number, number | null][] = [];
  const { progress, asked } = make(100, (...args) => void seen.push(args));
  progress.add(10);
  using _reports = progress.start();
  assert.equal(asked(), 1);
  await progress.report();
  progress.add(20);
  assert.deepEqual(seen, [[10, null], [30, 100]]);
  assert.equal(asked(), 1);
});

Deno.test("DumpProgress asks for no sizes while nobody looks on and no report is due", () => {
  const { progress, asked } = make(100);
  using _reports = progress.start();
  progress.add(10);
  assert.equal(asked(), 0);
});
