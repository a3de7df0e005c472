/**
 * How far a Full is.
 *
 * @module
 */

import { formatNamespace, type Namespace } from "../namespace.ts";
import type { Clock, JobLog } from "../ports.ts";
import { formatBytes, formatDuration, formatNumberOf, formatSeconds } from "./wording.ts";

/** Told of every batch: bytes of documents so far, and about how many there are, null while that isn't known. */
export type ProgressListener = (readBytes: number, totalBytes: number | null) => void;

const reportIntervalMs = 60_000;

/** Collections from this size on have a line of their own in the job log. */
const notableBytes = 256 << 20;

export class DumpProgress {
  readonly #sizeOf: () => Promise<number>;
  readonly #log: JobLog;
  readonly #clock: Clock;
  readonly #listener: ProgressListener | undefined;
  readonly #startedAtMs: number;
  #readBytes = 0;
  #totalBytes: number | null = null;

  /**
   * @param sizeOf about how many bytes there are to be read, 0 where the server doesn't say
   * @param listener somebody who looks on; without one, sizes are asked for only when the first report is due
   */
  constructor(sizeOf: () => Promise<number>, log: JobLog, clock: Clock, listener?: ProgressListener) {
    this.#sizeOf = sizeOf;
    this.#log = log;
    this.#clock = clock;
    this.#listener = listener;
    this.#startedAtMs = clock.monotonicMs();
  }

  /** Reports once a minute, until it is disposed of. */
  start(): Disposable {
    // Not worth a failure: what is wrong with the server shows itself to the readers.
    if (this.#listener !== undefined) this.#learnTotal().catch(() => {});
    const timer = setInterval(() => void this.report().catch(() => {}), reportIntervalMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  add(bytes: number): void {
    this.#readBytes += bytes;
    this.#listener?.(this.#readBytes, this.#totalBytes);
  }

  /** Says how far the job is. */
  async report(): Promise<void> {
    const total = await this.#learnTotal();
    const read = this.#readBytes;
    const seconds = (this.#clock.monotonicMs() - this.#startedAtMs) / 1000;
    const rate = read / Math.max(seconds, 0.001);
    const speed = `${formatBytes(Math.round(rate))}/s`;
    if (total <= read || read === 0) {
      this.#log.info(`Progress: ${formatBytes(read)}, ${speed}`);
      return;
    }
    this.#log.info(
      `Progress: ${formatBytes(read)} of about ${formatBytes(total)} (${
        Math.floor(read * 100 / total)
      } %), ${speed}, ` +
        `about ${formatDuration((total - read) / rate)} to go`,
    );
  }

  /** A collection is out; a large one gets a line. `startedAtMs` is of the monotonic clock. */
  collectionDone(namespace: Namespace, documents: number, bytes: number, startedAtMs: number): void {
    if (bytes < notableBytes) return;
    const tookMs = Math.max(this.#clock.monotonicMs() - startedAtMs, 1);
    this.#log.info(
      `${formatNamespace(namespace)}: ${formatNumberOf(documents, "document")}, ${formatBytes(bytes)} in ` +
        `${formatSeconds(tookMs)} (${formatBytes(Math.round(bytes * 1000 / tookMs))}/s)`,
    );
  }

  async #learnTotal(): Promise<number> {
    this.#totalBytes ??= await this.#sizeOf();
    return this.#totalBytes;
  }
}
