import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { BackendSession, type RestoreEvent } from "./backend_session.ts";
import { type ByteStream, connectInProcess, FrameChannel } from "./channel.ts";
import { encodeHeader } from "./frame.ts";
import type { JobInfo, Message, SessionKind } from "./message.ts";
import { crc32c } from "../../wasm/hasher.ts";

const hello: Message = { type: "H", version: 1, program: "shim", programVersion: "1" };
const identity = { program: "backend", version: "1" };

function describeJob(kind: SessionKind): JobInfo {
  return {
    kind,
    level: kind === "R" ? " " : "F",
    accurate: false,
    jobId: 1,
    sinceTime: 0,
    jobName: "j",
    previousJobName: "",
    clientName: "c",
    workingDirectory: "/",
    baculaVersion: "15.0.3",
  };
}

/** Side S by hand, and what became of the backend's accept(). */
async function greet(): Promise<{ shim: FrameChannel; raw: ByteStream; accepted: Promise<BackendSession> }> {
  const [raw, theirs] = connectInProcess();
  const shim = new FrameChannel("S", raw);
  const accepted = BackendSession.accept(theirs, identity);
  accepted.catch(() => {});
  await shim.send(hello);
  await shim.receive();
  return { shim, raw, accepted };
}

/** A restore up to its first file of `size` bytes, which the backend has at hand. */
async function beginRestore(size: number) {
  const { shim, accepted } = await greet();
  await shim.send({ type: "J", job: describeJob("R") });
  const session = await accepted;
  const events = session.restoreEvents();
  const sending = (async () => {
    await shim.send({ type: "S", replace: "a", where: "", regexWhere: "" });
    await shim.send({ type: "P", command: "x" });
    const file = { name: "/a", size, mode: 0o600, atime: 0, mtime: 0, ctime: 0 };
    await shim.send({ type: "F", file, isDirectory: false });
  })();
  const types = [await events.next(), await events.next()].map(({ value }) => value?.type);
  deepStrictEqual(types, ["start", "pluginCommand"]);
  const { value: file } = await events.next();
  await sending;
  ok(file?.type === "file");
  return { shim, session, events, file, close: () => (shim.close(), session.close()) };
}

/** Begins to take the file's data; the shim has the Answer. */
async function extract(
  shim: FrameChannel,
  file: RestoreEvent & { type: "file" },
): Promise<AsyncIterator<Uint8Array>> {
  const [data, answer] = await Promise.all([file.extract(), shim.receive()]);
  strictEqual(answer?.type, "A");
  return data[Symbol.asyncIterator]();
}

function aborted(signal: AbortSignal): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  signal.addEventListener("abort", () => resolve(signal.reason.code));
  if (signal.aborted) resolve(signal.reason.code);
  return promise;
}

Deno.test("BackendSession.accept: a Job that can't be read is told by Abort", async () => {
  const { shim, raw, accepted } = await greet();
  const payload = Uint8Array.of(1, 2, 3);
  const writing = raw.write(encodeHeader("J", payload.length, 1, crc32c(payload))).then(() =>
    raw.write(payload)
  );
  const message = await shim.receive();
  ok(message?.type === "X");
  strictEqual(message.code, 201);
  await rejects(accepted, { code: "protocol" });
  await writing;
});

Deno.test("BackendSession.accept: Cancel in place of Job is told by Abort", async () => {
  const { shim, accepted } = await greet();
  await shim.send({ type: "C", reason: "enough" });
  const message = await shim.receive();
  ok(message?.type === "X");
  strictEqual(message.code, 203);
  await rejects(accepted, { code: "canceled", message: /enough/ });
});

Deno.test("BackendSession.accept: another version is told by Abort", async () => {
  const [ours, theirs] = connectInProcess();
  const shim = new FrameChannel("S", ours);
  const accepted = rejects(BackendSession.accept(theirs, identity), {
    code: "protocol",
    message: /version 2/,
  });
  await shim.send({ ...hello, version: 2 });
  await shim.receive();
  strictEqual((await shim.receive())?.type, "X");
  await accepted;
});

Deno.test("BackendSession.restoreEvents: Cancel is heard while a restore is planned", async () => {
  const { shim, session, events, close } = await beginRestore(4);
  await shim.send({ type: "C", reason: "enough" });
  strictEqual(await aborted(session.signal), "canceled");
  await rejects(events.next(), { code: "canceled" });
  close();
});

Deno.test("BackendSession.restoreEvents: the end of the input is heard while data is written", async () => {
  const { shim, session, file, close } = await beginRestore(4);
  const data = await extract(shim, file);
  const [piece] = await Promise.all([data.next(), shim.send({ type: "D", bytes: Uint8Array.of(1, 2) })]);
  deepStrictEqual(piece.value, Uint8Array.of(1, 2));
  shim.close();
  strictEqual(await aborted(session.signal), "peerGone");
  await rejects(data.next(), { code: "peerGone" });
  close();
});

Deno.test("BackendSession.restoreEvents: one frame is received ahead and no more, and leaves the piece at hand alone", async () => {
  const { shim, file, close } = await beginRestore(3);
  const data = await extract(shim, file);
  let sent = 0;
  const sending = (async () => {
    for (const byte of [1, 2, 3]) {
      await shim.send({ type: "D", bytes: Uint8Array.of(byte) });
      sent++;
    }
    await shim.send({ type: "E", size: 3 });
    await shim.sendTotals();
  })();
  const first = await data.next();
  await new Promise((resolve) => setTimeout(resolve));
  strictEqual(sent, 2);
  deepStrictEqual(first.value, Uint8Array.of(1));
  deepStrictEqual((await data.next()).value, Uint8Array.of(2));
  deepStrictEqual((await data.next()).value, Uint8Array.of(3));
  strictEqual((await data.next()).done, true);
  close();
  await sending;
});

Deno.test("BackendSession.complete: Totals that agree and a good Finish end the restore", async () => {
  const { shim, session, events, file, close } = await beginRestore(0);
  await Promise.all([file.skip(), shim.receive()]);
  const [, last] = await Promise.all([shim.sendTotals(), events.next()]);
  strictEqual(last.done, true);
  const completing = session.complete();
  const totals = await shim.receive();
  ok(totals?.type === "T");
  await shim.send({ type: "Z", status: "T", totals: totals.totals });
  strictEqual(await completing, "T");
  close();
});
