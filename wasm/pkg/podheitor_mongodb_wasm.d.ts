/* tslint:disable */
/* eslint-disable */

/**
 * Adds up documents in any order.
 */
export class DocumentAdder {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Adds the documents of the BSON array at `offset`.
     */
    addArrayAt(offset: number, length: number): void;
    /**
     * Adds the documents that lie one after another at `offset`.
     */
    addPackedAt(offset: number, length: number): void;
    digest(): Uint8Array;
    constructor();
    readonly documents: number;
}

/**
 * Goes through oplog entries.
 */
export class EntryScanner {
    free(): void;
    [Symbol.dispose](): void;
    ask(namespace: string): void;
    /**
     * Counts an entry for a namespace.
     */
    count(namespace: string, bytes: number): void;
    /**
     * `namespace NUL entries NUL bytes NUL` for each namespace that was counted.
     */
    counts(): string;
    expect(seconds: number, increment: number, term: number): void;
    /**
     * Seconds, increment and term of the entry that was looked at last.
     */
    found(): Float64Array;
    gatherInto(to: OperationArray, offset: number, length: number, container: number, from: number, index: number): number;
    keep(namespace: string, name: string, without_deletes: boolean): void;
    /**
     * Of the last entry that was passed, whether kept or not.
     */
    last(): Float64Array;
    constructor();
    /**
     * The entry that made it pause was kept by the caller.
     */
    noteKept(): void;
    /**
     * The entry that made it pause has been dealt with.
     */
    passEntry(): void;
    scanInto(to: PackedSegment, offset: number, length: number, container: number, from: number, index: number): number;
    setLimit(seconds: number, increment: number): void;
    skip(namespace: string): void;
    /**
     * Of the first and the last kept entry since the last call: six numbers, or none.
     */
    takeSpan(): Float64Array;
    readonly entryLength: number;
    /**
     * Offset of the entry that made it pause.
     */
    readonly entryOffset: number;
    readonly nextIndex: number;
    readonly nextOffset: number;
    /**
     * Entries that were left out.
     */
    readonly skipped: number;
}

/**
 * An incremental BLAKE3.
 */
export class Hasher {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The 32 bytes of the digest so far.
     */
    digest(): Uint8Array;
    constructor();
    reset(): void;
    /**
     * Adds `length` bytes at `offset`.
     */
    updateAt(offset: number, length: number): void;
}

/**
 * Operations gathered for one applyOps.
 */
export class OperationArray {
    free(): void;
    [Symbol.dispose](): void;
    constructor(max_bytes: number, max_count: number, diffs: boolean);
    /**
     * The BSON array of all operations; it begins anew.
     */
    take(): Uint8Array;
    readonly count: number;
}

/**
 * Documents packed one after another, with their digest and checksums. A failed packing spoils them: then only `clear` works.
 */
export class PackedSegment {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Adds the whole document at `offset`. False: it doesn't fit any more.
     */
    appendAt(offset: number, length: number): boolean;
    /**
     * CRC32C of the chunk with that number.
     */
    checksum(chunk: number): number | undefined;
    clear(): void;
    digest(): Uint8Array;
    constructor(capacity: number, limit: number);
    /**
     * Packs from the BSON array at `offset`, beginning with the element that starts at `from` and has the number `index`. True: drained.
     */
    packAt(offset: number, length: number, from: number, index: number): boolean;
    readonly documents: number;
    readonly length: number;
    /**
     * Number of the first element that wasn't packed.
     */
    readonly nextIndex: number;
    /**
     * Offset of the first element that wasn't packed.
     */
    readonly nextOffset: number;
    /**
     * Where the packed bytes are.
     */
    readonly offset: number;
}

/**
 * Bytes for the caller's own use, zeroed, never freed.
 */
export function allocate(length: number): number;

/**
 * CRC32C of `length` bytes at `offset`, going on from `seed`.
 */
export function crc32cAt(offset: number, length: number, seed: number): number;

/**
 * Grows the memory so that `length` bytes of small allocations fit without growing it again.
 */
export function reserve(length: number): void;
