import { type Segment, SegmentPool } from "../../wasm/segment.ts";

/**
 * The backup's bounded memory: a fixed number of segments that readers wait for. Since a reader that waits holds none, and every segment
 * that isn't held by a reader is on its way out, waiting always ends while the sink takes data.
 */
export class SegmentSupply implements Disposable {
  readonly #pool: SegmentPool;
  readonly #waiting: ((segment: Segment) => void)[] = [];

  /** @param limitBytes size at which a segment counts as full */
  constructor(segments: number, limitBytes: number) {
    this.#pool = new SegmentPool(segments, limitBytes);
  }

  /** An empty segment, as soon as there is one. Rejects with the signal's reason when that comes first. */
  async acquire(signal: AbortSignal): Promise<Segment> {
    signal.throwIfAborted();
    const segment = this.#pool.take();
    if (segment !== undefined) return segment;
    return await new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(accept), 1);
        reject(signal.reason);
      };
      const accept = (freed: Segment) => {
        signal.removeEventListener("abort", giveUp);
        resolve(freed);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(accept);
    });
  }

  /** Takes a segment back, its content done with. */
  release(segment: Segment): void {
    segment.clear();
    const next = this.#waiting.shift();
    if (next === undefined) this.#pool.give(segment);
    else next(segment);
  }

  [Symbol.dispose](): void {
    this.#pool[Symbol.dispose]();
  }
}
