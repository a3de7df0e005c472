/**
 * An oplog in memory, as strict as a member's: it gives what it has between two timestamps, in batches, and knows a committed end.
 *
 * @module
 */

import { elements, findElement } from "../../backend/bson/document.ts";
import { PluginError } from "../../backend/errors.ts";
import { readEntry } from "../../backend/oplog/entry.ts";
import type { Oplog, OplogWindow } from "../../backend/ports.ts";
import { compareTimestamps, type OplogPosition, type Timestamp } from "../../backend/timestamp.ts";
import { batchOf } from "./oplog_entries.ts";

interface Placed {
  readonly position: OplogPosition;
  readonly bytes: Uint8Array;
}

export class MemoryOplog implements Oplog {
  readonly host = "memory:1";
  /** Batches that were asked for so far. */
  batchesRead = 0;
  /** Changes a batch on its way. */
  damage: (batch: Uint8Array) => Uint8Array = (batch) => batch;
  readonly #batchEntries: number;
  #entries: Placed[] = [];
  #committed: OplogPosition | null = null;

  constructor(entries: readonly Uint8Array[], batchEntries = 3) {
    this.#batchEntries = batchEntries;
    for (const entry of entries) this.write(entry);
  }

  /** Adds an entry, which must come after all others. */
  write(bytes: Uint8Array): void {
    const { at } = readEntry(bytes);
    const term = findElement(bytes, "t")!.value;
    const position = {
      ...at!,
      term: Number(new DataView(term.buffer, term.byteOffset, 8).getBigInt64(0, true)),
    };
    const last = this.#entries.at(-1);
    if (last !== undefined && compareTimestamps(last.position, position) >= 0) {
      throw new Error("an entry out of order");
    }
    this.#entries.push({ position, bytes });
  }

  /** Takes back everything behind a timestamp, as a rollback does. */
  rollBack(behind: Timestamp): void {
    this.#entries = this.#entries.filter(({ position }) => compareTimestamps(position, behind) <= 0);
  }

  /** Forgets everything before a timestamp, as a capped collection does. */
  overrun(before: Timestamp): void {
    this.#entries = this.#entries.filter(({ position }) => compareTimestamps(position, before) >= 0);
  }

  /** Says that a majority has no more than this. */
  commitUpTo(position: OplogPosition): void {
    this.#committed = position;
  }

  window(): Promise<OplogWindow> {
    const [oldest, newest] = [this.#entries[0], this.#entries.at(-1)];
    if (oldest === undefined || newest === undefined) {
      return Promise.reject(new PluginError("oplogUnavailable", "Cannot read the oplog: it is empty"));
    }
    return Promise.resolve({ oldest: oldest.position, newest: newest.position, size: null });
  }

  newest(): Promise<OplogPosition> {
    return Promise.resolve(this.#entries.at(-1)!.position);
  }

  committed(): Promise<OplogPosition> {
    return this.#committed === null ? this.newest() : Promise.resolve(this.#committed);
  }

  find(at: Timestamp): Promise<OplogPosition | null> {
    const found = this.#entries.find(({ position }) => compareTimestamps(position, at) === 0);
    return Promise.resolve(found?.position ?? null);
  }

  before(at: Timestamp): Promise<OplogPosition> {
    const found = this.#entries.findLast(({ position }) => compareTimestamps(position, at) < 0);
    return found === undefined
      ? Promise.reject(new PluginError("oplogGap", "Cannot begin a slice: there is nothing before"))
      : Promise.resolve(found.position);
  }

  rollbacks(): Promise<number | null> {
    return Promise.resolve(1);
  }

  oldestOpenTransaction(_at: Timestamp): Promise<OplogPosition | null> {
    return Promise.resolve(null);
  }

  async *readBatches(from: Timestamp, to: Timestamp, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const wanted = this.#entries.filter(({ position }) =>
      compareTimestamps(position, from) >= 0 && compareTimestamps(position, to) <= 0
    );
    // A real cursor's first batch may be empty.
    for (let at = 0; at < Math.max(wanted.length, 1); at += this.#batchEntries) {
      signal.throwIfAborted();
      await Promise.resolve();
      this.batchesRead++;
      yield this.damage(batchOf(wanted.slice(at, at + this.#batchEntries).map(({ bytes }) => bytes)));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** The entries of a segment, each as hexadecimal digits. */
export function entriesOf(segment: Uint8Array): string[] {
  const entries: string[] = [];
  for (let at = 0; at < segment.length;) {
    const length = new DataView(segment.buffer, segment.byteOffset).getInt32(at, true);
    const entry = segment.subarray(at, at + length);
    // Throws where it is no whole document.
    for (const _ of elements(entry));
    entries.push(entry.toHex());
    at += length;
  }
  return entries;
}
