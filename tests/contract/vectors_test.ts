/** The shared vectors, played against the TypeScript implementation of both sides. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { crc32c } from "../../wasm/hasher.ts";
import { checkPayload, decodeHeader, encodeHeader, headerBytes } from "../../backend/protocol/frame.ts";
import { beyondFileDaemon } from "./parts.ts";
import { playAgainstBackend, playAgainstFileDaemon } from "./play.ts";
import { type FrameVector, loadFrameVectors, loadSessionVectors } from "./vector.ts";

/** The part of a fault's message that tells which check found it. */
const faultTexts: Record<string, RegExp> = {
  magic: /wanted the magic bytes/,
  type: /wanted a known type/,
  reserved: /wanted a reserved byte/,
  length: /wanted a length of at most/,
  sequence: /wanted the sequence number/,
  crc: /wanted the checksum/,
};

for (const vector of await loadFrameVectors()) {
  Deno.test(`frames.txt: ${vector.name} is ${vector.expect}`, () => {
    if (vector.expect === "ok") checkGoodFrame(vector);
    else if (vector.expect === "truncated") ok(!isWhole(vector));
    else {
      const fault = faultTexts[vector.expect];
      ok(fault !== undefined, `unknown expectation ${vector.expect}`);
      match(faultOf(vector), fault);
      ok(faultOf(vector).includes(vector.bytes.subarray(0, headerBytes).toHex()), "the header is quoted");
    }
  });
}

for (const vector of await loadSessionVectors()) {
  const { name, title, expect } = vector;
  if (expect.has("backend")) {
    Deno.test(`sessions/${name}, side B: ${title}`, async () => {
      strictEqual(await playAgainstBackend(vector), expect.get("backend"));
    });
  }
  if (expect.has("shim") && beyondFileDaemon(vector) === undefined) {
    Deno.test(`sessions/${name}, side S: ${title}`, async () => {
      strictEqual(await playAgainstFileDaemon(vector), expect.get("shim"));
    });
  }
}

function checkGoodFrame({ bytes, sequence, type, payload }: FrameVector): void {
  const header = decodeHeader(bytes.subarray(0, headerBytes), sequence);
  checkPayload(header, bytes.subarray(headerBytes));
  deepStrictEqual({ type: header.type, length: header.length }, { type, length: payload.length });
  strictEqual(bytes.subarray(headerBytes).toHex(), payload.toHex());
  strictEqual(
    encodeHeader(type, payload.length, sequence, crc32c(payload)).toHex(),
    bytes.subarray(0, headerBytes).toHex(),
  );
}

function isWhole({ bytes, sequence }: FrameVector): boolean {
  return bytes.length >= headerBytes && bytes.length >= headerBytes + decodeHeader(bytes, sequence).length;
}

function faultOf({ bytes, sequence }: FrameVector): string {
  try {
    checkPayload(decodeHeader(bytes, sequence), bytes.subarray(headerBytes));
    return "no fault";
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}
