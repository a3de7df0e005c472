/**
 * Adds up documents in any order.
 */
export class DocumentAdder {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        DocumentAdderFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_documentadder_free(ptr, 0);
    }
    /**
     * Adds the documents of the BSON array at `offset`.
     * @param {number} offset
     * @param {number} length
     */
    addArrayAt(offset, length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.documentadder_addArrayAt(retptr, this.__wbg_ptr, offset, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            if (r1) {
                throw takeObject(r0);
            }
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * Adds the documents that lie one after another at `offset`.
     * @param {number} offset
     * @param {number} length
     */
    addPackedAt(offset, length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.documentadder_addPackedAt(retptr, this.__wbg_ptr, offset, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            if (r1) {
                throw takeObject(r0);
            }
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {Uint8Array}
     */
    digest() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.documentadder_digest(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var v1 = getArrayU8FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export(r0, r1 * 1, 1);
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    get documents() {
        const ret = wasm.documentadder_documents(this.__wbg_ptr);
        return ret;
    }
    constructor() {
        const ret = wasm.documentadder_new();
        this.__wbg_ptr = ret;
        DocumentAdderFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
}
if (Symbol.dispose) DocumentAdder.prototype[Symbol.dispose] = DocumentAdder.prototype.free;

/**
 * Goes through oplog entries.
 */
export class EntryScanner {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        EntryScannerFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_entryscanner_free(ptr, 0);
    }
    /**
     * @param {string} namespace
     */
    ask(namespace) {
        const ptr0 = passStringToWasm0(namespace, wasm.__wbindgen_export2, wasm.__wbindgen_export3);
        const len0 = WASM_VECTOR_LEN;
        wasm.entryscanner_ask(this.__wbg_ptr, ptr0, len0);
    }
    /**
     * Counts an entry for a namespace.
     * @param {string} namespace
     * @param {number} bytes
     */
    count(namespace, bytes) {
        const ptr0 = passStringToWasm0(namespace, wasm.__wbindgen_export2, wasm.__wbindgen_export3);
        const len0 = WASM_VECTOR_LEN;
        wasm.entryscanner_count(this.__wbg_ptr, ptr0, len0, bytes);
    }
    /**
     * `namespace NUL entries NUL bytes NUL` for each namespace that was counted.
     * @returns {string}
     */
    counts() {
        let deferred1_0;
        let deferred1_1;
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.entryscanner_counts(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            deferred1_0 = r0;
            deferred1_1 = r1;
            return getStringFromWasm0(r0, r1);
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
            wasm.__wbindgen_export(deferred1_0, deferred1_1, 1);
        }
    }
    /**
     * @returns {number}
     */
    get entryLength() {
        const ret = wasm.entryscanner_entryLength(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Offset of the entry that made it pause.
     * @returns {number}
     */
    get entryOffset() {
        const ret = wasm.entryscanner_entryOffset(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @param {number} seconds
     * @param {number} increment
     * @param {number} term
     */
    expect(seconds, increment, term) {
        wasm.entryscanner_expect(this.__wbg_ptr, seconds, increment, term);
    }
    /**
     * Seconds, increment and term of the entry that was looked at last.
     * @returns {Float64Array}
     */
    found() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.entryscanner_found(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var v1 = getArrayF64FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export(r0, r1 * 8, 8);
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @param {OperationArray} to
     * @param {number} offset
     * @param {number} length
     * @param {number} container
     * @param {number} from
     * @param {number} index
     * @returns {number}
     */
    gatherInto(to, offset, length, container, from, index) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            _assertClass(to, OperationArray);
            wasm.entryscanner_gatherInto(retptr, this.__wbg_ptr, to.__wbg_ptr, offset, length, container, from, index);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            return r0;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @param {string} namespace
     * @param {string} name
     * @param {boolean} without_deletes
     */
    keep(namespace, name, without_deletes) {
        const ptr0 = passStringToWasm0(namespace, wasm.__wbindgen_export2, wasm.__wbindgen_export3);
        const len0 = WASM_VECTOR_LEN;
        const ptr1 = passStringToWasm0(name, wasm.__wbindgen_export2, wasm.__wbindgen_export3);
        const len1 = WASM_VECTOR_LEN;
        wasm.entryscanner_keep(this.__wbg_ptr, ptr0, len0, ptr1, len1, without_deletes);
    }
    /**
     * Of the last entry that was passed, whether kept or not.
     * @returns {Float64Array}
     */
    last() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.entryscanner_last(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var v1 = getArrayF64FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export(r0, r1 * 8, 8);
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    constructor() {
        const ret = wasm.entryscanner_new();
        this.__wbg_ptr = ret;
        EntryScannerFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * @returns {number}
     */
    get nextIndex() {
        const ret = wasm.entryscanner_nextIndex(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    get nextOffset() {
        const ret = wasm.entryscanner_nextOffset(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * The entry that made it pause was kept by the caller.
     */
    noteKept() {
        wasm.entryscanner_noteKept(this.__wbg_ptr);
    }
    /**
     * The entry that made it pause has been dealt with.
     */
    passEntry() {
        wasm.entryscanner_passEntry(this.__wbg_ptr);
    }
    /**
     * @param {PackedSegment} to
     * @param {number} offset
     * @param {number} length
     * @param {number} container
     * @param {number} from
     * @param {number} index
     * @returns {number}
     */
    scanInto(to, offset, length, container, from, index) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            _assertClass(to, PackedSegment);
            wasm.entryscanner_scanInto(retptr, this.__wbg_ptr, to.__wbg_ptr, offset, length, container, from, index);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            return r0;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @param {number} seconds
     * @param {number} increment
     */
    setLimit(seconds, increment) {
        wasm.entryscanner_setLimit(this.__wbg_ptr, seconds, increment);
    }
    /**
     * @param {string} namespace
     */
    skip(namespace) {
        const ptr0 = passStringToWasm0(namespace, wasm.__wbindgen_export2, wasm.__wbindgen_export3);
        const len0 = WASM_VECTOR_LEN;
        wasm.entryscanner_skip(this.__wbg_ptr, ptr0, len0);
    }
    /**
     * Entries that were left out.
     * @returns {number}
     */
    get skipped() {
        const ret = wasm.entryscanner_skipped(this.__wbg_ptr);
        return ret;
    }
    /**
     * Of the first and the last kept entry since the last call: six numbers, or none.
     * @returns {Float64Array}
     */
    takeSpan() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.entryscanner_takeSpan(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var v1 = getArrayF64FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export(r0, r1 * 8, 8);
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
}
if (Symbol.dispose) EntryScanner.prototype[Symbol.dispose] = EntryScanner.prototype.free;

/**
 * An incremental BLAKE3.
 */
export class Hasher {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        HasherFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_hasher_free(ptr, 0);
    }
    /**
     * The 32 bytes of the digest so far.
     * @returns {Uint8Array}
     */
    digest() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.hasher_digest(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var v1 = getArrayU8FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export(r0, r1 * 1, 1);
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    constructor() {
        const ret = wasm.hasher_new();
        this.__wbg_ptr = ret;
        HasherFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    reset() {
        wasm.hasher_reset(this.__wbg_ptr);
    }
    /**
     * Adds `length` bytes at `offset`.
     * @param {number} offset
     * @param {number} length
     */
    updateAt(offset, length) {
        wasm.hasher_updateAt(this.__wbg_ptr, offset, length);
    }
}
if (Symbol.dispose) Hasher.prototype[Symbol.dispose] = Hasher.prototype.free;

/**
 * Operations gathered for one applyOps.
 */
export class OperationArray {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        OperationArrayFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_operationarray_free(ptr, 0);
    }
    /**
     * @returns {number}
     */
    get count() {
        const ret = wasm.operationarray_count(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @param {number} max_bytes
     * @param {number} max_count
     * @param {boolean} diffs
     */
    constructor(max_bytes, max_count, diffs) {
        const ret = wasm.operationarray_new(max_bytes, max_count, diffs);
        this.__wbg_ptr = ret;
        OperationArrayFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * The BSON array of all operations; it begins anew.
     * @returns {Uint8Array}
     */
    take() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.operationarray_take(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var v1 = getArrayU8FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export(r0, r1 * 1, 1);
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
}
if (Symbol.dispose) OperationArray.prototype[Symbol.dispose] = OperationArray.prototype.free;

/**
 * Documents packed one after another, with their digest and checksums. A failed packing spoils them: then only `clear` works.
 */
export class PackedSegment {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        PackedSegmentFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_packedsegment_free(ptr, 0);
    }
    /**
     * Adds the whole document at `offset`. False: it doesn't fit any more.
     * @param {number} offset
     * @param {number} length
     * @returns {boolean}
     */
    appendAt(offset, length) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.packedsegment_appendAt(retptr, this.__wbg_ptr, offset, length);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            return r0 !== 0;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * CRC32C of the chunk with that number.
     * @param {number} chunk
     * @returns {number | undefined}
     */
    checksum(chunk) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.packedsegment_checksum(retptr, this.__wbg_ptr, chunk);
            var r0 = getDataViewMemory0().getFloat64(retptr + 8 * 0, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            var r3 = getDataViewMemory0().getInt32(retptr + 4 * 3, true);
            if (r3) {
                throw takeObject(r2);
            }
            return r0 === Number.MAX_SAFE_INTEGER ? undefined : r0;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    clear() {
        wasm.packedsegment_clear(this.__wbg_ptr);
    }
    /**
     * @returns {Uint8Array}
     */
    digest() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.packedsegment_digest(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            var r3 = getDataViewMemory0().getInt32(retptr + 4 * 3, true);
            if (r3) {
                throw takeObject(r2);
            }
            var v1 = getArrayU8FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export(r0, r1 * 1, 1);
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    get documents() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.packedsegment_documents(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            return r0 >>> 0;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    get length() {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.packedsegment_length(retptr, this.__wbg_ptr);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            return r0 >>> 0;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @param {number} capacity
     * @param {number} limit
     */
    constructor(capacity, limit) {
        const ret = wasm.packedsegment_new(capacity, limit);
        this.__wbg_ptr = ret;
        PackedSegmentFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * Number of the first element that wasn't packed.
     * @returns {number}
     */
    get nextIndex() {
        const ret = wasm.packedsegment_nextIndex(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Offset of the first element that wasn't packed.
     * @returns {number}
     */
    get nextOffset() {
        const ret = wasm.packedsegment_nextOffset(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Where the packed bytes are.
     * @returns {number}
     */
    get offset() {
        const ret = wasm.packedsegment_offset(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Packs from the BSON array at `offset`, beginning with the element that starts at `from` and has the number `index`. True: drained.
     * @param {number} offset
     * @param {number} length
     * @param {number} from
     * @param {number} index
     * @returns {boolean}
     */
    packAt(offset, length, from, index) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.packedsegment_packAt(retptr, this.__wbg_ptr, offset, length, from, index);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var r2 = getDataViewMemory0().getInt32(retptr + 4 * 2, true);
            if (r2) {
                throw takeObject(r1);
            }
            return r0 !== 0;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
}
if (Symbol.dispose) PackedSegment.prototype[Symbol.dispose] = PackedSegment.prototype.free;

/**
 * Bytes for the caller's own use, zeroed, never freed.
 * @param {number} length
 * @returns {number}
 */
export function allocate(length) {
    const ret = wasm.allocate(length);
    return ret >>> 0;
}

/**
 * CRC32C of `length` bytes at `offset`, going on from `seed`.
 * @param {number} offset
 * @param {number} length
 * @param {number} seed
 * @returns {number}
 */
export function crc32cAt(offset, length, seed) {
    const ret = wasm.crc32cAt(offset, length, seed);
    return ret >>> 0;
}

/**
 * Grows the memory so that `length` bytes of small allocations fit without growing it again.
 * @param {number} length
 */
export function reserve(length) {
    wasm.reserve(length);
}
export function __wbg_Error_30c8987f7c2ed4e2(arg0, arg1) {
    const ret = Error(getStringFromWasm0(arg0, arg1));
    return addHeapObject(ret);
}
export function __wbg___wbindgen_throw_41e9ee4f547fc59a(arg0, arg1) {
    throw new Error(getStringFromWasm0(arg0, arg1));
}
const DocumentAdderFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_documentadder_free(ptr, 1));
const EntryScannerFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_entryscanner_free(ptr, 1));
const HasherFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_hasher_free(ptr, 1));
const OperationArrayFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_operationarray_free(ptr, 1));
const PackedSegmentFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_packedsegment_free(ptr, 1));

function addHeapObject(obj) {
    if (heap_next === heap.length) heap.push(heap.length + 1);
    const idx = heap_next;
    heap_next = heap[idx];

    heap[idx] = obj;
    return idx;
}

function _assertClass(instance, klass) {
    if (!(instance instanceof klass)) {
        throw new Error(`expected instance of ${klass.name}`);
    }
}

function dropObject(idx) {
    if (idx < 1028) return;
    heap[idx] = heap_next;
    heap_next = idx;
}

function getArrayF64FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getFloat64ArrayMemory0().subarray(ptr / 8, ptr / 8 + len);
}

function getArrayU8FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getUint8ArrayMemory0().subarray(ptr / 1, ptr / 1 + len);
}

let cachedDataViewMemory0 = null;
function getDataViewMemory0() {
    if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || (cachedDataViewMemory0.buffer.detached === undefined && cachedDataViewMemory0.buffer !== wasm.memory.buffer)) {
        cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
    }
    return cachedDataViewMemory0;
}

let cachedFloat64ArrayMemory0 = null;
function getFloat64ArrayMemory0() {
    if (cachedFloat64ArrayMemory0 === null || cachedFloat64ArrayMemory0.byteLength === 0) {
        cachedFloat64ArrayMemory0 = new Float64Array(wasm.memory.buffer);
    }
    return cachedFloat64ArrayMemory0;
}

function getStringFromWasm0(ptr, len) {
    return decodeText(ptr >>> 0, len);
}

let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
    }
    return cachedUint8ArrayMemory0;
}

function getObject(idx) { return heap[idx]; }

let heap = new Array(1024).fill(undefined);
heap.push(undefined, null, true, false);

let heap_next = heap.length;

function passStringToWasm0(arg, malloc, realloc) {
    if (realloc === undefined) {
        const buf = cachedTextEncoder.encode(arg);
        const ptr = malloc(buf.length, 1) >>> 0;
        getUint8ArrayMemory0().subarray(ptr, ptr + buf.length).set(buf);
        WASM_VECTOR_LEN = buf.length;
        return ptr;
    }

    let len = arg.length;
    let ptr = malloc(len, 1) >>> 0;

    const mem = getUint8ArrayMemory0();

    let offset = 0;

    for (; offset < len; offset++) {
        const code = arg.charCodeAt(offset);
        if (code > 0x7F) break;
        mem[ptr + offset] = code;
    }
    if (offset !== len) {
        if (offset !== 0) {
            arg = arg.slice(offset);
        }
        ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
        const view = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
        const ret = cachedTextEncoder.encodeInto(arg, view);

        offset += ret.written;
        ptr = realloc(ptr, len, offset, 1) >>> 0;
    }

    WASM_VECTOR_LEN = offset;
    return ptr;
}

function takeObject(idx) {
    const ret = getObject(idx);
    dropObject(idx);
    return ret;
}

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
cachedTextDecoder.decode();
const MAX_SAFARI_DECODE_BYTES = 2146435072;
let numBytesDecoded = 0;
function decodeText(ptr, len) {
    numBytesDecoded += len;
    if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
        cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
        cachedTextDecoder.decode();
        numBytesDecoded = len;
    }
    return cachedTextDecoder.decode(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}

const cachedTextEncoder = new TextEncoder();

if (!('encodeInto' in cachedTextEncoder)) {
    cachedTextEncoder.encodeInto = function (arg, view) {
        const buf = cachedTextEncoder.encode(arg);
        view.set(buf);
        return {
            read: arg.length,
            written: buf.length
        };
    };
}

let WASM_VECTOR_LEN = 0;


let wasm;
export function __wbg_set_wasm(val) {
    wasm = val;
}
