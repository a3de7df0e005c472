/**
 * Side B of a conversation: what the backend says and hears.
 *
 * @module
 */

import { asPluginError, errorTable, PluginError } from "../errors.ts";
import { messageMaxBytes } from "../limits.ts";
import type { DataChunk, FileHeader, ObjectSink, RestoreObject, RestoreObjectHeader } from "../objects.ts";
import type { JobLog } from "../ports.ts";
import { type Activity, type ByteStream, FrameChannel, gone } from "./channel.ts";
import { protocolError } from "./frame.ts";
import { type FinishStatus, type JobInfo, type Message, type MessageOf, protocolVersion } from "./message.ts";
import { cutText, splitText } from "./text.ts";

/** Who says Hello. */
export interface Identity {
  readonly program: string;
  readonly version: string;
}

/** What a restore brings, in the order of the protocol; ends with S's Totals. */
export type RestoreEvent =
  | { readonly type: "restoreObject"; readonly header: RestoreObjectHeader; readonly bytes: Uint8Array }
  | { readonly type: "listed"; readonly name: string }
  | { readonly type: "start"; readonly where: string; readonly regexWhere: string }
  | { readonly type: "pluginCommand"; readonly command: string }
  | {
    readonly type: "file";
    readonly header: FileHeader;
    /** Asks for the data. Each piece is a view that ends with the next one; all must be read before the next event. */
    extract(): Promise<AsyncIterable<Uint8Array>>;
    skip(): Promise<void>;
  };

/** Largest restore object that is taken in: they are read whole. */
const restoreObjectMaxBytes = 64 << 20;

/** One job's conversation, from Hello to Finish. */
export class BackendSession implements ObjectSink {
  readonly job: JobInfo;
  /** Aborted with a PluginError when the job is cancelled or the other side is gone. */
  readonly signal: AbortSignal;
  /** The job's log, in order with the objects. */
  readonly log: JobLog;
  readonly #channel: FrameChannel;
  readonly #heartbeatMs: number | undefined;
  readonly #stop = new AbortController();
  readonly #finish = Promise.withResolvers<FinishStatus>();
  /** A restore's next message, on its way. */
  #ahead: Promise<Message> | undefined;
  #sentBytes = 0;
  #sentFiles = 0;

  private constructor(channel: FrameChannel, job: JobInfo, heartbeatMs: number | undefined) {
    this.#channel = channel;
    this.#heartbeatMs = heartbeatMs;
    this.job = job;
    this.signal = this.#stop.signal;
    this.#finish.promise.catch(() => {});
    this.log = {
      info: (text) => this.#say("I", text),
      warning: (text) => this.#say("W", text),
      error: (text) => this.#say("E", text),
    };
  }

  /** Exchanges Hello and hears what the job is. From its own Hello on, what goes wrong is also told the other side. */
  static async accept(
    stream: ByteStream,
    identity: Identity,
    options: { verifyPayload?: boolean; heartbeatMs?: number } = {},
  ): Promise<BackendSession> {
    const channel = new FrameChannel("B", stream, options);
    const hello = await expect(channel, "H");
    await channel.send({
      type: "H",
      version: protocolVersion,
      program: identity.program,
      programVersion: identity.version,
    });
    try {
      if (hello.version !== protocolVersion) {
        throw protocolError(
          `Cannot talk to ${hello.program} ${hello.programVersion}: it speaks version ${hello.version}, this is ${protocolVersion}`,
        );
      }
      const { job } = await expect(channel, "J");
      return new BackendSession(channel, job, options.heartbeatMs);
    } catch (cause) {
      await sendAbort(channel, asPluginError(cause));
      throw cause;
    }
  }

