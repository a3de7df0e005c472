/* tslint:disable */
/* eslint-disable */
export const memory: WebAssembly.Memory;
export const __wbg_hasher_free: (a: number, b: number) => void;
export const __wbg_packedsegment_free: (a: number, b: number) => void;
export const allocate: (a: number) => number;
export const crc32cAt: (a: number, b: number, c: number) => number;
export const hasher_digest: (a: number, b: number) => void;
export const hasher_new: () => number;
export const hasher_reset: (a: number) => void;
export const hasher_updateAt: (a: number, b: number, c: number) => void;
export const packedsegment_checksum: (a: number, b: number, c: number) => void;
export const packedsegment_clear: (a: number) => void;
export const packedsegment_digest: (a: number, b: number) => void;
export const packedsegment_documents: (a: number, b: number) => void;
export const packedsegment_length: (a: number, b: number) => void;
export const packedsegment_new: (a: number, b: number) => number;
export const packedsegment_nextIndex: (a: number) => number;
export const packedsegment_nextOffset: (a: number) => number;
export const packedsegment_offset: (a: number) => number;
export const packedsegment_packAt: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
export const reserve: (a: number) => void;
export const __wbindgen_add_to_stack_pointer: (a: number) => number;
export const __wbindgen_export: (a: number, b: number, c: number) => void;
