/**
 * Transactions that are spread over several entries, until they are committed.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { describeTimestamp, type Timestamp } from "../timestamp.ts";
import type { OplogEntry } from "./entry.ts";

interface Open<Part> {
  readonly parts: Part[];
  readonly since: Timestamp;
}

/** Parts of open transactions, in whatever form the caller keeps them. */
export class OpenTransactions<Part> {
  readonly #open = new Map<string, Open<Part>>();

  /** Transactions that are open now. */
  get size(): number {
    return this.#open.size;
  }

  /** A part that isn't the last one. */
  add(key: string, entry: OplogEntry, part: Part): void {
    const at = entry.at!;
    // A first part under a key that is open already: the earlier try went away without a trace, as on a step-down.
    if (!entry.continues) this.#open.set(key, { parts: [part], since: at });
    else this.#known(key, at).parts.push(part);
  }

  /** The parts of a transaction that is committed now; it is forgotten. One that is whole in its only entry has none before it. */
  commit(key: string, entry: OplogEntry): readonly Part[] {
    const parts = entry.continues ? this.#known(key, entry.at!).parts : [];
    this.#open.delete(key);
    return parts;
  }

  abort(key: string): void {
    this.#open.delete(key);
  }

  #known(key: string, at: Timestamp): Open<Part> {
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    throw new PluginError(
      "oplogUnreplayable",
      `Cannot replay the transaction that goes on at ${
        describeTimestamp(at)
      }: its beginning isn't in the chain`,
      {
        hint:
          "Restore another chain, and report this: a chain should hold every transaction from its first entry on.",
      },
    );
  }
}
