import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { forEachAtOnce, Turns } from "./parallel.ts";

Deno.test("forEachAtOnce: every item once, in order, and never more than so many at a time", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.nat({ max: 4 }), { maxLength: 30 }),
    fc.integer({ min: 1, max: 8 }),
    async (turns, most) => {
      const begun: number[] = [];
      let running = 0;
      await forEachAtOnce(turns.entries(), most, async ([at, turns]) => {
        begun.push(at);
        ok(++running <= most);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        running--;
      });
      strictEqual(running, 0);
      deepStrictEqual(begun, [...turns.keys()]);
    },
  );
  await fc.assert(property);
});

Deno.test("forEachAtOnce: after a failure nothing is begun, and what was is waited for", async () => {
  const log: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const all = forEachAtOnce(["slow", "bad", "never"], 2, async (item) => {
    log.push(`begin ${item}`);
    if (item === "slow") await promise;
    else {
      await Promise.resolve();
      resolve();
      throw new Error(item);
    }
    log.push(`end ${item}`);
  });
  await rejects(all, { message: "bad" });
  deepStrictEqual(log, ["begin slow", "begin bad", "end slow"]);
});

Deno.test("Turns.take() lets so many go on at a time, and the others in their order", async () => {
  const turns = new Turns(2);
  const done: string[] = [];
  const [first, second] = [await turns.take(), await turns.take()];
  const waiting = ["a", "b"].map(async (name) => {
    using _turn = await turns.take();
    done.push(name);
  });
  await Promise.resolve();
  deepStrictEqual(done, []);
  first[Symbol.dispose]();
  await Promise.all(waiting);
  deepStrictEqual(done, ["a", "b"]);
  second[Symbol.dispose]();
});

Deno.test("Turns.take() gives up with the signal's reason, and loses no turn by that", async () => {
  const turns = new Turns(1);
  const turn = await turns.take();
  const stop = new AbortController();
  const given = turns.take(stop.signal);
  const next = turns.take();
  stop.abort(new Error("enough"));
  await rejects(given, /enough/);
  await rejects(turns.take(stop.signal), /enough/);
  turn[Symbol.dispose]();
  (await next)[Symbol.dispose]();
  (await turns.take())[Symbol.dispose]();
});
