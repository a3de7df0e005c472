/**
 * Goes through oplog entries in the module's memory: what was decided on is kept, what needs a decision is handed back.
 *
 * Like a segment pool, a scanner and its input take their memory when they are made; none may be made while a view of a segment's chunks is in use.
 *
 * @module
 */

import { allocate, EntryScanner, OperationArray } from "./pkg/podheitor_mongodb_wasm.js";
import { memory } from "./pkg/podheitor_mongodb_wasm_bg.wasm";
import type { Segment } from "./segment.ts";

/** A batch of entries, or a whole segment of them: a reply ends at 16 MiB of entries, keys come on top. */
const inputMaxBytes = 24 << 20;

/** Why a scanner paused. */
export const pause = {
  drained: 0,
  /** What is filled has no more room. */
  full: 1,
  /** The entry is a command, or of a namespace that is asked about each time. */
  command: 2,
  /** Nothing was decided yet on the entry's namespace. */
  undecided: 3,
  /** The entry is behind the limit. */
  beyond: 4,
  /** The first entry isn't the expected one. */
  unexpected: 5,
} as const;

/** One of {@linkcode pause}. */
export type Pause = typeof pause[keyof typeof pause];

/** How entries stand in an input: an array of them, one after another, or as operations without timestamps in an array. */
const containers = { batch: 0, segment: 1, operations: 2 } as const;

/** A place in the oplog: seconds, increment, term. */
export interface ScannedPosition {
  readonly t: number;
  readonly i: number;
  readonly term: number;
}

/** Arenas of inputs that are disposed of: the module never gives memory back. */
const spareArenas: number[] = [];

/** Room for entries that are gone through. Its bytes stay until others are loaded. */
export class EntryInput implements Disposable {
  #arena = spareArenas.pop() ?? allocate(inputMaxBytes);
  #length = 0;
  #container: keyof typeof containers = "segment";
  #next = 0;
  #index = 0;
  #entryOffset = 0;
  #entryLength = 0;

