/**
 * BLAKE3 and CRC32C.
 *
 * @module
 */

import { allocate, crc32cAt, Hasher } from "./pkg/podheitor_mongodb_wasm.js";
import { memory } from "./pkg/podheitor_mongodb_wasm_bg.wasm";

/** Bytes are handed over in pieces of this size, which still fit the cache. */
const arenaBytes = 1 << 20;
const arena: number = allocate(arenaBytes);

/** A view on the module's memory. It dies when the memory grows, so it is made anew for each use. */
function view(offset: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, offset, length);
}

/** Calls `use` with each piece's place in the module's memory; what is there already isn't copied. */
function eachPiece(bytes: Uint8Array, use: (offset: number, length: number) => void): void {
  // A view that the memory's growth has cut off looks empty, and would pass for no bytes at all.
  if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.detached) {
    throw new TypeError("the bytes' memory is gone");
  }
  if (bytes.buffer === memory.buffer) return use(bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += arenaBytes) {
    const piece = bytes.subarray(at, at + arenaBytes);
    view(arena, piece.length).set(piece);
    use(arena, piece.length);
  }
}

/** An incremental BLAKE3. Dispose of it when done: it lives in the module's memory. */
export class Blake3 implements Disposable {
  readonly #hasher = new Hasher();

  update(bytes: Uint8Array): this {
    eachPiece(bytes, (offset, length) => this.#hasher.updateAt(offset, length));
    return this;
  }

  /** The 32 bytes of the digest of all bytes so far; more may follow. */
  digest(): Uint8Array {
    return this.#hasher.digest();
  }

  reset(): this {
    this.#hasher.reset();
    return this;
  }

  [Symbol.dispose](): void {
    this.#hasher.free();
  }
}

/** BLAKE3 of some bytes: 32 bytes. */
export function blake3(bytes: Uint8Array): Uint8Array {
  using hasher = new Blake3();
  return hasher.update(bytes).digest();
}

/** CRC32C (Castagnoli) as an unsigned 32-bit number. `crc32c(b, crc32c(a))` is the checksum of `a` followed by `b`. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = seed;
  eachPiece(bytes, (offset, length) => {
    crc = crc32cAt(offset, length, crc);
  });
  return crc;
}
