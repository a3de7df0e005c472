/** A conversation that was damaged, cut short or cut into odd pieces: the first two never end well, the last always does. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { ByteStream } from "../../backend/protocol/channel.ts";
import type { Side } from "../../backend/protocol/order.ts";
import { type Disturbance, playAgainstBackend, playAgainstFileDaemon, type Verdict } from "./play.ts";
import { countBytes, type Sent } from "./player.ts";
import { loadSessionVectors, type SessionVector } from "./vector.ts";

const sessions = new Map((await loadSessionVectors()).map((vector) => [vector.name, vector]));
const cases: { name: string; side: Side }[] = [
  { name: "backup_objects_and_messages", side: "S" },
  { name: "backup_objects_and_messages", side: "B" },
  { name: "restore_plain", side: "S" },
  { name: "restore_plain", side: "B" },
];

for (const { name, side } of cases) {
  const vector = session(name);
  const total = countBytes(vector, side);

  Deno.test(`${name}: any byte of side ${side} changed makes the other side fail`, async () => {
    const unnoticed: number[] = [];
    for (let at = 0; at < total; at++) {
      if (await play(vector, side, { tamper: (bytes, offset) => changed(bytes, at - offset) }) === "ok") {
        unnoticed.push(at);
      }
    }
    deepStrictEqual(unnoticed, []);
  });

  Deno.test(`${name}: side ${side} cut short anywhere makes the other side fail`, async () => {
    const unnoticed: number[] = [];
    for (let at = 0; at < total; at++) {
      if (await play(vector, side, { tamper: (bytes, offset) => cut(bytes, at - offset) }) === "ok") {
        unnoticed.push(at);
      }
    }
    deepStrictEqual(unnoticed, []);
    strictEqual(
      await play(vector, side, { tamper: (bytes, offset) => cut(bytes, total - offset) }),
      "ok",
      "and whole it is good",
    );
  });

  Deno.test(`${name}: side ${side} in pieces of any size means the same`, async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(sizes, async (pieces) => {
        strictEqual(await play(vector, side, { through: (stream) => inPieces(stream, pieces) }), "ok");
      }),
      { numRuns: 50 },
    );
  });
}

function session(name: string): SessionVector {
  const vector = sessions.get(name);
  ok(vector !== undefined, `there is no session ${name}`);
  return vector;
}

/** Plays a side against the other side's implementation. */
function play(vector: SessionVector, side: Side, disturbance: Disturbance): Promise<Verdict> {
  return side === "S" ? playAgainstBackend(vector, disturbance) : playAgainstFileDaemon(vector, disturbance);
}

/** The bytes with the one at `at` changed. A changed length may make the receiver wait for more than there is: then nothing follows. */
function changed(bytes: Uint8Array, at: number): Sent {
  if (at < 0 || at >= bytes.length) return { bytes, last: false };
  const damaged = bytes.slice();
  damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
  return { bytes: damaged, last: at >= 4 && at < 8 };
}

/** The bytes up to `at`, and nothing after them. */
function cut(bytes: Uint8Array, at: number): Sent {
  return at < bytes.length ? { bytes: bytes.slice(0, at), last: true } : { bytes, last: false };
}

/** A stream that reads no more at a time than the sizes say, in turn. */
function inPieces(stream: ByteStream, sizes: readonly number[]): ByteStream {
  let turn = 0;
  return {
    read: (into) => stream.read(into.subarray(0, sizes[turn++ % sizes.length])),
    write: (bytes) => stream.write(bytes),
    close: () => stream.close(),
  };
}
