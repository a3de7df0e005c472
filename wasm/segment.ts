/**
 * Segments of packed documents in the module's memory, filled from raw BSON arrays.
 *
 * A view on the module's memory dies when that memory grows. So only the making of a {@linkcode SegmentPool} grows it: it takes all that its
 * segments will ever need, and room besides for the small things (hashers, digests, messages) that come and go while a view of
 * {@linkcode Segment.chunks} is on its way to a pipe. Hence no pool may be made while such a view is in use.
 *
 * @module
 */

import { allocate, PackedSegment, reserve } from "./pkg/podheitor_mongodb_wasm.js";
import { memory } from "./pkg/podheitor_mongodb_wasm_bg.wasm";

/** Bytes that one checksum covers. */
const chunkBytes = 1 << 20;

/** What a batch or a single document may need: a reply ends at 16 MiB of documents, and keys and an internal document's surplus come on top. */
/** @internal Shared with what else looks at batches. */
export const batchMaxBytes = 24 << 20;
const documentRoomBytes = 17 << 20;

/** Most that the segments of one pool may need together: half of what 32-bit addresses reach. */
const poolMaxBytes = 2 ** 31 - 1;

/** Room for small things: two thousand hashers of 2 KiB, and what an oplog scanner remembers of a hundred thousand namespaces. */
const headroomBytes = 32 << 20;

/** Where a batch is put for packing; 0 before the first pool. */
let batchArena = 0;

/** @internal Makes sure that there is room for a batch, which may grow the memory; returns where it is. */
export function openBatchArena(): number {
  return batchArena ||= allocate(batchMaxBytes);
}

/** Documents packed one after another. A malformed batch spoils it: then all but {@linkcode clear} throws. */
export class Segment {
  /** @internal Filled by {@linkcode packBatch}. */
  readonly packed: PackedSegment;

  /** @internal Segments come from a {@linkcode SegmentPool}. */
  constructor(capacityBytes: number, limitBytes: number) {
    this.packed = new PackedSegment(capacityBytes, limitBytes);
  }

  get sizeBytes(): number {
    return this.packed.length;
  }

  get documents(): number {
    return this.packed.documents;
  }

  /** Adds a whole document. False when it doesn't fit any more. */
  append(document: Uint8Array): boolean {
    new Uint8Array(memory.buffer, batchArena, document.length).set(document);
    return this.packed.appendAt(batchArena, document.length);
  }

  /** BLAKE3 of the packed bytes. */
  digest(): Uint8Array {
    return this.packed.digest();
  }

  /** The packed bytes in pieces of 1 MiB, the last one shorter, with their CRC32C. A piece is a view that ends with the next one. */
  *chunks(): Generator<{ bytes: Uint8Array; crc32c: number }> {
    for (let chunk = 0; chunk * chunkBytes < this.sizeBytes; chunk++) {
      const from = chunk * chunkBytes;
      const length = Math.min(chunkBytes, this.sizeBytes - from);
      const crc32c = this.packed.checksum(chunk);
      if (crc32c === undefined) throw new RangeError(`Segment has no checksum for chunk ${chunk}`);
      yield { bytes: new Uint8Array(memory.buffer, this.packed.offset + from, length), crc32c };
    }
  }

  clear(): void {
    this.packed.clear();
  }
}

/** A fixed number of segments, all their memory there from the start. */
export class SegmentPool implements Disposable {
  readonly #home: Segment[];
  readonly #out = new Set<Segment>();
  #disposed = false;

  /**
   * @param limitBytes the size from which a segment is full; a single longer document still fits
   * @throws RangeError when the numbers aren't positive integers, or need more than 2 GiB
   */
  constructor(segments: number, limitBytes: number) {
    const capacityBytes = Math.max(limitBytes, documentRoomBytes);
    const sensible = [segments, limitBytes].every((value) => Number.isSafeInteger(value) && value > 0);
    if (!sensible || segments * capacityBytes > poolMaxBytes) {
      throw new RangeError(`a pool of ${segments} segments of ${limitBytes} bytes, where all may need 2 GiB`);
    }
    openBatchArena();
    this.#home = Array.from({ length: segments }, () => new Segment(capacityBytes, limitBytes));
    reserve(headroomBytes);
  }

  /** An empty segment, or undefined while all are out. */
  take(): Segment | undefined {
    const segment = this.#home.pop();
    if (segment !== undefined) this.#out.add(segment);
    return segment;
  }

  /**
   * Takes back a segment that was cleared.
   *
   * @throws Error when it isn't empty, or isn't out of this very pool
   */
  give(segment: Segment): void {
    if (!this.#out.has(segment)) throw new Error("a segment was given to a pool that it isn't out of");
    if (segment.sizeBytes > 0) throw new Error("a segment was given to its pool with documents in it");
    this.#out.delete(segment);
    if (this.#disposed) segment.packed.free();
    else this.#home.push(segment);
  }

  /** Frees the segments that are home. One that is still out stays whole, and is freed when it is given back. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const segment of this.#home.splice(0)) segment.packed.free();
  }
}

/** Where to go on in a batch: offset of the next element, and its number. The first element of an array is at offset 4, number 0. */
export interface BatchCursor {
  offsetBytes: number;
  index: number;
}

/**
 * Packs the documents of a raw BSON array (int32 length; elements of type 3 with the keys "0", "1", …; 0) into a segment, from `cursor` on, and
 * moves the cursor.
 *
 * @returns true when the array is drained, false when the next document needs another segment
 * @throws Error when the array isn't what a server sends; the segment must be cleared then
 * @throws RangeError when the batch is longer than any reply, or the cursor outside it; the segment is as before
 */
export function packBatch(segment: Segment, batch: Uint8Array, cursor: BatchCursor): boolean {
  const { offsetBytes, index } = cursor;
  if (batch.length > batchMaxBytes) {
    throw new RangeError(`a batch of ${batch.length} bytes, where ${batchMaxBytes} are the most`);
  }
  if (offsetBytes < 4 || offsetBytes >= batch.length) {
    throw new RangeError(`offset ${offsetBytes} is outside the array's ${batch.length} bytes`);
  }
  // The array's length and what is still to be packed, each in its place; what lies between was packed before and isn't looked at.
  const arena = new Uint8Array(memory.buffer, batchArena, batch.length);
  arena.set(batch.subarray(0, 4));
  arena.set(batch.subarray(offsetBytes), offsetBytes);
  const { packed } = segment;
  const drained = packed.packAt(batchArena, batch.length, offsetBytes, index);
  cursor.offsetBytes = packed.nextOffset;
  cursor.index = packed.nextIndex;
  return drained;
}