  /** Backup and estimate: the raw plugin command. From here on, cancellation is heard in the background. */
  async receiveCommand(): Promise<string> {
    const { command } = await expect(this.#channel, "P");
    await this.#begin();
    return command;
  }

  /** Listing and query: the raw plugin command, and the path or the parameter that is asked about. */
  async receiveQuestion(): Promise<{ command: string; question: string }> {
    const { command } = await expect(this.#channel, "P");
    const { text } = await expect(this.#channel, "Q");
    await this.#begin();
    return { command, question: text };
  }

  /** Restore: everything that S sends. Cancellation is heard also while an event is worked on. */
  async *restoreEvents(): AsyncGenerator<RestoreEvent> {
    this.#beat("restoring");
    for (;;) {
      const message = await this.#next();
      switch (message.type) {
        case "R":
          yield {
            type: "restoreObject",
            header: message.object,
            bytes: await this.#readObject(message.object),
          };
          break;
        case "L":
          yield { type: "listed", name: message.name };
          break;
        case "S":
          yield { type: "start", where: message.where, regexWhere: message.regexWhere };
          break;
        case "P":
          yield { type: "pluginCommand", command: message.command };
          break;
        case "F":
          yield this.#fileEvent(message.file);
          break;
        case "T":
          this.#listen();
          return;
        default:
          throw protocolError(`Cannot go on: unexpected frame of type ${message.type} within a restore`);
      }
    }
  }

  async sendFile(file: FileHeader, body: Iterable<DataChunk> | AsyncIterable<DataChunk>): Promise<void> {
    await this.#channel.send({ type: "F", file, isDirectory: false });
    await this.#sendBody(file.size, body);
    this.#sentFiles++;
  }

  async sendRestoreObject({ bytes, ...header }: RestoreObject): Promise<void> {
    await this.#channel.send({ type: "R", object: { ...header, jobId: 0, command: "", size: bytes.length } });
    await this.#sendBody(bytes.length, [{ bytes }]);
  }

  /** Estimate and listing: a file's header without its data. */
  async announceFile(file: FileHeader): Promise<void> {
    await this.#channel.send({ type: "F", file, isDirectory: false });
  }

  /** Listing: a directory; its size is that of everything in it. */
  async announceDirectory(file: FileHeader): Promise<void> {
    await this.#channel.send({ type: "F", file, isDirectory: true });
  }

  /** Query: one line of the answer. */
  async sendValue(text: string): Promise<void> {
    await this.#channel.send({ type: "V", text });
  }

  /** Sends Totals and waits for Finish. The job is good only if this resolves with `T`. */
  async complete(): Promise<FinishStatus> {
    this.signal.throwIfAborted();
    await this.#channel.sendTotals();
    return await this.#finish.promise;
  }

  /** Reports the failure that ends the job, unless it is too late or nobody listens. */
  async abort(error: PluginError): Promise<void> {
    if (!this.#channel.order.complete) await sendAbort(this.#channel, error);
  }

  close(): void {
    this.#channel.close();
  }

  async #begin(): Promise<void> {
    await expect(this.#channel, "S");
    this.#listen();
    this.#beat("reading");
  }

  async #sendBody(size: number, body: Iterable<DataChunk> | AsyncIterable<DataChunk>): Promise<void> {
    for await (const chunk of body) {
      this.signal.throwIfAborted();
      if (chunk.bytes.length === 0) continue;
      await this.#channel.sendData(chunk);
      this.#sentBytes += chunk.bytes.length;
    }
    await this.#channel.send({ type: "E", size });
  }

  #fileEvent(header: FileHeader): RestoreEvent {
    return {
      type: "file",
      header,
      extract: async () => {
        await this.#channel.send({ type: "A", answer: "extract" });
        return this.#readBody();
      },
      skip: () => this.#channel.send({ type: "A", answer: "skip" }),
    };
  }

  async *#readBody(): AsyncGenerator<Uint8Array> {
    for (let message = await this.#next(); message.type !== "E"; message = await this.#next()) {
      if (message.type === "D") {
        yield message.bytes;
        this.#sentBytes += message.bytes.length;
      }
    }
    this.#sentFiles++;
  }

  async #readObject({ size, name }: RestoreObjectHeader): Promise<Uint8Array> {
    if (size > restoreObjectMaxBytes) {
      throw protocolError(`Cannot take the restore object ${name}: ${size} bytes are too many`);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for await (const chunk of this.#readBody()) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /**
   * The next message of a restore. The one after it, and no more, is received while this one is worked on: so Cancel and the end of the stream
   * are heard at once, and a slow target still slows the other side down.
   */
  async #next(): Promise<Message> {
    const message = await (this.#ahead ?? this.#hear());
    if (message.type !== "T") {
      this.#ahead = this.#hear();
      // Whoever asks for the next message sees the failure; until then the signal tells.
      this.#ahead.catch(() => {});
    }
    return message;
  }

  /** A message of a restore. Whatever ends the job stops its work at once. */
  async #hear(): Promise<Message> {
    try {
      const message = await this.#channel.receive();
      if (message === null) throw gone("receiving", "its output ended early");
      if (message.type === "C") throw canceled(message.reason);
      return message;
    } catch (cause) {
      throw this.#stopWith(asPluginError(cause));
    }
  }

  /** Waits for what may still come from S while the backend works: Cancel, Finish, or its death. */
  #listen(): void {
    const listen = async () => {
      for (;;) {
        const message = await this.#channel.receive();
        if (message === null) throw gone("receiving", "it ended before Finish");
        if (message.type === "Z") return this.#finish.resolve(message.status);
        if (message.type === "C") throw canceled(message.reason);
      }
    };
    listen().catch((cause) => {
      this.#stopWith(asPluginError(cause));
      this.#finish.reject(cause);
    });
  }

  #stopWith(cause: PluginError): PluginError {
    if (!this.#stop.signal.aborted) this.#stop.abort(cause);
    return cause;
  }

  #say(severity: "I" | "W" | "E", text: string): void {
    for (const part of splitText(text, messageMaxBytes)) {
      // What fails here fails again, and is seen, at the next object.
      this.#channel.send({ type: "M", severity, text: part }).catch(() => {});
    }
  }

  #beat(activity: string): void {
    const progress: Activity = () => ({ files: this.#sentFiles, bytes: this.#sentBytes, activity });
    this.#channel.startHeartbeat(progress, this.#heartbeatMs);
  }
}

async function expect<T extends "H" | "J" | "P" | "Q" | "S">(
  channel: FrameChannel,
  type: T,
): Promise<MessageOf<T>> {
  const message = await channel.receive();
  if (message === null) throw gone("receiving", "it ended before the job began");
  if (message.type === "C") throw canceled(message.reason);
  if (message.type !== type) {
    throw protocolError(`Cannot begin: got a frame of type ${message.type}, wanted ${type}`);
  }
  return message as MessageOf<T>;
}

function canceled(reason: string): PluginError {
  return new PluginError("canceled", `The job was cancelled: ${reason}`);
}

/** Says why the job ends, where that can still be said. */
async function sendAbort(channel: FrameChannel, error: PluginError): Promise<void> {
  try {
    await channel.send({
      type: "X",
      code: errorTable[error.code].number,
      text: cutText(error.report, messageMaxBytes),
    });
  } catch {
    // The other side is gone, or the order forbids another word: the exit status speaks.
  }
}
