import assert from "node:assert/strict";
import * as bson from "bson";
import { DocumentSequence } from "mongodb/lib/cmap/commands.js";
import { bsonType, elements, joinElements } from "../bson/document.ts";
import { RawValue } from "./raw_value.ts";

const inner = joinElements([
  { key: "10", type: bsonType.double, value: new Uint8Array(8) },
  { key: "2", type: bsonType.int32, value: Uint8Array.of(7, 0, 0, 0) },
  { key: "2", type: bsonType.undefined, value: new Uint8Array() },
]);

/** Longer than what the serialiser has room for at first. */
const hugeBinary = new Uint8Array(0x200005);
hugeBinary[2] = 0x20;

Deno.test("RawValue stands in a command as the pinned serialiser writes it: type, key, and its very bytes", () => {
  const rows = [
    { key: "validator", type: bsonType.document, value: inner },
    { key: "größe", type: bsonType.array, value: inner },
    { key: "", type: bsonType.int64, value: new Uint8Array(8).fill(9) },
    { key: "capped", type: bsonType.boolean, value: Uint8Array.of(1) },
    { key: "nothing", type: bsonType.null, value: new Uint8Array() },
    {
      key: "huge",
      type: bsonType.binary,
      value: hugeBinary,
    },
  ];
  for (const { key, type, value } of rows) {
    const command = bson.serialize({ create: "x", [key]: new RawValue(key, type, value), after: 1 });
    const [, found, after] = [...elements(command)];
    assert.equal(found!.key, key);
    assert.equal(found!.type, type);
    assert.ok(Buffer.compare(found!.value, value) === 0, key);
    assert.equal(after!.key, "after");
  }
});

Deno.test("The pinned driver's DocumentSequence sends whole documents one after another as one section of the message", () => {
  const documents = Uint8Array.from([...bson.serialize({ a: 1 }), ...bson.serialize({ b: 2 })]);
  const sequence = new DocumentSequence("documents");
  sequence.push({}, Buffer.from(documents));
  const section = Uint8Array.from(sequence.toBin());
  const name = new TextEncoder().encode("documents\0");
  assert.equal(section[0], 1);
  assert.equal(new DataView(section.buffer).getInt32(1, true), 4 + name.length + documents.length);
  assert.deepEqual(section.subarray(5), Uint8Array.from([...name, ...documents]));
});
