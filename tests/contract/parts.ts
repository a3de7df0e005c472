/**
 * The implementations of both sides, made to do what a session vector's lines of their side say.
 *
 * @module
 */

import { asPluginError, type ErrorCode, errorTable, PluginError } from "../../backend/errors.ts";
import type { DataChunk, ObjectReceiver } from "../../backend/objects.ts";
import { BackendSession } from "../../backend/protocol/backend_session.ts";
import type { ByteStream } from "../../backend/protocol/channel.ts";
import {
  type RestoreInput,
  runBackupSession,
  runRestoreSession,
} from "../../backend/protocol/file_daemon_session.ts";
import { decodePayload, type Message, type MessageOf } from "../../backend/protocol/message.ts";
import type { Side } from "../../backend/protocol/order.ts";
import type { SessionVector } from "./vector.ts";

const severities = { I: "info", W: "warning", E: "error" } as const;

/** A side's messages, one after another. */
class Script {
  readonly #messages: Message[];

  constructor(vector: SessionVector, side: Side) {
    this.#messages = vector.lines.flatMap((line) =>
      line.side === side && line.does === "frame" ? [decodePayload(line.type, line.payload)] : []
    );
  }

  /** The next message, still to be taken. */
  peek(): Message | undefined {
    return this.#messages[0];
  }

  /** Takes the next message if it is of this type. */
  take<T extends Message["type"]>(type: T): MessageOf<T> | undefined {
    return this.peek()?.type === type ? this.#messages.shift() as MessageOf<T> : undefined;
  }

  /** Takes the first message of this type, wherever it stands. */
  pick<T extends Message["type"]>(type: T): MessageOf<T> | undefined {
    const at = this.#messages.findIndex((message) => message.type === type);
    return at < 0 ? undefined : this.#messages.splice(at, 1)[0] as MessageOf<T>;
  }
}

/** Side B. Resolves with the status that the backend ends with. */
export async function runBackend(stream: ByteStream, vector: SessionVector): Promise<number> {
  const script = new Script(vector, "B");
  const hello = script.pick("H");
  let session: BackendSession;
  try {
    session = await BackendSession.accept(stream, {
      program: hello?.program ?? "",
      version: hello?.programVersion ?? "",
    });
  } catch {
    stream.close();
    return 1;
  }
  try {
    if (session.job.kind === "R") await restore(session, script);
    else await backUp(session, script);
    return await session.complete() === "T" ? 0 : 1;
  } catch (thrown) {
    const error = session.signal.aborted ? session.signal.reason : asPluginError(thrown);
    if (error.code !== "peerGone") await session.abort(error);
    return 1;
  } finally {
    session.close();
  }
}

async function backUp(session: BackendSession, script: Script): Promise<void> {
  const { kind } = session.job;
  await (kind === "L" || kind === "Q" ? session.receiveQuestion() : session.receiveCommand());
  while (script.peek()?.type !== "T") {
    say(session, script);
    const { file, isDirectory } = script.take("F") ?? {};
    const object = script.take("R")?.object;
    const value = script.take("V")?.text;
    if (value !== undefined) await session.sendValue(value);
    else if (file !== undefined && isDirectory) await session.announceDirectory(file);
    else if (file !== undefined && kind !== "B") await session.announceFile(file);
    else if (file !== undefined) await session.sendFile(file, body(session, script));
    else if (object !== undefined) {
      const { size: _, jobId: __, command: ___, ...header } = object;
      await session.sendRestoreObject({ ...header, bytes: script.take("D")?.bytes ?? new Uint8Array() });
      script.take("E");
    } else if (script.peek()?.type !== "T") await fail(session, script);
  }
}

async function* body(session: BackendSession, script: Script): AsyncGenerator<DataChunk> {
  while (script.take("E") === undefined) {
    say(session, script);
    const data = script.take("D");
    if (data !== undefined) yield { bytes: data.bytes };
    else if (script.peek()?.type !== "E") await fail(session, script);
  }
}

/** Waits for the failure that ends the script, or fails as the script says. */
async function fail(session: BackendSession, script: Script): Promise<never> {
  failAsWritten(script);
  const { promise, reject } = Promise.withResolvers<never>();
  session.signal.addEventListener("abort", () => reject(session.signal.reason));
  if (session.signal.aborted) throw session.signal.reason;
  return await promise;
}

