/**
 * One end of a conversation on two byte streams: frames out in order, frames in and checked.
 *
 * @module
 */

import { crc32c } from "../../wasm/hasher.ts";
import { PluginError } from "../errors.ts";
import { framePayloadMaxBytes, heartbeatIntervalMs } from "../limits.ts";
import type { DataChunk } from "../objects.ts";
import {
  checkPayload,
  decodeHeader,
  encodeHeader,
  headerBytes,
  nextSequence,
  protocolError,
} from "./frame.ts";
import { decodePayload, encodePayload, type Message } from "./message.ts";
import { SessionOrder, type Side } from "./order.ts";

/** A pair of byte streams, as standard input and output or an in-process pair. */
export interface ByteStream {
  /** Reads at least one byte into `into` and returns how many, or null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Resolves when all bytes are taken; they aren't looked at later. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends what is written. */
  close(): void;
}

/** What a backend says of itself while it is busy. */
export type Activity = () => { readonly files: number; readonly bytes: number; readonly activity: string };

/** Frames of one side, written one after another in the order of the calls. */
export class FrameChannel {
  readonly order: SessionOrder = new SessionOrder();
  readonly #side: Side;
  readonly #stream: ByteStream;
  readonly #verifyPayload: boolean;
  #sendSequence = 0;
  #receiveSequence = 0;
  #sending: Promise<void> = Promise.resolve();
  /** By the clock that nobody sets. */
  #lastSentAtMs = 0;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  readonly #header = new Uint8Array(headerBytes);
  /** Taken in turn, so that what was received last stays as it is while the next frame arrives. */
  readonly #payloads = [new Uint8Array(4096), new Uint8Array(4096)];

  /**
   * @param verifyPayload false only where the bytes never leave the process: their checksum is taken by the sender all the same, and headers are
   * checked, but the receiver doesn't take it again over the very same memory
   */
  constructor(side: Side, stream: ByteStream, options: { verifyPayload?: boolean } = {}) {
    this.#side = side;
    this.#stream = stream;
    this.#verifyPayload = options.verifyPayload ?? true;
  }

  /** Sends one message; resolves when it is out. */
  send(message: Message): Promise<void> {
    return this.#enqueue(() => this.#write(message, encodePayload(message)));
  }

  /** Sends a piece of the open object without copying it. */
  sendData({ bytes, crc32c }: DataChunk): Promise<void> {
    return this.#enqueue(() => this.#write({ type: "D", bytes }, bytes, crc32c));
  }

  /** Sends the counts of everything that was sent, or received, before it. */
  sendTotals(): Promise<void> {
    return this.#enqueue(() => {
      const message = { type: "T", totals: this.order.totals } as const;
      return this.#write(message, encodePayload(message));
    });
  }

  /**
   * The next message of the other side, or null where it ended between two frames. Data is a view that stays valid during the next
   * call and ends with the one after it. One call at a time.
   *
   * @throws PluginError `protocol`
   */
  async receive(): Promise<Message | null> {
    if (!await this.#fill(this.#header, true)) return null;
    const header = decodeHeader(this.#header, this.#receiveSequence);
    const turn = this.#receiveSequence & 1;
    if (this.#payloads[turn]!.length < header.length) {
      this.#payloads[turn] = new Uint8Array(framePayloadMaxBytes);
    }
    const payload = this.#payloads[turn]!.subarray(0, header.length);
    await this.#fill(payload, false);
    if (this.#verifyPayload || header.type !== "D") checkPayload(header, payload);
    this.#receiveSequence = nextSequence(this.#receiveSequence);
    const message = decodePayload(header.type, payload);
    this.order.check(this.#side === "S" ? "B" : "S", message);
    return message;
  }

  /** Sends a Heartbeat whenever nothing else was sent for a while. */
  startHeartbeat(activity: Activity, intervalMs: number = heartbeatIntervalMs): void {
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#lastSentAtMs < intervalMs) return;
      // A peer that is gone shows itself to whoever sends or receives next.
      this.send({ type: "B", ...activity() }).catch(() => {});
    }, intervalMs / 4);
  }

  /** No Heartbeat from here on. */
  stopHeartbeat(): void {
    clearInterval(this.#heartbeat);
  }

  close(): void {
    this.stopHeartbeat();
    this.#stream.close();
  }

  #enqueue(write: () => Promise<void>): Promise<void> {
    const sent = this.#sending.then(write);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  async #write(message: Message, payload: Uint8Array, payloadCrc: number = crc32c(payload)): Promise<void> {
    if (payload.length > framePayloadMaxBytes) {
      throw protocolError(`Cannot send ${payload.length} bytes in one frame`);
    }
    this.order.check(this.#side, message);
    if (message.type === "T" || message.type === "X") this.stopHeartbeat();
    const header = encodeHeader(message.type, payload.length, this.#sendSequence, payloadCrc);
    this.#sendSequence = nextSequence(this.#sendSequence);
    try {
      await this.#stream.write(header);
      if (payload.length > 0) await this.#stream.write(payload);
    } catch (cause) {
      throw gone("sending", cause);
    }
    this.#lastSentAtMs = performance.now();
  }

  /** Fills `into`. False where the stream ends before its first byte and that is allowed. */
  async #fill(into: Uint8Array, mayEnd: boolean): Promise<boolean> {
    for (let at = 0; at < into.length;) {
      let read: number | null;
      try {
        read = await this.#stream.read(into.subarray(at));
      } catch (cause) {
        throw gone("receiving", cause);
      }
      if (read === null) {
        if (mayEnd && at === 0) return false;
        throw gone("receiving", new Error("it ended within a frame"));
      }
      at += read;
    }
    return true;
  }
}

/** The failure for a peer that went away. */
export function gone(action: string, cause: unknown): PluginError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PluginError(
    "peerGone",
    `Cannot go on ${action}: the other end of the conversation is gone (${reason})`,
    {
      hint: "Look for the reason in the log of the File Daemon and of the system around this time.",
      cause,
    },
  );
}

/** Two ends joined in memory: a write resolves when the other end has read it all. */
export function connectInProcess(): [ByteStream, ByteStream] {
  const forth = new MemoryPipe();
  const back = new MemoryPipe();
  return [new MemoryEnd(back, forth), new MemoryEnd(forth, back)];
}

class MemoryEnd implements ByteStream {
  readonly #input: MemoryPipe;
  readonly #output: MemoryPipe;

  constructor(input: MemoryPipe, output: MemoryPipe) {
    this.#input = input;
    this.#output = output;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#input.read(into);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#output.write(bytes);
  }

  close(): void {
    this.#output.end();
    this.#input.end();
  }
}

/** One direction: a writer whose bytes wait to be read, or a reader that waits for bytes. */
class MemoryPipe {
  #pending: { bytes: Uint8Array; resolve: () => void; reject: (cause: Error) => void } | undefined;
  #wake: (() => void) | undefined;
  #ended = false;

  write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.reject(new Error("closed"));
    return new Promise((resolve, reject) => {
      this.#pending = { bytes, resolve, reject };
      this.#wake?.();
    });
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#pending === undefined) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const { bytes, resolve } = this.#pending;
    const taken = Math.min(bytes.length, into.length);
    into.set(bytes.subarray(0, taken));
    if (taken === bytes.length) {
      this.#pending = undefined;
      resolve();
    } else {
      this.#pending.bytes = bytes.subarray(taken);
    }
    return taken;
  }

  end(): void {
    this.#ended = true;
    this.#pending?.reject(new Error("closed"));
    this.#pending = undefined;
    this.#wake?.();
  }
}
