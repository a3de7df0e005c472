/**
 * Fields of PTCOMM's payloads: little-endian integers, single letters, and texts with a length in front.
 *
 * @module
 */

import type { PluginError } from "../errors.ts";
import { frameNames, type FrameType, protocolError } from "./frame.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Collects the fields of a payload. */
export class PayloadWriter {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#integer(1, (view) => view.setUint8(0, value));
  }

  u16(value: number): this {
    return this.#integer(2, (view) => view.setUint16(0, value, true));
  }

  u32(value: number): this {
    return this.#integer(4, (view) => view.setUint32(0, value, true));
  }

  u64(value: number): this {
    return this.#integer(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  i64(value: number): this {
    return this.#integer(8, (view) => view.setBigInt64(0, BigInt(value), true));
  }

  /** One character as one byte. */
  letter(value: string): this {
    return this.u8(value.charCodeAt(0));
  }

  /** A length and the text in UTF-8. */
  text(value: string): this {
    const bytes = encoder.encode(value);
    this.u32(bytes.length);
    this.#parts.push(bytes);
    return this;
  }

  /** The text in UTF-8, to the payload's end. */
  rest(value: string): this {
    this.#parts.push(encoder.encode(value));
    return this;
  }

  done(): Uint8Array {
    const payload = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      payload.set(part, at);
      at += part.length;
    }
    return payload;
  }

  #integer(size: number, set: (view: DataView) => void): this {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer));
    this.#parts.push(bytes);
    return this;
  }
}

/** Reads the fields of a payload in turn; every fault is a protocol error that names the frame. */
export class PayloadReader {
  readonly #type: FrameType;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(type: FrameType, bytes: Uint8Array) {
    this.#type = type;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): number {
    return this.#safe(this.#view.getBigUint64(this.#advance(8), true));
  }

  i64(): number {
    return this.#safe(this.#view.getBigInt64(this.#advance(8), true));
  }

  letter<T extends string>(allowed: readonly T[]): T {
    return this.oneOf(String.fromCharCode(this.u8()), allowed);
  }

  text(): string {
    const length = this.u32();
    return this.#decode(this.#bytes.subarray(this.#advance(length), this.#at));
  }

  rest(): string {
    if (this.#at === this.#bytes.length) throw this.fault("at least 1 byte");
    return this.#decode(this.#bytes.subarray(this.#advance(this.#bytes.length - this.#at)));
  }

  oneOf<T>(value: unknown, allowed: readonly T[]): T {
    const found = allowed.find((one) => one === value);
    if (found === undefined) {
      throw this.fault(`one of ${allowed.map((one) => JSON.stringify(one)).join(", ")}`);
    }
    return found;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw this.fault(`an end after ${this.#at} bytes, not after ${this.#bytes.length}`);
    }
  }

  fault(wanted: string): PluginError {
    return protocolError(`Cannot read a ${frameNames[this.#type]} frame: wanted ${wanted}`);
  }

  #advance(size: number): number {
    const at = this.#at;
    if (at + size > this.#bytes.length) {
      throw this.fault(`${at + size} bytes at least, got ${this.#bytes.length}`);
    }
    this.#at = at + size;
    return at;
  }

  #safe(value: bigint): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw this.fault(`an integer below 2^53, not ${value}`);
    return number;
  }

  #decode(bytes: Uint8Array): string {
    if (bytes.includes(0)) throw this.fault("a text without NUL bytes");
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.fault("a text in UTF-8");
    }
  }
}