/** Fails with the script's Abort, unless that is the answer to something that the other side does. */
function failAsWritten(script: Script): void {
  const message = script.peek();
  if (message?.type !== "X") return;
  const { code, text } = message;
  const name = (Object.keys(errorTable) as ErrorCode[]).find((one) => errorTable[one].number === code) ??
    "internal";
  if (name !== "protocol" && name !== "canceled") throw new PluginError(name, text);
}

async function restore(session: BackendSession, script: Script): Promise<void> {
  for await (const event of session.restoreEvents()) {
    if (event.type !== "file") continue;
    say(session, script);
    const answer = script.take("A")?.answer;
    if (answer === "skip") await event.skip();
    else if (answer === "extract") {
      for await (const _ of await event.extract()) failAsWritten(script);
    } else failAsWritten(script);
  }
  say(session, script);
  failAsWritten(script);
}

function say(session: BackendSession, script: Script): void {
  for (let message = script.take("M"); message !== undefined; message = script.take("M")) {
    session.log[severities[message.severity]](message.text);
  }
}

/** Side S. Resolves when it takes the job as good. */
export async function runFileDaemon(
  stream: ByteStream,
  vector: SessionVector,
  signal: AbortSignal,
): Promise<void> {
  const script = new Script(vector, "S");
  const hello = script.pick("H");
  const job = script.pick("J")?.job ?? unknownJob;
  const options = {
    identity: { program: hello?.program ?? "", version: hello?.programVersion ?? "" },
    job,
    pluginCommand: script.pick("P")?.command ?? "",
    listener: { message: () => {}, heartbeat: () => {} },
    signal,
  };
  if (job.kind === "R") await runRestoreSession(stream, options, restoreInput(script, signal));
  else await runBackupSession(stream, options, discard);
}

/** A session that ends before Job still needs one. */
const unknownJob = {
  kind: "B",
  level: "F",
  accurate: false,
  jobId: 1,
  sinceTime: 0,
  jobName: "job",
  previousJobName: "",
  clientName: "client",
  workingDirectory: "/",
  baculaVersion: "15.0.3",
} as const;

const writer = { write: () => Promise.resolve(), end: () => Promise.resolve() };
const discard: ObjectReceiver = {
  file: () => Promise.resolve(writer),
  restoreObject: () => Promise.resolve(writer),
  commit: () => Promise.resolve(),
};

function restoreInput(script: Script, signal: AbortSignal): RestoreInput {
  const restoreObjects: { header: MessageOf<"R">["object"]; bytes: Uint8Array }[] = [];
  for (let object = script.take("R"); object !== undefined; object = script.take("R")) {
    restoreObjects.push({ header: object.object, bytes: script.take("D")?.bytes ?? new Uint8Array() });
    script.take("E");
  }
  const listed: string[] = [];
  for (let entry = script.take("L"); entry !== undefined; entry = script.take("L")) listed.push(entry.name);
  const where = script.take("S")?.where ?? "";
  return { where, listed, restoreObjects: eachOf(restoreObjects), files: restoredFiles(script, signal) };
}

async function* restoredFiles(script: Script, signal: AbortSignal): RestoreInput["files"] {
  for (let file = script.take("F"); file !== undefined; file = script.take("F")) {
    yield { header: file.file, body: restoredBody(script, file.file.size, signal) };
  }
}

/** The pieces that the script has; where it stops within the object, the rest in single bytes until the failure is noticed. */
async function* restoredBody(script: Script, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let missing = size;
  for (let data = script.take("D"); data !== undefined; data = script.take("D")) {
    yield data.bytes;
    missing -= data.bytes.length;
  }
  if (script.take("E") !== undefined) return;
  if (script.peek()?.type === "C" && !signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  for (; missing > 0; missing--) yield new Uint8Array(1);
}

async function* eachOf<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

/** Why the stand-in for the File Daemon can't say what the lines of side S say, or undefined where it can. */
export function beyondFileDaemon(vector: SessionVector): string | undefined {
  const sent = vector.lines.flatMap((line) => line.side === "S" && line.does === "frame" ? [line] : []);
  const kind = String.fromCharCode(sent.find(({ type }) => type === "J")?.payload[0] ?? 0);
  if (["E", "L", "Q"].includes(kind)) return "it asks for no estimate, listing or query";
  const commands = sent.filter(({ type }) => type === "P").length;
  if (kind === "R" && commands !== 1) return `it sends one PluginCommand, not ${commands}`;
  return undefined;
}
