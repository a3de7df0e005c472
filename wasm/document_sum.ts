/**
 * A digest of a collection's documents that doesn't depend on their order, nor on how they came in batches.
 *
 * @module
 */

import { DocumentAdder } from "./pkg/podheitor_mongodb_wasm.js";
import { memory } from "./pkg/podheitor_mongodb_wasm_bg.wasm";
import { batchMaxBytes, openBatchArena } from "./segment.ts";

/**
 * The sum, modulo 2^256, of each document's BLAKE3, with the count. Raw bytes: two documents are the same only byte for byte.
 *
 * Making the first one may grow the module's memory, so it is made like a `SegmentPool`: while no view of `Segment.chunks()` is in use.
 */
export class DocumentSum implements Disposable {
  readonly #adder = new DocumentAdder();
  readonly #arena = openBatchArena();

  /**
   * Adds the documents of a raw BSON array, as a server sends them.
   *
   * @throws Error when it is malformed; the sum is as before
   */
  addBatch(batch: Uint8Array): void {
    this.#put(batch);
    this.#adder.addArrayAt(this.#arena, batch.length);
  }

  /**
   * Adds whole documents, one after another in `documents`.
   *
   * @throws Error when they aren't; the sum is as before
   */
  addPacked(documents: Uint8Array): void {
    this.#put(documents);
    this.#adder.addPackedAt(this.#arena, documents.length);
  }

  get documents(): number {
    return this.#adder.documents;
  }

  /** The 32 bytes of the sum in hexadecimal, least significant byte first. */
  digest(): string {
    return this.#adder.digest().toHex();
  }

  [Symbol.dispose](): void {
    this.#adder.free();
  }

  #put(bytes: Uint8Array): void {
    if (bytes.length > batchMaxBytes) {
      throw new RangeError(`documents of ${bytes.length} bytes at once, where ${batchMaxBytes} are the most`);
    }
    new Uint8Array(memory.buffer, this.#arena, bytes.length).set(bytes);
  }
}

/** The digest of all documents whose parts have these digests. */
export function addDigests(digests: readonly string[]): string {
  const total = digests.reduce(
    (sum, digest) => sum + BigInt(`0x${Uint8Array.fromHex(digest).reverse().toHex()}`),
    0n,
  );
  return Uint8Array.fromHex((total % (1n << 256n)).toString(16).padStart(64, "0")).reverse().toHex();
}
