import { ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { crc32c } from "../../wasm/hasher.ts";
import { framePayloadMaxBytes } from "../limits.ts";
import { checkPayload, decodeHeader, encodeHeader, type FrameType, nextSequence } from "./frame.ts";

const cases = [
  { name: "the magic bytes before the reserved byte", header: "0000ff01ffffffff09000000", want: /magic/ },
  { name: "the reserved byte before the type", header: "5048ff01ffffffff09000000", want: /reserved/ },
  { name: "the type before the length", header: "5048ff00ffffffff09000000", want: /known type/ },
  { name: "the length before the sequence", header: "50484400ffffffff09000000", want: /length/ },
  { name: "the sequence", header: "504844000100000009000000", want: /sequence number 7/ },
];

for (const { name, header, want } of cases) {
  Deno.test(`decodeHeader: names ${name}, and quotes the header`, () => {
    const raw = Uint8Array.fromHex(`${header}00000000`);
    throws(() => decodeHeader(raw, 7), { code: "protocol", message: want });
    throws(() => decodeHeader(raw, 7), (thrown) => String(thrown).includes(raw.toHex()));
  });
}

Deno.test("decodeHeader: reads what encodeHeader writes, and the checksum fits no other payload", () => {
  const types = fc.constantFrom<FrameType>("H", "D", "E", "X");
  fc.assert(
    fc.property(
      types,
      fc.uint8Array({ maxLength: 50 }),
      fc.nat({ max: 0xffffffff }),
      fc.nat(),
      (type, payload, sequence, bit) => {
        const header = decodeHeader(encodeHeader(type, payload.length, sequence, crc32c(payload)), sequence);
        strictEqual(header.type, type);
        strictEqual(header.length, payload.length);
        checkPayload(header, payload);
        if (payload.length === 0) return;
        const at = bit % (payload.length * 8);
        payload[at >> 3]! ^= 1 << (at & 7);
        throws(() => checkPayload(header, payload), { code: "protocol", message: /checksum/ });
      },
    ),
  );
});

Deno.test("decodeHeader: answers any bytes with a header that promises no more than a frame may hold, or a protocol error", () => {
  const start = Uint8Array.fromHex("50484400");
  const near = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((rest) =>
    Uint8Array.from([...start, ...rest])
  );
  fc.assert(
    fc.property(fc.oneof(near, fc.uint8Array({ minLength: 16, maxLength: 16 })), (bytes) => {
      const sequence = new DataView(bytes.buffer).getUint32(8, false);
      try {
        ok(decodeHeader(bytes, sequence).length <= framePayloadMaxBytes);
      } catch (cause) {
        strictEqual((cause as { code?: string }).code, "protocol", String(cause));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("nextSequence: begins anew after 2^32", () => {
  strictEqual(nextSequence(6), 7);
  strictEqual(nextSequence(0xffffffff), 0);
  ok(Object.is(nextSequence(0xffffffff), 0));
});
