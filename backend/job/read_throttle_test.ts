import assert from "node:assert/strict";
import fc from "fast-check";
import { ReadThrottle, type ThrottleBounds, type ThrottleTimer } from "./read_throttle.ts";

/** A clock that is only moved by those who sleep: whoever wakes first comes first. */
class ScriptedTimer implements ThrottleTimer {
  #now = 0;
  readonly #sleepers: { at: number; wake: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      this.#sleepers.push({ at: this.#now + Math.max(ms, 0), wake: resolve });
    });
  }

  /** Lets time pass until nobody sleeps. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve));
      const next = this.#sleepers.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) return;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }
}

const never = new AbortController().signal;

function make(bounds: Partial<ThrottleBounds>, lags: (number | null)[] = []) {
  const timer = new ScriptedTimer();
  const lines: string[] = [];
  const say = (text: string) => void lines.push(text);
  const log = { info: say, warning: say, error: say };
  let asked = 0;
  const askLag = () => Promise.resolve(lags[asked++] ?? 0);
  const all = { bytesPerSecond: 0, lagSeconds: 0, ...bounds };
  const throttle = new ReadThrottle(
    all,
    lags.includes(null) ? () => (asked++, Promise.resolve(null)) : askLag,
    "db1:1",
    log,
    timer,
  );
  return { timer, lines, throttle, asked: () => asked };
}

Deno.test("ReadThrottle holds all readers together to the rate, and to no less", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.integer({ min: 1_000, max: 1_000_000 }),
      async (readers, bytesPerSecond) => {
        const { timer, throttle } = make({ bytesPerSecond });
        const done = Promise.all(readers.map(async (batches) => {
          for (const bytes of batches) await throttle.pass(bytes, never);
        }));
        await timer.run();
        await done;
        const bytes = readers.flat().reduce((sum, size) => sum + size, 0);
        assert.ok(Math.abs(timer.nowMs() - bytes * 1000 / bytesPerSecond) < 1);
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("ReadThrottle without bounds holds nobody back and asks for nothing", async () => {
  const { timer, throttle, asked } = make({});
  for (let at = 0; at < 100; at++) await throttle.pass(1_000_000, never);
  assert.deepEqual([timer.nowMs(), asked()], [0, 0]);
});

Deno.test("ReadThrottle pauses all readers while the member lags, and says so once", async () => {
  const { timer, lines, throttle, asked } = make({ lagSeconds: 30 }, [31, 40, 30, 0]);
  let passed = 0;
  const readers = [1, 2, 3].map(() => throttle.pass(1, never).then(() => passed++));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(passed, 0);
  assert.deepEqual(lines, ["Reading pauses: db1:1 is 31 s behind its primary, max_lag=30"]);
  await timer.run();
  await Promise.all(readers);
  assert.deepEqual([passed, asked(), timer.nowMs()], [3, 3, 10_000]);
  assert.equal(lines[1], "Reading goes on after 10 s: db1:1 is 30 s behind its primary");
  // It isn't asked again at once.
  await throttle.pass(1, never);
  assert.equal(asked(), 3);
  throttle.report();
  assert.equal(lines[2], "Reading paused 1 time, 10 s in all, because db1:1 lagged behind");
});

Deno.test("ReadThrottle says nothing of pauses where there were none", async () => {
  const { lines, throttle } = make({ lagSeconds: 30 }, [30]);
  await throttle.pass(1, never);
  throttle.report();
  assert.deepEqual(lines, []);
});

Deno.test("ReadThrottle warns once of a member that doesn't say how far it is behind", async () => {
  const { lines, throttle, asked } = make({ lagSeconds: 1 }, [null]);
  for (let at = 0; at < 3; at++) await throttle.pass(1, never);
  assert.equal(asked(), 1);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /max_lag is not heeded: db1:1 .*clusterMonitor/);
});

Deno.test("ReadThrottle ends a pause with the signal's reason", async () => {
  const { throttle } = make({ lagSeconds: 1 }, [9, 9, 9]);
  const stop = new AbortController();
  const passing = throttle.pass(1, stop.signal);
  await new Promise((resolve) => setTimeout(resolve));
  stop.abort(new Error("cancelled"));
  await assert.rejects(passing, /cancelled/);
});
