/** A network that fails at any byte of a backup or a restore: the job fails and says so, or has every document as it is. */

import assert from "node:assert/strict";
import type { Fault } from "../lab/fault_proxy.ts";
import { Random } from "../lab/random.ts";
import { isLong } from "./long.ts";
import { NetworkSite } from "./network_site.ts";

const givenSeed = Deno.env.get("PODHEITOR_SEED");

/** How many bytes of a job are tried, for each fault: those that take long less often. */
const cuts = Number(Deno.env.get("PODHEITOR_CUTS") ?? (isLong ? 160 : 16));
assert.ok(Number.isSafeInteger(cuts) && cuts > 0, "PODHEITOR_CUTS is no number of cuts");
const places = {
  cut: cuts,
  flip: Math.ceil(cuts * 3 / 4),
  gone: Math.ceil(cuts / 4),
  slow: Math.ceil(cuts / 16),
  stall: Math.ceil(cuts / 16),
} as const;

/** What a job may say of a network that failed. */
const said = /MONGO-(30[13-6]|40\d|60[1-4]) Cannot .*\nHint: /;

Deno.test("a network that fails at any byte of a job", async (t) => {
  const seed = Number(givenSeed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  console.log(`PODHEITOR_SEED=${seed} makes the same choices again`);
  const random = new Random(seed);
  await using site = await NetworkSite.start();

  for (const kind of ["backUp", "restore"] as const) {
    const name = kind === "backUp" ? "a Full" : "a restore";
    const whole = { plain: (await site[kind](null, false)).bytes, tls: (await site[kind](null, true)).bytes };
    assert.ok(whole.plain > 500_000, `${whole.plain} bytes`);

    /** How often it failed: it may end well where the driver asks again, or where nothing was lost. */
    const tryOut = async (fault: Fault["kind"], tls: (place: number) => boolean): Promise<number> => {
      let failures = 0;
      for (let place = 0; place < places[fault]; place++) {
        const isTls = tls(place);
        const afterBytes = random.below(isTls ? whole.tls : whole.plain);
        const { failure } = await site[kind]({ kind: fault, afterBytes }, isTls);
        if (failure === null) continue;
        failures++;
        const where = `${fault} behind ${afterBytes} bytes${isTls ? " of TLS" : ""}`;
        assert.match(failure, said, where);
        assert.doesNotMatch(failure, /\n\s+at /, `${where}: a stack trace`);
      }
      return failures;
    };
    const either = (place: number) => place % 2 === 0;

    await t.step(`${name}: all connections end, at one of ${places.cut} bytes`, async () => {
      await tryOut("cut", either);
    });
    await t.step(`${name}: one bit is another one, in one of ${places.flip} bytes under TLS`, async () => {
      await tryOut("flip", () => true);
    });
    await t.step(`${name}: the server is gone from one of ${places.gone} bytes on`, async () => {
      // The last bytes are those of a farewell.
      assert.ok(await tryOut("gone", either) >= places.gone / 2);
    });
    await t.step(`${name}: nothing passes any more`, async () => {
      await tryOut("stall", either);
    });
    await t.step(`${name}: everything becomes slow, and ends well`, async () => {
      assert.equal(await tryOut("slow", either), 0);
    });
    await t.step(`${name}: the next one is a good one`, async () => {
      assert.equal((await site[kind](null, true)).failure, null);
    });
  }
});
