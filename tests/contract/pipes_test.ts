/** Whole conversations over the pipes of a real child process. */

import { strictEqual } from "node:assert/strict";
import type { ByteStream } from "../../backend/protocol/channel.ts";
import { withDeadline } from "./deadline.ts";
import { runFileDaemon } from "./parts.ts";
import { Player } from "./player.ts";
import { loadSessionVectors } from "./vector.ts";

const played = [
  "backup_largest_payload",
  "cancel_in_data",
  "restore_plain",
  "shim_gone_in_data",
  "restore_shim_gone_in_frame",
];
const joined = ["backup_objects_and_messages", "backup_largest_payload", "restore_plain"];

for (const vector of await loadSessionVectors()) {
  if (played.includes(vector.name)) {
    Deno.test(`pipes: the backend as a child, played against: ${vector.title}`, async () => {
      const child = start(vector.name);
      await withDeadline(new Player(child.stream, "S", vector).play(), vector.name, 20_000);
      child.stream.close();
      strictEqual((await child.status) === 0 ? "ok" : "failed", vector.expect.get("backend"));
    });
  }
  if (joined.includes(vector.name)) {
    Deno.test(`pipes: both sides, the backend as a child: ${vector.title}`, async () => {
      const child = start(vector.name);
      await withDeadline(
        runFileDaemon(child.stream, vector, new AbortController().signal),
        vector.name,
        20_000,
      );
      child.stream.close();
      strictEqual(await child.status, 0);
    });
  }
}

/** Starts the child and joins its standard input and output to one stream. */
function start(session: string): { stream: ByteStream; status: Promise<number> } {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-read",
      "--no-lock",
      new URL("backend_child.ts", import.meta.url).pathname,
      session,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = process.stdin.getWriter();
  const reader = process.stdout.getReader();
  let rest = new Uint8Array();
  let closed = false;
  const stream: ByteStream = {
    read: async (into) => {
      while (rest.length === 0) {
        const { value, done } = await reader.read();
        if (done) return null;
        rest = value;
      }
      const taken = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, taken));
      rest = rest.subarray(taken);
      return taken;
    },
    write: (bytes) => writer.write(bytes),
    close: () => {
      if (!closed) writer.close().catch(() => {});
      closed = true;
    },
  };
  return { stream, status: process.status.then(({ code }) => code) };
}
