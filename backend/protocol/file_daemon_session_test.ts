import { ok, rejects, strictEqual } from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { PluginError } from "../errors.ts";
import { BackendSession } from "./backend_session.ts";
import { type ByteStream, connectInProcess } from "./channel.ts";
import { type RestoreInput, runRestoreSession } from "./file_daemon_session.ts";

const options = {
  identity: { program: "shim", version: "1" },
  job: {
    kind: "R",
    level: " ",
    accurate: false,
    jobId: 1,
    sinceTime: 0,
    jobName: "j",
    previousJobName: "",
    clientName: "c",
    workingDirectory: "/",
    baculaVersion: "15.0.3",
  },
  pluginCommand: "x",
  listener: { message: () => {}, heartbeat: () => {} },
} as const;

function inputOf(size: number, body: () => AsyncGenerator<Uint8Array>): RestoreInput {
  return {
    where: "",
    listed: [],
    restoreObjects: (async function* () {})(),
    files: (async function* () {
      yield { header: { name: "/a", size, mode: 0o600, atime: 0, mtime: 0, ctime: 0 }, body: body() };
    })(),
  };
}

/** A backend that reads every file to its end, and fails where `pieces` are over. */
async function readAll(stream: ByteStream, pieces = Infinity): Promise<void> {
  const session = await BackendSession.accept(stream, { program: "backend", version: "1" });
  for await (const event of session.restoreEvents()) {
    if (event.type !== "file") continue;
    for await (const _ of await event.extract()) {
      if (pieces-- <= 0) return await session.abort(new PluginError("restoreWrite", "Cannot write: full"));
    }
  }
  await session.complete();
  session.close();
}

Deno.test("runRestoreSession: memory doesn't grow with the number of frames", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const heapBytes: number[] = [];
  const frames = 20_000;
  async function* body() {
    for (let frame = 0; frame <= frames; frame++) {
      if (frame === 1000 || frame === frames) {
        collectGarbage();
        heapBytes.push(Deno.memoryUsage().heapUsed);
      }
      yield new Uint8Array(1);
    }
  }
  const [ours, theirs] = connectInProcess();
  const backend = readAll(theirs);
  const totals = await runRestoreSession(
    ours,
    { ...options, signal: new AbortController().signal },
    inputOf(frames + 1, body),
  );
  ours.close();
  await backend;
  strictEqual(totals.bytes, frames + 1);
  const grown = heapBytes[1]! - heapBytes[0]!;
  ok(grown < 1 << 20, `${grown} bytes more`);
});

Deno.test("runRestoreSession: a backend that fails interrupts what is being sent", async () => {
  const [ours, theirs] = connectInProcess();
  const backend = readAll(theirs, 1);
  async function* body() {
    for (;;) yield new Uint8Array(1);
  }
  await rejects(
    runRestoreSession(ours, { ...options, signal: new AbortController().signal }, inputOf(1000, body)),
    { name: "BackendAbort", message: /Cannot write: full/ },
  );
  ours.close();
  await backend;
});

Deno.test("runRestoreSession: a backend that fails while nothing is being sent ends the next sending", async () => {
  const [ours, theirs] = connectInProcess();
  const failed = readAll(theirs, 1);
  async function* body() {
    yield new Uint8Array(1);
    yield new Uint8Array(1);
    await failed;
    await new Promise((resolve) => setTimeout(resolve));
    yield new Uint8Array(1);
  }
  await rejects(
    runRestoreSession(ours, { ...options, signal: new AbortController().signal }, inputOf(3, body)),
    { name: "BackendAbort" },
  );
  ours.close();
});
