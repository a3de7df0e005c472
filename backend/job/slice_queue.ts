/**
 * The oplog's part of a restore: pieces come in whatever order, are applied in theirs, and not before the data is there.
 *
 * @module
 */

import type { Spool, SpooledBytes } from "../ports.ts";
import type { ReplayReport } from "./replay.ts";

/** Takes segments in their order. */
export interface SegmentConsumer extends Disposable {
  apply(segment: Uint8Array): Promise<void>;
  finish(): Promise<ReplayReport>;
}

/** The pieces of a plan, each handed to the consumer in its turn. What comes before its turn waits in the spool. */
export class SliceQueue {
  readonly #order: readonly string[];
  readonly #spool: Spool;
  readonly #consumer: SegmentConsumer;
  readonly #waiting = new Map<string, SpooledBytes>();
  #next = 0;
  #open = false;

  /** @param order virtual names of all pieces, as they have to be applied */
  constructor(order: readonly string[], spool: Spool, consumer: SegmentConsumer) {
    this.#order = order;
    this.#spool = spool;
    this.#consumer = consumer;
  }

  /** Takes a piece whose bytes were verified. */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    if (!this.#open || this.#order[this.#next] !== path) {
      this.#waiting.set(path, await this.#spool.put(bytes));
      return;
    }
    await this.#consumer.apply(bytes);
    this.#next++;
    await this.#drain();
  }

  /** All data is there: pieces may be applied from now on. */
  async open(): Promise<void> {
    this.#open = true;
    await this.#drain();
  }

  async #drain(): Promise<void> {
    for (;;) {
      const path = this.#order[this.#next];
      const piece = path === undefined ? undefined : this.#waiting.get(path);
      if (path === undefined || piece === undefined) return;
      this.#waiting.delete(path);
      await this.#consumer.apply(await this.#spool.get(piece));
      this.#next++;
    }
  }
}
