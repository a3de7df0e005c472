/**
 * Bytes on their way to Bacula as virtual files.
 *
 * @module
 */

import { framePayloadMaxBytes } from "../limits.ts";
import type { DataChunk, ObjectSink } from "../objects.ts";

/** Sends bytes under a virtual name, with the backup's own times and owner-only mode. */
export async function sendObject(
  context: {
    readonly sink: ObjectSink;
    /** Unix seconds that every object carries as its times. */
    readonly timeSeconds: number;
    readonly signal: AbortSignal;
  },
  name: string,
  size: number,
  body: Iterable<DataChunk>,
): Promise<void> {
  context.signal.throwIfAborted();
  const time = context.timeSeconds;
  await context.sink.sendFile({ name, size, mode: 0o600, atime: time, mtime: time, ctime: time }, body);
}

/** Bytes in pieces that fit a frame. */
export function* chunksOf(bytes: Uint8Array): Generator<DataChunk> {
  for (let at = 0; at < bytes.length; at += framePayloadMaxBytes) {
    yield { bytes: bytes.subarray(at, at + framePayloadMaxBytes) };
  }
}
