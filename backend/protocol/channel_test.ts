import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { connectInProcess, FrameChannel } from "./channel.ts";
import type { Message } from "./message.ts";

const hello: Message = { type: "H", version: 1, program: "a", programVersion: "1" };

async function greet(
  verifyPayload = true,
): Promise<{ shim: FrameChannel; backend: FrameChannel; close: () => void }> {
  const [ours, theirs] = connectInProcess();
  const shim = new FrameChannel("S", ours);
  const backend = new FrameChannel("B", theirs, { verifyPayload });
  await Promise.all([shim.send(hello), backend.receive()]);
  await Promise.all([backend.send(hello), shim.receive()]);
  return { shim, backend, close: () => (shim.close(), backend.close()) };
}

Deno.test("FrameChannel.send: resolves only when the other side has read it", async () => {
  const { shim, backend, close } = await greet();
  let sent = false;
  const sending = backend.send({ type: "M", severity: "I", text: "one" }).then(() => sent = true);
  await new Promise((resolve) => setTimeout(resolve));
  strictEqual(sent, false);
  await shim.receive();
  await sending;
  close();
});

Deno.test("FrameChannel.send: frames leave in the order of the calls", async () => {
  const { shim, backend, close } = await greet();
  const texts = ["one", "two", "three"];
  const sending = Promise.all(texts.map((text) => backend.send({ type: "M", severity: "I", text })));
  const received: unknown[] = [];
  for (const _ of texts) {
    const message = await shim.receive();
    received.push(message?.type === "M" && message.text);
  }
  await sending;
  deepStrictEqual(received, texts);
  close();
});

Deno.test("FrameChannel.send: a peer that has closed is gone", async () => {
  const { shim, backend, close } = await greet();
  shim.close();
  await rejects(backend.send({ type: "M", severity: "I", text: "one" }), { code: "peerGone" });
  strictEqual(await backend.receive(), null);
  close();
});

Deno.test("FrameChannel.receive: an end within a frame is an error", async () => {
  const [ours, theirs] = connectInProcess();
  const backend = new FrameChannel("B", theirs);
  const receiving = rejects(backend.receive(), { code: "peerGone" });
  await ours.write(Uint8Array.fromHex("5048"));
  ours.close();
  await receiving;
});

Deno.test("FrameChannel.startHeartbeat: silence brings heartbeats", async () => {
  const { shim, backend, close } = await greet();
  backend.startHeartbeat(() => ({ files: 3, bytes: 4, activity: "reading" }), 8);
  const deadline = setTimeout(close, 5000);
  for (let beats = 0; beats < 2; beats++) {
    deepStrictEqual(await shim.receive(), { type: "B", files: 3, bytes: 4, activity: "reading" });
  }
  clearTimeout(deadline);
  close();
});

Deno.test("FrameChannel.startHeartbeat: a wall clock that is set back silences nobody", async () => {
  const { shim, backend, close } = await greet();
  const now = Date.now;
  let time = now();
  Date.now = () => time -= 1000;
  const deadline = setTimeout(close, 5000);
  try {
    backend.startHeartbeat(() => ({ files: 0, bytes: 0, activity: "" }), 8);
    strictEqual((await shim.receive())?.type, "B");
    strictEqual((await shim.receive())?.type, "B");
  } finally {
    Date.now = now;
    clearTimeout(deadline);
    close();
  }
});

Deno.test("FrameChannel.sendData: a given checksum is the one that is sent", async () => {
  const { shim, backend, close } = await greet();
  const job: Message = {
    type: "J",
    job: {
      kind: "B",
      level: "F",
      accurate: false,
      jobId: 1,
      sinceTime: 0,
      jobName: "j",
      previousJobName: "",
      clientName: "c",
      workingDirectory: "/",
      baculaVersion: "15.0.3",
    },
  };
  const opening: Message[] = [job, { type: "P", command: "x" }, {
    type: "S",
    replace: "\0",
    where: "",
    regexWhere: "",
  }];
  for (const message of opening) await Promise.all([shim.send(message), backend.receive()]);
  const file = { name: "/a", size: 1, mode: 0o600, atime: 0, mtime: 0, ctime: 0 };
  await Promise.all([backend.send({ type: "F", file, isDirectory: false }), shim.receive()]);
  const sending = backend.sendData({ bytes: Uint8Array.of(7), crc32c: 1234 });
  await rejects(shim.receive(), { code: "protocol" });
  await sending;
  close();
});
