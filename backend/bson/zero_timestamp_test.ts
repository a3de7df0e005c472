import assert from "node:assert/strict";
import * as bson from "bson";
import { documentsWithZeroTimestamp } from "./zero_timestamp.ts";

const zero = new bson.Timestamp({ t: 0, i: 0 });

Deno.test("documentsWithZeroTimestamp() finds those that a server would change, and no others", () => {
  const rows = [
    { document: { _id: 1, at: zero }, want: true },
    { document: { _id: zero, x: "", at: zero }, want: true },
    { document: { _id: 1, "": zero }, want: true },
    { document: { _id: 1, _id2: zero }, want: true },
    { document: { _id: zero }, want: false },
    { document: { _id: 1, at: new bson.Timestamp({ t: 0, i: 1 }) }, want: false },
    { document: { _id: 1, at: new bson.Timestamp({ t: 1, i: 0 }) }, want: false },
    { document: { _id: 1, inner: { at: zero }, list: [zero] }, want: false },
    { document: { _id: 1, number: new bson.Long(0), date: new Date(0) }, want: false },
    { document: {}, want: false },
  ];
  const raw = rows.map(({ document }) => bson.serialize(document));
  for (const [at, { document, want }] of rows.entries()) {
    assert.equal(
      [...documentsWithZeroTimestamp(raw[at]!)].length === 1,
      want,
      bson.EJSON.stringify(document),
    );
  }
  const found = [...documentsWithZeroTimestamp(Uint8Array.from(raw.flatMap((one) => [...one])))];
  assert.deepEqual(
    found.map((one) => one.toHex()),
    raw.filter((_, at) => rows[at]!.want).map((one) => one.toHex()),
  );
});

Deno.test("documentsWithZeroTimestamp() refuses damaged documents", () => {
  for (const hex of ["0800000011610000", "07000000116100", "0b0000000261000900000000"]) {
    assert.throws(() => [...documentsWithZeroTimestamp(Uint8Array.fromHex(hex))], {
      name: "PluginError",
      code: "serverReply",
    }, hex);
  }
});
