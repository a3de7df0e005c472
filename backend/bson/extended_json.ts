/**
 * Canonical Extended JSON, version 2, straight from raw BSON: order of keys, keys that look like numbers and keys that come twice are kept.
 *
 * What it can't express is refused: a document whose first key looks like one of the format's own (`$oid` and so on), a NaN or a decimal of an
 * uncommon bit pattern, a boolean that is neither 0 nor 1, an array whose keys don't count from 0, texts that aren't UTF-8.
 *
 * @module
 */

import { Decimal128 } from "bson";
import { type BsonElement, bsonType, elements, malformed, readInt32, stringValue } from "./document.ts";

/** First keys of the format's own objects. */
export const wrapperKeys: ReadonlySet<string> = new Set([
  "$oid",
  "$symbol",
  "$numberInt",
  "$numberLong",
  "$numberDouble",
  "$numberDecimal",
  "$binary",
  "$code",
  "$timestamp",
  "$regularExpression",
  "$dbPointer",
  "$date",
  "$minKey",
  "$maxKey",
  "$undefined",
]);

/** The text of a raw BSON document. */
export function formatExtendedJson(document: Uint8Array): string {
  const members = [...elements(document)];
  const [first] = members;
  if (first !== undefined && wrapperKeys.has(first.key)) {
    throw malformed(0, `a document that begins with the key ${first.key} has no Extended JSON`);
  }
  return `{${
    members.map(({ type, key, value }) => `${JSON.stringify(key)}:${formatValue(type, value)}`).join(",")
  }}`;
}

function formatValue(type: number, value: Uint8Array): string {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  switch (type) {
    case bsonType.double:
      return wrap("$numberDouble", formatDouble(view));
    case bsonType.string:
      return JSON.stringify(stringValue(value));
    case bsonType.document:
      return formatExtendedJson(value);
    case bsonType.array:
      return `[${[...elements(value)].map(formatItem).join(",")}]`;
    case bsonType.binary:
      return formatBinary(value);
    case bsonType.undefined:
      return '{"$undefined":true}';
    case bsonType.objectId:
      return wrap("$oid", value.toHex());
    case bsonType.boolean:
      return formatBoolean(value);
    case bsonType.date:
      return `{"$date":${wrap("$numberLong", String(view.getBigInt64(0, true)))}}`;
    case bsonType.null:
      return "null";
    case bsonType.regex: {
      const split = value.indexOf(0);
      const [pattern, options] = [
        decodeCstring(value.subarray(0, split)),
        decodeCstring(value.subarray(split + 1, -1)),
      ];
      return `{"$regularExpression":{"pattern":${JSON.stringify(pattern)},"options":${
        JSON.stringify(options)
      }}}`;
    }
    case bsonType.dbPointer: {
      const name = stringValue(value.subarray(0, value.length - 12));
      return `{"$dbPointer":{"$ref":${JSON.stringify(name)},"$id":${
        wrap("$oid", value.subarray(-12).toHex())
      }}}`;
    }
    case bsonType.code:
      return wrap("$code", stringValue(value));
    case bsonType.symbol:
      return wrap("$symbol", stringValue(value));
    case bsonType.codeWithScope: {
      const codeLength = readInt32(value, 4);
      const code = stringValue(value.subarray(4, 8 + codeLength));
      return `{"$code":${JSON.stringify(code)},"$scope":${
        formatExtendedJson(value.subarray(8 + codeLength))
      }}`;
    }
    case bsonType.int32:
      return wrap("$numberInt", String(view.getInt32(0, true)));
    case bsonType.timestamp:
      return `{"$timestamp":{"t":${view.getUint32(4, true)},"i":${view.getUint32(0, true)}}}`;
    case bsonType.int64:
      return wrap("$numberLong", String(view.getBigInt64(0, true)));
    case bsonType.decimal128:
      return wrap("$numberDecimal", formatDecimal(value));
    case bsonType.minKey:
      return '{"$minKey":1}';
    case bsonType.maxKey:
      return '{"$maxKey":1}';
    default:
      throw malformed(0, `a value of unknown type 0x${type.toString(16)}`);
  }
}

function formatItem({ type, key, value }: BsonElement, index: number): string {
  if (key !== String(index)) throw malformed(0, `an array's item ${index} has the key "${key}"`);
  return formatValue(type, value);
}

function formatBoolean([byte]: Uint8Array): string {
  if (byte !== 0 && byte !== 1) throw malformed(0, `a boolean of value ${byte}`);
  return byte === 1 ? "true" : "false";
}

function wrap(key: string, text: string): string {
  return `{"${key}":${JSON.stringify(text)}}`;
}

const plainNaN = 0x7ff8_0000_0000_0000n;

function formatDouble(view: DataView): string {
  const number = view.getFloat64(0, true);
  if (Number.isNaN(number) && view.getBigUint64(0, true) !== plainNaN) {
    throw malformed(0, "a NaN of an uncommon bit pattern");
  }
  if (Object.is(number, -0)) return "-0.0";
  return Number.isInteger(number) && Math.abs(number) < 1e21 ? `${number}.0` : String(number);
}

function formatBinary(value: Uint8Array): string {
  const subType = value[4]!;
  const old = subType === 2;
  if (old && (value.length < 9 || readInt32(value, 5) !== value.length - 9)) {
    throw malformed(0, "a binary of subtype 2 with a wrong length");
  }
  const base64 = value.subarray(old ? 9 : 5).toBase64();
  return `{"$binary":{"base64":"${base64}","subType":"${subType.toString(16).padStart(2, "0")}"}}`;
}

function formatDecimal(value: Uint8Array): string {
  const text = new Decimal128(value).toString();
  const back = Decimal128.fromString(text).bytes;
  if (!value.every((byte, at) => back[at] === byte)) {
    throw malformed(0, "a decimal of an uncommon bit pattern");
  }
  return text;
}

function decodeCstring(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(0, "a regular expression is not UTF-8");
  }
}
