/**
 * Cuts a stream of bytes between the documents that stand in it, one after another.
 *
 * @module
 */

import type { PluginError } from "../errors.ts";
import { readInt32 } from "./document.ts";
import { isWellFormed } from "./document_check.ts";

/** A stored document ends at 16 MiB; an oplog entry may hold one, and 16 KiB more. */
const documentMaxBytes = (16 << 20) + (16 << 10);

/** Longest piece that a stream may come in. */
export const pieceMaxBytes = 1 << 20;

/** Whole documents that stand one after another. */
export interface DocumentRun {
  /** A view that ends with the next run. */
  readonly bytes: Uint8Array;
  readonly documents: number;
  /** Where the last one begins. */
  readonly last: number;
}

/** The failure for what is wrong at an offset of the stream. */
export type DamageAt = (offset: number, what: string) => PluginError;

/** Cuts a stream, whose pieces may be views that end with the next one, between documents. Each document is looked at in all its depth. */
export async function* cutDocuments(
  pieces: AsyncIterable<Uint8Array>,
  damaged: DamageAt,
): AsyncGenerator<DocumentRun> {
  const buffer = new Uint8Array(documentMaxBytes + pieceMaxBytes);
  let filled = 0;
  /** Offset in the stream of what stands first in the buffer. */
  let offset = 0;
  for await (const piece of pieces) {
    buffer.set(piece, filled);
    filled += piece.length;
    const run = findRun(buffer, filled, offset, damaged);
    if (run.documents === 0) continue;
    yield run;
    const { length } = run.bytes;
    buffer.copyWithin(0, length, filled);
    filled -= length;
    offset += length;
  }
  if (filled > 0) {
    const wanted = filled >= 4 ? `${readInt32(buffer, 0)} bytes` : "its length";
    throw damaged(offset, `it ends within a document: wanted ${wanted}, ${filled} bytes are there`);
  }
}

/** The whole documents at the beginning of what is there. */
function findRun(buffer: Uint8Array, filled: number, offset: number, damaged: DamageAt): DocumentRun {
  let [at, documents, last] = [0, 0, 0];
  while (at + 4 <= filled) {
    const length = readInt32(buffer, at);
    if (length < 5 || length > documentMaxBytes) {
      throw damaged(offset + at, `no document begins there: its length would be ${length}`);
    }
    if (at + length > filled) break;
    if (!isWellFormed(buffer, at, at + length)) {
      throw damaged(offset + at, `the document of ${length} bytes that begins there is no BSON`);
    }
    last = at;
    at += length;
    documents++;
  }
  return { bytes: buffer.subarray(0, at), documents, last };
}

/** Makes raw BSON arrays of runs, as a server's batches are. */
export class ArrayPacker {
  #array = new Uint8Array(4 * pieceMaxBytes);

  /** The array of a run: a view that ends with the next one. */
  pack({ bytes, documents }: DocumentRun): Uint8Array {
    const room = bytes.length + documents * (2 + String(documents).length) + 5;
    if (room > this.#array.length) this.#array = new Uint8Array(room);
    const array = this.#array;
    let [from, to] = [0, 4];
    for (let index = 0; index < documents; index++) {
      const length = readInt32(bytes, from);
      array[to++] = 0x03;
      for (const digit of String(index)) array[to++] = digit.charCodeAt(0);
      array[to++] = 0;
      array.set(bytes.subarray(from, from + length), to);
      from += length;
      to += length;
    }
    array[to++] = 0;
    new DataView(array.buffer).setInt32(0, to, true);
    return array.subarray(0, to);
  }
}
