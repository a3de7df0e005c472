/**
 * Plays one side of a session vector against an implementation of the other side.
 *
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { crc32c } from "../../wasm/hasher.ts";
import type { ByteStream } from "../../backend/protocol/channel.ts";
import {
  checkPayload,
  decodeHeader,
  encodeHeader,
  frameNames,
  type FrameType,
  headerBytes,
  nextSequence,
} from "../../backend/protocol/frame.ts";
import type { Side } from "../../backend/protocol/order.ts";
import type { SessionLine, SessionVector } from "./vector.ts";

/** How a player departs from its script. */
export interface PlayerOptions {
  /** Called before a frame is awaited, so that whoever drives the implementation can bring it about. */
  readonly expecting?: (type: FrameType) => void;
  /** Changes what is sent; `offset` is the place of the bytes in all that this side sends. */
  readonly tamper?: (bytes: Uint8Array, offset: number) => Sent;
}

/** What a player sends in place of its line's bytes; `last` ends its output behind them. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

interface ReceivedFrame {
  readonly type: FrameType;
  readonly payload: Uint8Array;
}

/** One side of a session: sends its own lines, expects the other side's. */
export class Player {
  readonly #stream: ByteStream;
  readonly #side: Side;
  readonly #vector: SessionVector;
  readonly #options: PlayerOptions;
  #sending: Promise<void> = Promise.resolve();
  #sentBytes = 0;
  #sendSequence = 0;
  #receiveSequence = 0;

  constructor(stream: ByteStream, side: Side, vector: SessionVector, options: PlayerOptions = {}) {
    this.#stream = stream;
    this.#side = side;
    this.#vector = vector;
    this.#options = options;
  }

  /** Plays every line, then reads until the other side has ended; throws an AssertionError where that side departs from the script. */
  async play(): Promise<void> {
    for (const line of this.#vector.lines) {
      if (line.side === this.#side) {
        if (!this.#act(line)) return await this.#leave();
      } else if (line.does === "frame") {
        this.#options.expecting?.(line.type);
        this.#compare(line, await this.#receive());
      } else if (line.does === "exit") {
        await this.#expectEnd();
      }
    }
    while (await this.#receive() !== null);
  }

  /** Does what a line says, as a pipe would: what is sent may wait to be read. False when this side's output is over. */
  #act(line: SessionLine): boolean {
    if (line.does === "eof" || line.does === "exit") return false;
    const bytes = line.does === "raw" ? line.bytes : encodeFrame(line.type, line.payload, this.#sendSequence);
    this.#sendSequence = nextSequence(this.#sendSequence);
    const sent = this.#options.tamper?.(bytes, this.#sentBytes) ?? { bytes, last: false };
    this.#sentBytes += bytes.length;
    // The other side may be gone before it has read everything; its verdict is what counts.
    this.#sending = this.#sending.then(() => this.#stream.write(sent.bytes)).catch(() => {});
    return !sent.last;
  }

  /** Closes this side once what it sent has been read, and lets the other side speak until then. */
  async #leave(): Promise<void> {
    const left = this.#sending.then(() => this.#stream.close());
    while (await this.#receive() !== null);
    await left;
  }

  #compare(line: SessionLine & { does: "frame" }, received: ReceivedFrame | null): void {
    strictEqual(received && frameNames[received.type], frameNames[line.type]);
    // The words of Cancel and Abort are the sender's own; an Abort's code isn't.
    if (line.type === "C") return;
    const length = line.type === "X" ? 2 : undefined;
    strictEqual(
      received?.payload.slice(0, length).toHex(),
      line.payload.slice(0, length).toHex(),
      frameNames[line.type],
    );
  }

  /** A backend that fails may still say why. */
  async #expectEnd(): Promise<void> {
    const last = await this.#receive();
    if (last?.type === "X" && this.#vector.expect.get("backend") === "failed") {
      strictEqual(await this.#receive(), null);
    } else strictEqual(last, null, "wanted the end of the output");
  }

  async #receive(): Promise<ReceivedFrame | null> {
    const raw = new Uint8Array(headerBytes);
    if (!await this.#fill(raw)) return null;
    const header = decodeHeader(raw, this.#receiveSequence);
    this.#receiveSequence = nextSequence(this.#receiveSequence);
    const payload = new Uint8Array(header.length);
    if (!await this.#fill(payload)) return null;
    checkPayload(header, payload);
    return { type: header.type, payload };
  }

  async #fill(into: Uint8Array): Promise<boolean> {
    for (let at = 0; at < into.length;) {
      const read = await this.#stream.read(into.subarray(at));
      if (read === null) return false;
      at += read;
    }
    return true;
  }
}

/** All bytes that a side sends within a session. */
export function countBytes(vector: SessionVector, side: Side): number {
  let bytes = 0;
  for (const line of vector.lines) {
    if (line.side !== side) continue;
    if (line.does === "frame") bytes += headerBytes + line.payload.length;
    if (line.does === "raw") bytes += line.bytes.length;
  }
  return bytes;
}

function encodeFrame(type: FrameType, payload: Uint8Array, sequence: number): Uint8Array {
  const frame = new Uint8Array(headerBytes + payload.length);
  frame.set(encodeHeader(type, payload.length, sequence, crc32c(payload)));
  frame.set(payload, headerBytes);
  return frame;
}
