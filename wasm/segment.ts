/**
 * Segments of packed documents in the module's memory, filled from raw BSON arrays.
 *
 * @module
 */

import { allocate, PackedSegment } from "./pkg/podheitor_mongodb_wasm.js";
import { memory } from "./pkg/podheitor_mongodb_wasm_bg.wasm";

/** Bytes that one checksum covers. */
const chunkBytes = 1 << 20;

/** What a batch or a single document may need: a reply ends at 16 MiB of documents, and keys and an internal document's surplus come on top. */
const batchMaxBytes = 24 << 20;
const documentRoomBytes = 17 << 20;

let batchArena: number | undefined;

/** Documents packed one after another. */
export class Segment {
  /** @internal Filled by {@linkcode packBatch}. */
  readonly packed: PackedSegment;

  /** @param limitBytes the size from which it is full; a single longer document still fits */
  constructor(limitBytes: number) {
    this.packed = new PackedSegment(Math.max(limitBytes, documentRoomBytes), limitBytes);
  }

  get sizeBytes(): number {
    return this.packed.length;
  }

  get documents(): number {
    return this.packed.documents;
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
      const checksum = this.packed.checksum(chunk);
      if (checksum === undefined) throw new RangeError(`Segment has no checksum for chunk ${chunk}`);
      yield { bytes: new Uint8Array(memory.buffer, (this.packed.offset >>> 0) + from, length), crc32c: checksum >>> 0 };
    }
  }

  clear(): void {
    this.packed.clear();
  }
}

/**
 * A fixed number of segments. All their memory is there from the start: the module's memory must not grow while a view on it is on its way
 * to a pipe.
 */
export class SegmentPool implements Disposable {
  readonly #all: readonly Segment[];
  readonly #free: Segment[];

  constructor(segments: number, limitBytes: number) {
    batchArena ??= allocate(batchMaxBytes) >>> 0;
    this.#all = Array.from({ length: segments }, () => new Segment(limitBytes));
    this.#free = [...this.#all];
  }

  /** An empty segment, or undefined while all are out. */
  take(): Segment | undefined {
    return this.#free.pop();
  }

  /** Takes back a segment that was cleared. */
  give(segment: Segment): void {
    this.#free.push(segment);
  }

  [Symbol.dispose](): void {
    for (const segment of this.#all) segment.packed.free();
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
 */
export function packBatch(segment: Segment, batch: Uint8Array, cursor: BatchCursor): boolean {
  if (batchArena === undefined || batch.length > batchMaxBytes) {
    throw new RangeError(`a batch of ${batch.length} bytes, where ${batchMaxBytes} are the most`);
  }
  new Uint8Array(memory.buffer, batchArena, batch.length).set(batch);
  const { packed } = segment;
  const drained = packed.packAt(batchArena, batch.length, cursor.offsetBytes, cursor.index);
  cursor.offsetBytes = packed.nextOffset;
  cursor.index = packed.nextIndex;
  return drained;
}
