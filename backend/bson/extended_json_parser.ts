/**
 * The way back from Extended JSON to raw BSON.
 *
 * @module
 */

import { Decimal128 } from "bson";
import { PluginError } from "../errors.ts";
import { bsonType, joinElements } from "./document.ts";
import { wrapperKeys } from "./extended_json.ts";
import { type JsonNode, parseJsonText } from "./json_text.ts";

interface Value {
  readonly type: number;
  readonly value: Uint8Array;
}

const [int32Min, int32Max] = [-(2n ** 31n), 2n ** 31n - 1n];
const [int64Min, int64Max] = [-(2n ** 63n), 2n ** 63n - 1n];
const uint32Max = 2n ** 32n - 1n;
const none = new Uint8Array();
const encoder = new TextEncoder();

/**
 * The raw BSON document of an Extended JSON text, canonical or with plain numbers.
 *
 * @throws PluginError `manifestInvalid`
 */
export function parseExtendedJson(text: string): Uint8Array {
  try {
    const node = parseJsonText(text);
    if (node.kind !== "object") throw new SyntaxError("wanted an object");
    return encodeDocument(node.members);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new PluginError("manifestInvalid", `Cannot read Extended JSON: ${cause.message}`, {
      hint: "The metadata of the backup was damaged; restore another job.",
      cause,
    });
  }
}

type Members = readonly (readonly [string, JsonNode])[];

function encodeDocument(members: Members): Uint8Array {
  return joinElements(members.map(([key, node]) => ({ key, ...encodeNode(node) })));
}

function encodeNode(node: JsonNode): Value {
  switch (node.kind) {
    case "object":
      return wrapperKeys.has(node.members[0]?.[0] ?? "")
        ? encodeWrapper(node.members)
        : { type: bsonType.document, value: encodeDocument(node.members) };
    case "array":
      return {
        type: bsonType.array,
        value: joinElements(node.items.map((item, index) => ({ key: String(index), ...encodeNode(item) }))),
      };
    case "string":
      return { type: bsonType.string, value: encodeString(node.text) };
    case "number":
      return encodeNumber(node.text);
    case "literal":
      return node.value === null
        ? { type: bsonType.null, value: none }
        : { type: bsonType.boolean, value: Uint8Array.of(node.value ? 1 : 0) };
  }
}

/** A plain number, as relaxed Extended JSON has it: the smallest type that holds it. */
function encodeNumber(text: string): Value {
  if (!/^-?\d+$/.test(text)) return { type: bsonType.double, value: encodeDouble(text) };
  const number = BigInt(text);
  return number >= int32Min && number <= int32Max
    ? { type: bsonType.int32, value: fixed(4, (view) => view.setInt32(0, Number(number), true)) }
    : { type: bsonType.int64, value: int64({ kind: "number", text }) };
}

function encodeWrapper(members: Members): Value {
  const [[key, node]] = members as [readonly [string, JsonNode]];
  if (key !== "$code" && members.length !== 1) throw new SyntaxError(`${key} stands beside another key`);
  switch (key) {
    case "$oid":
      return { type: bsonType.objectId, value: hex(text(node), 12) };
    case "$symbol":
      return { type: bsonType.symbol, value: encodeString(text(node)) };
    case "$numberInt":
      return {
        type: bsonType.int32,
        value: fixed(4, (view) => view.setInt32(0, Number(integer(node, int32Min, int32Max)), true)),
      };
    case "$numberLong":
      return { type: bsonType.int64, value: int64(node) };
    case "$numberDouble":
      return { type: bsonType.double, value: encodeDouble(text(node)) };
    case "$numberDecimal":
      return { type: bsonType.decimal128, value: Uint8Array.from(Decimal128.fromString(text(node)).bytes) };
    case "$binary":
      return {
        type: bsonType.binary,
        value: encodeBinary(text(member(node, "base64")), text(member(node, "subType"))),
      };
    case "$code":
      return encodeCode(text(node), members);
    case "$timestamp": {
      const [t, i] = [integer(member(node, "t"), 0n, uint32Max), integer(member(node, "i"), 0n, uint32Max)];
      return {
        type: bsonType.timestamp,
        value: fixed(8, (view) => view.setBigUint64(0, t << 32n | i, true)),
      };
    }
    case "$regularExpression":
      return {
        type: bsonType.regex,
        value: concatenate(cstring(text(member(node, "pattern"))), cstring(text(member(node, "options")))),
      };
    case "$dbPointer":
      return {
        type: bsonType.dbPointer,
        value: concatenate(
          encodeString(text(member(node, "$ref"))),
          hex(text(member(member(node, "$id"), "$oid")), 12),
        ),
      };
    case "$date":
      return { type: bsonType.date, value: int64(dateMilliseconds(node)) };
    case "$minKey":
      return { type: bsonType.minKey, value: nothing(node, "1") };
    case "$maxKey":
      return { type: bsonType.maxKey, value: nothing(node, "1") };
    default:
      return { type: bsonType.undefined, value: nothing(node, true) };
  }
}

