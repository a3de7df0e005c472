/**
 * What holds the readers of a Full back, for the sake of the server that they read: a bound on their rate, and pauses while it lags behind.
 *
 * @module
 */

import type { JobLog } from "../ports.ts";
import { formatDuration, formatNumberOf } from "./wording.ts";

/** Time as a throttle needs it. */
export interface ThrottleTimer {
  /** Milliseconds of a clock that nobody sets. */
  nowMs(): number;
  /** Rejects with the signal's reason when that comes first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What a throttle holds the readers to. */
export interface ThrottleBounds {
  /** Over all readers; 0: no bound. */
  readonly bytesPerSecond: number;
  /** Seconds that the member may lag; 0: no bound. */
  readonly lagSeconds: number;
}

/** How often the member is asked for its lag. */
const lagIntervalMs = 5_000;

export class ReadThrottle {
  readonly #bounds: ThrottleBounds;
  readonly #askLag: () => Promise<number | null>;
  readonly #host: string;
  readonly #log: JobLog;
  readonly #timer: ThrottleTimer;
  /** When all that was read so far is within the rate. */
  #evenAtMs = -Infinity;
  #nextLookMs = -Infinity;
  #looking: Promise<void> | undefined;
  #pauses = 0;
  #pausedMs = 0;

  /** @param askLag how many seconds the member is behind its primary, null where it doesn't say */
  constructor(
    bounds: ThrottleBounds,
    askLag: () => Promise<number | null>,
    host: string,
    log: JobLog,
    timer: ThrottleTimer = systemTimer,
  ) {
    this.#bounds = bounds;
    this.#askLag = askLag;
    this.#host = host;
    this.#log = log;
    this.#timer = timer;
  }

  /** Resolves when a reader that has just read `bytes` may read on. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bounds.lagSeconds > 0) await this.#passLag(signal);
    if (this.#bounds.bytesPerSecond > 0) await this.#passRate(bytes, signal);
  }

  /** Says how long the readers were held back, if they were. */
  report(): void {
    if (this.#pauses === 0) return;
    const paused = formatDuration(this.#pausedMs / 1000);
    this.#log.info(
      `Reading paused ${
        formatNumberOf(this.#pauses, "time")
      }, ${paused} in all, because ${this.#host} lagged behind`,
    );
  }

  async #passRate(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#timer.nowMs();
    this.#evenAtMs = Math.max(this.#evenAtMs, now) + bytes * 1000 / this.#bounds.bytesPerSecond;
    await this.#timer.sleep(this.#evenAtMs - now, signal);
  }

  async #passLag(signal: AbortSignal): Promise<void> {
    if (this.#looking === undefined && this.#timer.nowMs() >= this.#nextLookMs) {
      this.#looking = this.#look(signal).finally(() => {
        this.#looking = undefined;
        this.#nextLookMs = Math.max(this.#nextLookMs, this.#timer.nowMs() + lagIntervalMs);
      });
    }
    // All readers wait for the one look, and as long as it finds the member behind.
    await this.#looking;
  }

  async #look(signal: AbortSignal): Promise<void> {
    let lag = await this.#askLag();
    if (lag === null) {
      this.#nextLookMs = Infinity;
      this.#log.warning(
        `max_lag is not heeded: ${this.#host} doesn't say how far it is behind; the user needs the role clusterMonitor`,
      );
      return;
    }
    const bound = this.#bounds.lagSeconds;
    if (lag <= bound) return;
    this.#log.info(`Reading pauses: ${this.#host} is ${lag} s behind its primary, max_lag=${bound}`);
    const from = this.#timer.nowMs();
    this.#pauses++;
    try {
      while (lag !== null && lag > bound) {
        await this.#timer.sleep(lagIntervalMs, signal);
        lag = await this.#askLag();
      }
    } finally {
      this.#pausedMs += this.#timer.nowMs() - from;
    }
    const pause = formatDuration((this.#timer.nowMs() - from) / 1000);
    this.#log.info(`Reading goes on after ${pause}: ${this.#host} is ${lag ?? "?"} s behind its primary`);
  }
}

const systemTimer: ThrottleTimer = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const giveUp = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      }, Math.max(ms, 0));
      signal.addEventListener("abort", giveUp, { once: true });
    }),
};
