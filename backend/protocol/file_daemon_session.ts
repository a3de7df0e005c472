/**
 * Side S of a conversation in TypeScript: it stands in for the File Daemon where a folder stands in for Bacula's volume.
 *
 * @module
 */

import type { FileHeader, ObjectReceiver, ObjectWriter, RestoreObjectHeader } from "../objects.ts";
import { type ByteStream, FrameChannel, gone } from "./channel.ts";
import type { Identity } from "./backend_session.ts";
import { protocolError } from "./frame.ts";
import { type JobInfo, type Message, protocolVersion, type Totals } from "./message.ts";

/** Hears what a backend says of its work. */
export interface Listener {
  message(severity: "I" | "W" | "E", text: string): void;
  heartbeat(files: number, bytes: number, activity: string): void;
}

/** What a restore sends. */
export interface RestoreInput {
  readonly where: string;
  readonly restoreObjects: AsyncIterable<{ header: RestoreObjectHeader; bytes: Uint8Array }>;
  readonly listed: readonly string[];
  readonly files: AsyncIterable<{ header: FileHeader; body: AsyncIterable<Uint8Array> }>;
}

/** The backend's own last word. */
export class BackendAbort extends Error {
  override readonly name = "BackendAbort";
}

interface SessionOptions {
  readonly identity: Identity;
  readonly job: JobInfo;
  readonly pluginCommand: string;
  readonly listener: Listener;
  /** Aborted to cancel the job. */
  readonly signal: AbortSignal;
  readonly verifyPayload?: boolean;
}

/** Runs a backup to its Finish. Rejects, with the job not good, in every other case. */
export async function runBackupSession(
  stream: ByteStream,
  options: SessionOptions,
  receiver: ObjectReceiver,
): Promise<Totals> {
  const session = await Session.open(stream, options);
  await session.channel.send({ type: "P", command: options.pluginCommand });
  await session.channel.send({ type: "S", replace: "\0", where: "", regexWhere: "" });
  for (let message = await session.next(); message.type !== "T"; message = await session.next()) {
    if (message.type === "F") await session.receiveBody(await receiver.file(message.file));
    else if (message.type === "R") await session.receiveBody(await receiver.restoreObject(message.object));
  }
  return await session.finish(() => receiver.commit());
}

/** Runs a restore to its Finish. Rejects in every other case. */
export async function runRestoreSession(
  stream: ByteStream,
  options: SessionOptions,
  input: RestoreInput,
): Promise<Totals> {
  const session = await Session.open(stream, options);
  const { channel } = session;
  const inbox = session.listen();
  for await (const { header, bytes } of input.restoreObjects) {
    await channel.send({ type: "R", object: header });
    await session.sendBody(header.size, chunked(bytes));
  }
  for (const name of input.listed) await channel.send({ type: "L", name });
  await channel.send({ type: "S", replace: "a", where: input.where, regexWhere: "" });
  await channel.send({ type: "P", command: options.pluginCommand });
  for await (const { header, body } of input.files) {
    // Where the backend has given up, its reason counts, not that nothing may be sent any more.
    await inbox.during(channel.send({ type: "F", file: header, isDirectory: false }));
    const answer = await inbox.take();
    if (answer.type !== "A") {
      throw protocolError(`Cannot go on: got a frame of type ${answer.type}, wanted an Answer`);
    }
    if (answer.answer === "extract") await session.sendBody(header.size, body);
  }
  await channel.sendTotals();
  await inbox.take();
  return await session.finish(() => Promise.resolve());
}

class Session {
  readonly channel: FrameChannel;
  readonly #listener: Listener;
  readonly #inbox = new Inbox();

  private constructor(channel: FrameChannel, listener: Listener) {
    this.channel = channel;
    this.#listener = listener;
  }

  static async open(stream: ByteStream, options: SessionOptions): Promise<Session> {
    const { identity, job, listener, signal } = options;
    const channel = new FrameChannel(
      "S",
      stream,
      options.verifyPayload === undefined ? {} : { verifyPayload: options.verifyPayload },
    );
    const session = new Session(channel, listener);
    await channel.send({
      type: "H",
      version: protocolVersion,
      program: identity.program,
      programVersion: identity.version,
    });
    const hello = await session.next();
    if (hello.type !== "H" || hello.version !== protocolVersion) {
      throw protocolError("Cannot begin: the backend speaks another version");
    }
    await channel.send({ type: "J", job });
    const cancel = () => void channel.send({ type: "C", reason: "stopped by the operator" }).catch(() => {});
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel, { once: true });
    return session;
  }

  /** The next message that isn't just talk. */
  async next(): Promise<Message> {
    for (;;) {
      const message = await this.channel.receive();
      if (message === null) throw gone("receiving", "the backend ended early");
      if (message.type === "M") this.#listener.message(message.severity, message.text);
      else if (message.type === "B") this.#listener.heartbeat(message.files, message.bytes, message.activity);
      else if (message.type === "X") throw new BackendAbort(message.text);
      else return message;
    }
  }

  async receiveBody(writer: ObjectWriter): Promise<void> {
    for (let message = await this.next(); message.type !== "E"; message = await this.next()) {
      if (message.type === "D") await writer.write(message.bytes);
    }
    await writer.end();
  }

  /** Sends an object's data and End, once the session listens. */
  async sendBody(size: number, body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of body) await this.#inbox.during(this.channel.sendData({ bytes }));
    await this.#inbox.during(this.channel.send({ type: "E", size }));
  }

  /** Hears the backend in the background up to its Totals, so that its failure interrupts what is being sent. */
  listen(): Inbox {
    const listen = async () => {
      while (!this.channel.order.complete) this.#inbox.put(await this.next());
    };
    listen().catch((cause) => this.#inbox.fail(cause));
    return this.#inbox;
  }

  /** Totals have been exchanged and agree: accepts the job and says so. */
  async finish(accept: () => Promise<void>): Promise<Totals> {
    const { totals } = this.channel.order;
    try {
      await accept();
    } catch (cause) {
      await this.channel.send({ type: "Z", status: "f", totals });
      throw cause;
    }
    await this.channel.send({ type: "Z", status: "T", totals });
    // Whatever still comes after Totals is refused by the order; only the end is right.
    await this.channel.receive();
    return totals;
  }
}

/** Messages heard in the background, and the failure that ended the hearing. Waited on by one at a time. */
class Inbox {
  readonly #messages: Message[] = [];
  #failure: { readonly cause: unknown } | undefined;
  #wake: (() => void) | undefined;
  /** Rejects what is waited on right now: a promise for the failure alone would keep a reaction for each frame sent. */
  #interrupt: ((cause: unknown) => void) | undefined;

  put(message: Message): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  fail(cause: unknown): void {
    this.#failure = { cause };
    this.#interrupt?.(cause);
  }

  async take(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await this.during(new Promise<void>((resolve) => this.#wake = resolve));
    }
  }

  /** Waits for some work, and no longer than until the hearing fails. */
  during(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      work.then(resolve, reject);
      if (this.#failure !== undefined) reject(this.#failure.cause);
    });
  }
}

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = 1 << 20;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