function encodeCode(code: string, members: Members): Value {
  const scope = members[1];
  if (scope === undefined) return { type: bsonType.code, value: encodeString(code) };
  if (scope[0] !== "$scope" || scope[1].kind !== "object" || members.length !== 2) {
    throw new SyntaxError("$code has no proper $scope");
  }
  const body = concatenate(encodeString(code), encodeDocument(scope[1].members));
  return {
    type: bsonType.codeWithScope,
    value: concatenate(fixed(4, (view) => view.setInt32(0, body.length + 4, true)), body),
  };
}

function encodeBinary(base64: string, subType: string): Uint8Array {
  const bytes = Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
  if (!/^[0-9a-f]{1,2}$/i.test(subType)) throw new SyntaxError(`"${subType}" is no subtype of a binary`);
  const kind = Number.parseInt(subType, 16);
  const length = (size: number) => fixed(4, (view) => view.setInt32(0, size, true));
  const content = kind === 2 ? concatenate(length(bytes.length), bytes) : bytes;
  return concatenate(length(content.length), Uint8Array.of(kind), content);
}

/** Milliseconds since 1970, from canonical form or from the date and time of relaxed Extended JSON. */
function dateMilliseconds(node: JsonNode): JsonNode {
  if (node.kind === "object") return member(node, "$numberLong");
  const milliseconds = /^\d{4}-\d\d-\d\dT/.test(text(node)) ? Date.parse(text(node)) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw new SyntaxError(`"${text(node)}" is no date`);
  return { kind: "number", text: String(milliseconds) };
}

/** The empty value of a type that has only one, which is written as a number or as true. */
function nothing(node: JsonNode, wanted: "1" | true): Uint8Array {
  const found = node.kind === "number" ? node.text : node.kind === "literal" ? node.value : null;
  if (found !== wanted) throw new SyntaxError(`wanted ${wanted}`);
  return none;
}

function member(node: JsonNode, key: string): JsonNode {
  const found = node.kind === "object" ? node.members.find(([name]) => name === key) : undefined;
  if (found === undefined) throw new SyntaxError(`wanted a member "${key}"`);
  return found[1];
}

function text(node: JsonNode): string {
  if (node.kind !== "string" && node.kind !== "number") throw new SyntaxError("wanted a text");
  return node.text;
}

function integer(node: JsonNode, min: bigint, max: bigint): bigint {
  const digits = text(node);
  const number = /^-?\d+$/.test(digits) ? BigInt(digits) : undefined;
  if (number === undefined || number < min || number > max) {
    throw new SyntaxError(`"${digits}" is no integer from ${min} to ${max}`);
  }
  return number;
}

function int64(node: JsonNode): Uint8Array {
  const number = integer(node, int64Min, int64Max);
  return fixed(8, (view) => view.setBigInt64(0, number, true));
}

function encodeDouble(digits: string): Uint8Array {
  if (!/^(-?(\d+(\.\d+)?([eE][+-]?\d+)?|Infinity)|NaN)$/.test(digits)) {
    throw new SyntaxError(`"${digits}" is no number`);
  }
  return fixed(8, (view) => view.setFloat64(0, Number(digits), true));
}

function hex(digits: string, length: number): Uint8Array {
  const bytes = Uint8Array.fromHex(digits);
  if (bytes.length !== length) throw new SyntaxError(`wanted ${length} bytes`);
  return bytes;
}

function encodeString(content: string): Uint8Array {
  const bytes = encoder.encode(content);
  return concatenate(fixed(4, (view) => view.setInt32(0, bytes.length + 1, true)), bytes, Uint8Array.of(0));
}

function cstring(content: string): Uint8Array {
  const bytes = encoder.encode(`${content}\0`);
  if (bytes.indexOf(0) !== bytes.length - 1) throw new SyntaxError("a regular expression has a NUL");
  return bytes;
}

function fixed(length: number, set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  set(new DataView(bytes.buffer));
  return bytes;
}

function concatenate(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
