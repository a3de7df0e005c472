/**
 * PTCOMM's frames: sixteen bytes of header, then the payload. PROTOCOL.md has the layout.
 *
 * @module
 */

import { crc32c } from "../../wasm/hasher.ts";
import { PluginError } from "../errors.ts";
import { framePayloadMaxBytes } from "../limits.ts";

/** Length of a header. */
export const headerBytes = 16;

/** Every type letter with its name. */
export const frameNames = {
  H: "Hello",
  J: "Job",
  P: "PluginCommand",
  L: "Listed",
  Q: "Question",
  S: "Start",
  F: "File",
  R: "RestoreObject",
  D: "Data",
  E: "End",
  A: "Answer",
  V: "Value",
  M: "Message",
  B: "Heartbeat",
  T: "Totals",
  Z: "Finish",
  C: "Cancel",
  X: "Abort",
} as const;

/** The letter of a frame's type. */
export type FrameType = keyof typeof frameNames;

/** A header whose every field has been checked but the checksum, for which the payload is needed. */
export interface FrameHeader {
  readonly type: FrameType;
  readonly length: number;
  readonly crc: number;
  /** The sixteen bytes, for the checksum and for error messages. */
  readonly raw: Uint8Array;
}

const magic = 0x4850; // "PH", little-endian

/** The header of a frame. `payloadCrc` is the CRC32C of the payload alone. */
export function encodeHeader(
  type: FrameType,
  length: number,
  sequence: number,
  payloadCrc: number,
): Uint8Array {
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  view.setUint16(0, magic, true);
  view.setUint8(2, type.charCodeAt(0));
  view.setUint32(4, length, true);
  view.setUint32(8, sequence, true);
  view.setUint32(12, crc32c(header.subarray(0, 12), payloadCrc), true);
  return header;
}

/** Checks and reads a header. `sequence` is the number that is due. */
export function decodeHeader(raw: Uint8Array, sequence: number): FrameHeader {
  const view = new DataView(raw.buffer, raw.byteOffset, headerBytes);
  const letter = String.fromCharCode(view.getUint8(2));
  const length = view.getUint32(4, true);
  if (view.getUint16(0, true) !== magic) throw frameError(raw, "the magic bytes 50 48");
  if (view.getUint8(3) !== 0) throw frameError(raw, "a reserved byte of 0");
  if (!isFrameType(letter)) throw frameError(raw, "a known type");
  if (length > framePayloadMaxBytes) throw frameError(raw, `a length of at most ${framePayloadMaxBytes}`);
  if (view.getUint32(8, true) !== sequence) throw frameError(raw, `the sequence number ${sequence}`);
  return { type: letter, length, crc: view.getUint32(12, true), raw: raw.slice(0, headerBytes) };
}

/** Checks a payload against its header's checksum. */
export function checkPayload(header: FrameHeader, payload: Uint8Array): void {
  const crc = crc32c(header.raw.subarray(0, 12), crc32c(payload));
  if (crc !== header.crc) {
    throw frameError(header.raw, `the checksum ${crc.toString(16).padStart(8, "0")} over what arrived`);
  }
}

/** The failure for a frame that isn't what it should be, quoting its header. */
function frameError(raw: Uint8Array, wanted: string): PluginError {
  return protocolError(`Cannot read the frame ${raw.subarray(0, headerBytes).toHex()}: wanted ${wanted}`);
}

/** The failure for a conversation that broke its rules. */
export function protocolError(message: string): PluginError {
  return new PluginError("protocol", message, {
    hint:
      "File Daemon plugin and backend must be of the same release: reinstall both. If they are, check this machine's memory.",
  });
}

/** The sequence number after another one. */
export function nextSequence(sequence: number): number {
  return (sequence + 1) >>> 0;
}

function isFrameType(letter: string): letter is FrameType {
  return Object.hasOwn(frameNames, letter);
}
