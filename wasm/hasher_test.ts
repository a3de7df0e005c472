import assert from "node:assert/strict";
import fc from "fast-check";
import { Blake3, blake3, crc32c } from "./hasher.ts";
import official from "./testdata/blake3_vectors.json" with { type: "json" };

/** Input of the official vectors. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at % 251);
}

/** Bytes with places to cut them at, in order. */
const cutBytes = fc.uint8Array({ maxLength: 5000 }).chain((bytes) =>
  fc.record({
    bytes: fc.constant(bytes),
    cuts: fc.array(fc.nat(bytes.length), { maxLength: 8 }).map((cuts) => cuts.sort((a, b) => a - b)),
  })
);

function pieces(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  return [0, ...cuts].map((from, at) => bytes.subarray(from, cuts[at] ?? bytes.length));
}

Deno.test("blake3() agrees with the official vectors", () => {
  assert.equal(official.vectors.length, 35);
  for (const { length, hash } of official.vectors) {
    assert.equal(blake3(pattern(length)).toHex(), hash, `${length} bytes`);
  }
});

Deno.test("Blake3 gives the same digest however its input is cut", () => {
  using hasher = new Blake3();
  fc.assert(fc.property(cutBytes, ({ bytes, cuts }) => {
    hasher.reset();
    for (const piece of pieces(bytes, cuts)) hasher.update(piece);
    assert.deepEqual(hasher.digest(), blake3(bytes));
  }));
});

Deno.test("Blake3 takes more after a digest, and pieces longer than it copies at once", () => {
  const bytes = pattern((2 << 20) + 77);
  using hasher = new Blake3();
  hasher.update(bytes.subarray(0, 5)).digest();
  assert.deepEqual(hasher.update(bytes.subarray(5)).digest(), blake3(bytes));
  const pieceByPiece = new Blake3();
  for (let at = 0; at < bytes.length; at += 1000) pieceByPiece.update(bytes.subarray(at, at + 1000));
  assert.deepEqual(pieceByPiece.digest(), blake3(bytes));
  pieceByPiece[Symbol.dispose]();
});

Deno.test("crc32c() gives the Castagnoli check values", () => {
  for (
    const { name, input, want } of [
      { name: "nothing", input: new Uint8Array(), want: 0 },
      { name: "the digits 1 to 9", input: new TextEncoder().encode("123456789"), want: 0xe3069283 },
      { name: "32 zeros", input: new Uint8Array(32), want: 0x8a9136aa },
      { name: "32 times ff", input: new Uint8Array(32).fill(0xff), want: 0x62a8ab43 },
      { name: "0 to 31", input: pattern(32), want: 0x46dd794e },
    ]
  ) assert.equal(crc32c(input), want, name);
});

/** CRC32C one bit at a time, straight from the definition. */
function definition(bytes: Uint8Array): number {
  let register = ~0;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) * 0x82f63b78);
  }
  return ~register >>> 0;
}

Deno.test("crc32c() equals the definition at any length, with whole blocks of vectors in it and without", () => {
  const blockBytes = 16 * 528;
  const around = [-1, 0, 1, 15, 16, 17];
  const bytes = crypto.getRandomValues(new Uint8Array(3 * blockBytes + 64));
  for (const length of [0, 1, 2, 3].flatMap((blocks) => around.map((more) => blocks * blockBytes + more))) {
    if (length < 0) continue;
    const input = bytes.subarray(0, length);
    assert.equal(crc32c(input), definition(input), `${length} bytes`);
    const cut = Math.floor(length / 3);
    assert.equal(
      crc32c(input.subarray(cut), crc32c(input.subarray(0, cut))),
      definition(input),
      `${length} cut`,
    );
  }
});

Deno.test("crc32c() goes on from a checksum as if the bytes had been one piece", () => {
  fc.assert(fc.property(cutBytes, ({ bytes, cuts }) => {
    const chained = pieces(bytes, cuts).reduce((checksum, piece) => crc32c(piece, checksum), 0);
    assert.equal(chained, crc32c(bytes));
  }));
  const long = pattern((1 << 20) + 3);
  assert.equal(crc32c(long.subarray(1000), crc32c(long.subarray(0, 1000))), crc32c(long));
});

Deno.test("hashes refuse bytes whose memory is gone, instead of taking them for none", () => {
  const buffer = new ArrayBuffer(10);
  const bytes = new Uint8Array(buffer);
  buffer.transfer();
  assert.throws(() => blake3(bytes), /memory is gone/);
  assert.throws(() => crc32c(bytes), /memory is gone/);
});
