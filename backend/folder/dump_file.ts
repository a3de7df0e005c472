/**
 * A file that mongodump wrote, plain or compressed, from its bytes to raw BSON arrays of whole documents. What is damaged is said with the file and the
 * offset, of a compressed file with that in what it holds.
 *
 * @module
 */

import { isWellFormed } from "../bson/document_check.ts";
import { readInt32 } from "../bson/document.ts";
import { PluginError } from "../errors.ts";

/** A file of a dump. */
export interface DumpFile {
  readonly path: string;
  readonly isCompressed: boolean;
}

/** A stored document ends at 16 MiB; an oplog entry may hold one, and 16 KiB more. */
const documentMaxBytes = (16 << 20) + (16 << 10);

const pieceBytes = 1 << 20;

/** What is decompressed at a time: it comes out as one piece, a thousand times as long at worst. */
const compressedPieceBytes = 16 << 10;

/** Longest metadata that is read. */
const textMaxBytes = 64 << 20;

/** A whole text. */
export async function readText(file: DumpFile): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of readPieces(file)) {
    pieces.push(piece.slice());
    length += piece.length;
    if (length > textMaxBytes) throw damaged(file, length, `the text is longer than ${textMaxBytes} bytes`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(
      await new Blob(pieces as BlobPart[]).arrayBuffer(),
    );
  } catch (cause) {
    throw damaged(file, 0, "the text is not UTF-8", cause);
  }
}

/** Raw BSON arrays of the file's documents, as a server's batches are. A batch is a view that ends with the next one. */
export async function* readBatches(file: DumpFile, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let array = new Uint8Array(4 * pieceBytes);
  for await (const run of readRuns(file)) {
    signal.throwIfAborted();
    const room = arrayMaxBytes(run);
    if (room > array.length) array = new Uint8Array(room);
    yield packArray(run, array);
  }
}

/** Whole documents that stand one after another. */
export interface DocumentRun {
  /** A view that ends with the next run. */
  readonly bytes: Uint8Array;
  readonly documents: number;
  /** Where the last one begins. */
  readonly last: number;
}

/** Cuts the file between documents, each of which is looked at in all its depth. */
export async function* readRuns(file: DumpFile): AsyncGenerator<DocumentRun> {
  const buffer = new Uint8Array(documentMaxBytes + pieceBytes);
  let filled = 0;
  /** Offset in the file of what stands first in the buffer. */
  let offset = 0;
  for await (const piece of readPieces(file)) {
    buffer.set(piece, filled);
    filled += piece.length;
    const run = findRun(file, buffer, filled, offset);
    if (run.documents === 0) continue;
    yield run;
    const { length } = run.bytes;
    buffer.copyWithin(0, length, filled);
    filled -= length;
    offset += length;
  }
  if (filled > 0) {
    const wanted = filled >= 4 ? `${readInt32(buffer, 0)} bytes` : "its length";
    throw damaged(
      file,
      offset,
      `the file ends within a document: wanted ${wanted}, ${filled} bytes are there`,
    );
  }
}

/** The whole documents at the beginning of what is there. */
function findRun(file: DumpFile, buffer: Uint8Array, filled: number, offset: number): DocumentRun {
  let [at, documents, last] = [0, 0, 0];
  while (at + 4 <= filled) {
    const length = readInt32(buffer, at);
    if (length < 5 || length > documentMaxBytes) {
      throw damaged(file, offset + at, `no document begins there: its length would be ${length}`);
    }
    if (at + length > filled) break;
    if (!isWellFormed(buffer, at, at + length)) {
      throw damaged(file, offset + at, `the document of ${length} bytes that begins there is no BSON`);
    }
    last = at;
    at += length;
    documents++;
  }
  return { bytes: buffer.subarray(0, at), documents, last };
}

function arrayMaxBytes({ bytes, documents }: DocumentRun): number {
  return bytes.length + documents * (2 + String(documents).length) + 5;
}

function packArray({ bytes, documents }: DocumentRun, array: Uint8Array): Uint8Array {
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

/** The file's content in pieces of at most 1 MiB. A piece is a view that ends with the next one. */
async function* readPieces(file: DumpFile): AsyncGenerator<Uint8Array> {
  let offset = 0;
  try {
    const content = file.isCompressed ? decompress(file.path) : readPlain(file.path);
    for await (const piece of content) {
      for (let at = 0; at < piece.length; at += pieceBytes) yield piece.subarray(at, at + pieceBytes);
      offset += piece.length;
    }
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw damaged(
      file,
      offset,
      file.isCompressed ? `it is no sound gzip file of one member (${reason})` : reason,
      cause,
    );
  }
}

async function* readPlain(path: string): AsyncGenerator<Uint8Array> {
  using handle = await Deno.open(path);
  const buffer = new Uint8Array(pieceBytes);
  for (let read = await handle.read(buffer); read !== null; read = await handle.read(buffer)) {
    yield buffer.subarray(0, read);
  }
}

async function* decompress(path: string): AsyncGenerator<Uint8Array> {
  using handle = await Deno.open(path);
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const piece = new Uint8Array(compressedPieceBytes);
      const read = await handle.read(piece);
      if (read === null) controller.close();
      else controller.enqueue(piece.subarray(0, read));
    },
  }, { highWaterMark: 0 });
  // Its end is checked too: the length and the CRC-32 of all that came out.
  yield* compressed.pipeThrough(new DecompressionStream("gzip"));
}

/** The failure for a file that isn't what mongodump wrote. */
export function damaged(file: DumpFile, offset: number, what: string, cause?: unknown): PluginError {
  return new PluginError("objectDamaged", `Cannot read ${file.path}: at offset ${offset}, ${what}`, {
    hint:
      "The file was damaged or cut, or its dump was not complete: take it from another copy, or leave its collection out with exclude=.",
    cause,
  });
}
