import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { decodePayload, encodePayload, type Message } from "./message.ts";
import { isControl } from "./text.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 }).map((value) =>
  value.replaceAll("\0", "").toWellFormed()
);
const someText = text.filter((value) => value !== "");
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.maxSafeNat();
const i64 = fc.maxSafeInteger();
const logText = text.map((value) => [...value].filter((character) => !isControl(character)).join(""));
const totals = fc.record({ files: u64, restoreObjects: u64, bytes: u64, frames: u64 });

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: fc.constant("H" as const), version: u16, program: text, programVersion: text }),
  fc.record({
    type: fc.constant("J" as const),
    job: fc.record({
      kind: fc.constantFrom("B" as const, "R" as const, "E" as const, "L" as const, "Q" as const),
      level: fc.constantFrom("F" as const, "I" as const, "D" as const, " " as const),
      accurate: fc.boolean(),
      jobId: u32,
      sinceTime: i64,
      jobName: text,
      previousJobName: text,
      clientName: text,
      workingDirectory: text,
      baculaVersion: text,
    }),
  }),
  fc.record({ type: fc.constant("P" as const), command: someText }),
  fc.record({ type: fc.constant("L" as const), name: text }),
  fc.record({ type: fc.constant("Q" as const), text }),
  fc.record({
    type: fc.constant("S" as const),
    replace: fc.constantFrom("a", "n", "w", "o", "\0"),
    where: text,
    regexWhere: text,
  }),
  fc.record({
    type: fc.constant("F" as const),
    file: fc.record({
      mode: fc.integer({ min: 0, max: 0o7777 }),
      size: u64,
      atime: i64,
      mtime: i64,
      ctime: i64,
      name: someText,
    }),
    isDirectory: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("R" as const),
    object: fc.record({
      objectType: fc.constantFrom(25 as const, 27 as const, 28 as const),
      index: fc.integer({ min: 1, max: 0xffff_ffff }),
      jobId: u32,
      size: u64,
      name: text,
      command: text,
    }),
  }),
  fc.record({ type: fc.constant("D" as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }) }),
  fc.record({ type: fc.constant("E" as const), size: u64 }),
  fc.record({
    type: fc.constant("A" as const),
    answer: fc.constantFrom("extract" as const, "skip" as const),
  }),
  fc.record({
    type: fc.constant("M" as const),
    severity: fc.constantFrom("I" as const, "W" as const, "E" as const),
    text: logText,
  }),
  fc.record({ type: fc.constant("V" as const), text: logText.map((value) => value.replaceAll("\n", "")) }),
  fc.record({ type: fc.constant("B" as const), files: u64, bytes: u64, activity: text }),
  fc.record({ type: fc.constant("T" as const), totals }),
  fc.record({
    type: fc.constant("Z" as const),
    status: fc.constantFrom("T" as const, "f" as const, "A" as const),
    totals,
  }),
  fc.record({ type: fc.constant("C" as const), reason: text }),
  fc.record({ type: fc.constant("X" as const), code: u16, text: logText }),
);

const plain = (value: Message): unknown => JSON.parse(JSON.stringify(value));

Deno.test("decodePayload gives back what encodePayload was given", () => {
  fc.assert(
    fc.property(
      message,
      (value) => deepStrictEqual(plain(decodePayload(value.type, encodePayload(value))), plain(value)),
    ),
    { numRuns: 1000 },
  );
});

Deno.test("decodePayload refuses a payload with a byte more or less", () => {
  const fixed = message.filter(({ type }) => type !== "D" && type !== "P");
  fc.assert(
    fc.property(fixed, (value) => {
      const payload = encodePayload(value);
      throws(() => decodePayload(value.type, payload.slice(0, -1)));
      throws(() => decodePayload(value.type, Uint8Array.from([...payload, 0])), PluginError);
    }),
    { numRuns: 500 },
  );
});

Deno.test("decodePayload answers any bytes with a message or a protocol error", () => {
  const letter = message.map(({ type }) => type);
  fc.assert(
    fc.property(letter, fc.uint8Array({ maxLength: 80 }), (type, payload) => {
      try {
        const value = decodePayload(type, payload);
        deepStrictEqual(encodePayload(value).toHex(), payload.toHex());
      } catch (fault) {
        deepStrictEqual(fault instanceof PluginError && fault.code, "protocol");
      }
    }),
    { numRuns: 3000 },
  );
});
