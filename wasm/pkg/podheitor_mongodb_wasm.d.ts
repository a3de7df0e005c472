/* tslint:disable */
/* eslint-disable */

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
 * Documents packed one after another, with their digest and checksums. A failed packing spoils them: then only `clear` works.
 */
export class PackedSegment {
    free(): void;
    [Symbol.dispose](): void;
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