  /** @throws RangeError when there are more bytes than any reply or segment has */
  load(bytes: Uint8Array, container: keyof typeof containers): void {
    if (this.#arena === 0) throw new Error("an input was loaded that is disposed of");
    if (bytes.length > inputMaxBytes) {
      throw new RangeError(`${bytes.length} bytes of entries, where ${inputMaxBytes} are the most`);
    }
    new Uint8Array(memory.buffer, this.#arena, bytes.length).set(bytes);
    this.#length = bytes.length;
    this.#container = container;
    this.#next = container === "segment" ? 0 : 4;
    this.#index = 0;
  }

  /** @internal Runs a scan from where the last one ended, and remembers where this one does. */
  run(
    scanner: EntryScanner,
    scan: (arena: number, length: number, container: number, from: number, index: number) => number,
  ): Pause {
    const paused = scan(
      this.#arena,
      this.#length,
      containers[this.#container],
      this.#next,
      this.#index,
    ) as Pause;
    [this.#next, this.#index] = [scanner.nextOffset, scanner.nextIndex];
    [this.#entryOffset, this.#entryLength] = [scanner.entryOffset, scanner.entryLength];
    return paused;
  }

  /** A copy of the entry at which the last scan paused. */
  entry(): Uint8Array {
    return new Uint8Array(memory.buffer, this.#arena + this.#entryOffset, this.#entryLength).slice();
  }

  /** @internal Goes on behind that entry. */
  pass(): void {
    this.#next = this.#entryOffset + this.#entryLength;
    this.#index++;
  }

  /** Leaves its memory to the next input. */
  [Symbol.dispose](): void {
    if (this.#arena !== 0) spareArenas.push(this.#arena);
    [this.#arena, this.#length] = [0, 0];
  }
}

/** Operations for one applyOps: a limit in bytes and one in number; a single larger one still fits. */
export class OperationBatch {
  /** @internal */
  readonly operations: OperationArray;

  /**
   * An empty timestamp at the top level of a document would be given the time by a server that takes the document whole: such an operation is followed by
   * one that sets the field again, and counts as two.
   *
   * @param updates in which form the server takes updates of single fields; one of modifiers takes no field whose name is a path
   */
  constructor(maxBytes: number, maxOperations: number, updates: "diffs" | "modifiers") {
    this.operations = new OperationArray(maxBytes, maxOperations, updates === "diffs");
  }

  get count(): number {
    return this.operations.count;
  }

  /** The raw BSON array of what was gathered; it begins anew. */
  take(): Uint8Array {
    return this.operations.take();
  }

  [Symbol.dispose](): void {
    this.operations.free();
  }
}

/** Sorts entries by their namespace and kind. */
export class OplogScanner implements Disposable {
  readonly #scanner = new EntryScanner();

  /** Keeps a namespace's entries under a name, all of them or all but the deletes. */
  keep(
    namespace: string,
    name = namespace,
    deletes: "with deletes" | "without deletes" = "with deletes",
  ): void {
    this.#scanner.keep(namespace, name, deletes === "without deletes");
  }

  skip(namespace: string): void {
    this.#scanner.skip(namespace);
  }

  /** Pauses at each entry of the namespace. */
  ask(namespace: string): void {
    this.#scanner.ask(namespace);
  }

  /** Pauses at the first entry behind this timestamp. */
  limitTo({ t, i }: { readonly t: number; readonly i: number }): void {
    this.#scanner.setLimit(t, i);
  }

  /** The next entry has to be this very one, by time and term; it is skipped. */
  expect({ t, i, term }: ScannedPosition): void {
    this.#scanner.expect(t, i, term);
  }

  /**
   * Packs wanted entries into a segment.
   *
   * @throws Error when the bytes aren't what they should be; the segment must be cleared then
   */
  pack(input: EntryInput, segment: Segment): Pause {
    return input.run(this.#scanner, (...where) => this.#scanner.scanInto(segment.packed, ...where));
  }

  /**
   * Gathers wanted entries as operations.
   *
   * @throws Error when the bytes aren't what they should be
   */
  gather(input: EntryInput, batch: OperationBatch): Pause {
    return input.run(this.#scanner, (...where) => this.#scanner.gatherInto(batch.operations, ...where));
  }

  /** Goes on behind the entry at which it paused. */
  pass(input: EntryInput): void {
    this.#scanner.passEntry();
    input.pass();
  }

  /** Counts the entry at which it paused as kept. */
  noteKept(): void {
    this.#scanner.noteKept();
  }

  /** Counts an entry of so many bytes for a namespace. */
  count(namespace: string, bytes: number): void {
    this.#scanner.count(namespace, bytes);
  }

  /** Position of the entry that was looked at last. */
  get found(): ScannedPosition {
    return position(this.#scanner.found());
  }

  /** Position of the last entry that is behind it, kept or not. */
  get last(): ScannedPosition {
    return position(this.#scanner.last());
  }

  /** Entries that were skipped as their namespaces are, or for coming a second time. */
  get leftOut(): number {
    return this.#scanner.skipped;
  }

  /** Positions of the first and the last entry that were kept since the last call, or null. */
  takeSpan(): { first: ScannedPosition; last: ScannedPosition } | null {
    const span = this.#scanner.takeSpan();
    return span.length === 0
      ? null
      : { first: position(span.subarray(0, 3)), last: position(span.subarray(3)) };
  }

  /** Kept entries and their bytes by namespace. */
  counts(): { namespace: string; entries: number; bytes: number }[] {
    const fields = this.#scanner.counts().split("\0");
    return Array.from({ length: (fields.length - 1) / 3 }, (_, at) => ({
      namespace: fields[at * 3]!,
      entries: Number(fields[at * 3 + 1]),
      bytes: Number(fields[at * 3 + 2]),
    }));
  }

  [Symbol.dispose](): void {
    this.#scanner.free();
  }
}

function position([t, i, term]: Float64Array): ScannedPosition {
  return { t: t!, i: i!, term: term! };
}
