/**
 * A file that mongodump wrote, plain or compressed, from its bytes to raw BSON arrays of whole documents. What is damaged is said with the file and the
 * offset, of a compressed file with that in what it holds.
 *
 * @module
 */

import { ArrayPacker, cutDocuments, type DocumentRun, pieceMaxBytes } from "../bson/document_runs.ts";
import { PluginError } from "../errors.ts";

/** A file of a dump. */
export interface DumpFile {
  readonly path: string;
  readonly isCompressed: boolean;
}

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
  const packer = new ArrayPacker();
  for await (const run of readRuns(file)) {
    signal.throwIfAborted();
    yield packer.pack(run);
  }
}

/** Cuts the file between documents. */
export function readRuns(file: DumpFile): AsyncGenerator<DocumentRun> {
  return cutDocuments(readPieces(file), (offset, what) => damaged(file, offset, what));
}

/** The file's content in pieces of at most 1 MiB. A piece is a view that ends with the next one. */
async function* readPieces(file: DumpFile): AsyncGenerator<Uint8Array> {
  let offset = 0;
  try {
    const content = file.isCompressed ? decompress(file.path) : readPlain(file.path);
    for await (const piece of content) {
      for (let at = 0; at < piece.length; at += pieceMaxBytes) yield piece.subarray(at, at + pieceMaxBytes);
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
  const buffer = new Uint8Array(pieceMaxBytes);
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
