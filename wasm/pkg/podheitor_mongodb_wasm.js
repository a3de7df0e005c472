/* @ts-self-types="./podheitor_mongodb_wasm.d.ts" */
import * as wasm from "./podheitor_mongodb_wasm_bg.wasm";
import { __wbg_set_wasm } from "./podheitor_mongodb_wasm_bg.js";

__wbg_set_wasm(wasm);

export {
    DocumentAdder, EntryScanner, Hasher, OperationArray, PackedSegment, allocate, crc32cAt, reserve
} from "./podheitor_mongodb_wasm_bg.js";
