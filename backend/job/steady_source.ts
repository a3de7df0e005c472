/**
 * A source that outlasts a restart of its member, and a collection that is dropped while it is read.
 *
 * @module
 */

import { asPluginError, PluginError } from "../errors.ts";
import type { Collection, JobLog, KeyRange, Oplog, OplogWindow, Source, UserCollections } from "../ports.ts";
import type { Namespace } from "../namespace.ts";
import { abortable } from "../parallel.ts";
import { SourceBehind } from "../source_behind.ts";
import type { OplogPosition, Timestamp } from "../timestamp.ts";
import { awaitCommitted } from "./oplog_source.ts";
import { pauseFor } from "./pause.ts";
import { formatNumberOf } from "./wording.ts";

/** How often the same thing is asked or read, at most. */
const triesMax = 5;

const pollMs = 500;

/** What there is to be known of waiting for a member. */
export interface Patience {
  /** How long it may be away; 0 for not at all. */
  readonly seconds: number;
  readonly log: JobLog;
  readonly signal: AbortSignal;
}

/**
 * Asks again what a member could not answer for going away, once it is back. What is read by a cursor is for its reader to read again, from the start:
 * {@linkcode SteadySource.outlast} says when. Without an oplog, nothing proves what happened in between, and nothing is asked again.
 *
 * Documents are read as a majority has them, which no restart takes back. What lists databases and collections isn't: each listing is proven by an entry
 * of the oplog that was there with it, and that a majority has in the end; and so is a drop.
 */
export class SteadySource extends SourceBehind {
  readonly #patience: Patience;
  readonly #oplog: Oplog | null;
  readonly #proofs: Promise<unknown>[] = [];
  #returning: Promise<boolean> | null = null;

  constructor(behind: Source, patience: Patience) {
    super(behind);
    this.#patience = patience;
    this.#oplog = behind.oplog === null ? null : new SteadyOplog(behind.oplog, (ask) => this.#again(ask));
  }

  override get oplog(): Oplog | null {
    return this.#oplog;
  }

  override listDatabases(): Promise<string[]> {
    return this.#list(() => this.behind.listDatabases());
  }

  override listCollections(database: string): Promise<Collection[]> {
    return this.#list(() => this.behind.listCollections(database));
  }

  override listUserCollections(): Promise<UserCollections> {
    return this.#list(() => this.behind.listUserCollections());
  }

  override splitRanges(collection: Collection, parts: number): Promise<readonly KeyRange[]> {
    return this.#again(() => this.behind.splitRanges(collection, parts));
  }

  override countDocuments(namespace: Namespace, exact: boolean): Promise<number> {
    return this.#again(() => this.behind.countDocuments(namespace, exact));
  }

  override lagSeconds(): Promise<number | null> {
    return this.#again(() => this.behind.lagSeconds());
  }

  /**
   * Resolves when the member that went away is back.
   *
   * @param tries how often it was tried
   * @throws the cause, where the member didn't go away; a PluginError like it, where it doesn't come back in time
   */
  async outlast(cause: unknown, tries: number): Promise<void> {
    const { seconds, signal } = this.#patience;
    signal.throwIfAborted();
    const mayGoOn = this.#oplog !== null && this.behind.readsCommitted && tries < triesMax;
    // Nothing is left of it, or what is there now was made anew: the slice has both, and a rename, which it refuses where it must.
    if (mayGoOn && this.behind.isDrop(cause)) return await this.#proveLater();
    if (seconds === 0 || !mayGoOn || !this.behind.isLoss(cause)) throw cause;
    const { code, message, hint } = asPluginError(cause);
    this.#returning ??= this.#awaitReturn(message).finally(() => this.#returning = null);
    if (await this.#returning) return;
    signal.throwIfAborted();
    const { source } = this.deployment;
    throw new PluginError(
      code,
      `${message}; ${source} was not back within ${formatNumberOf(seconds, "second")}`,
      {
        hint,
        cause,
      },
    );
  }

  /** @throws PluginError where what was listed was taken back */
  async proveListings(): Promise<void> {
    await Promise.all(this.#proofs);
  }

  async #awaitReturn(message: string): Promise<boolean> {
    const { seconds, log, signal } = this.#patience;
    const { source } = this.deployment;
    log.warning(`${message}. Waiting up to ${formatNumberOf(seconds, "second")} for ${source}`);
    const lostAt = performance.now();
    while (performance.now() - lostAt < seconds * 1000) {
      await pauseFor(pollMs, signal);
      if (signal.aborted) return false;
      if (await abortable(this.behind.isReadable(), signal)) {
        log.info(`${source} can be read again after ${((performance.now() - lostAt) / 1000).toFixed(1)} s`);
        return true;
      }
    }
    return false;
  }

  async #again<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      try {
        return await abortable(ask(), this.#patience.signal);
      } catch (cause) {
        await this.outlast(cause, tries);
      }
    }
  }

  #list<T>(list: () => Promise<T>): Promise<T> {
    return this.#again(async () => {
      const listed = await list();
      await this.#proveLater();
      return listed;
    });
  }

  /** What the member has just shown, which may be more than a majority has, is proven in the end. */
  async #proveLater(): Promise<void> {
    const { oplog } = this.behind;
    if (oplog === null || this.#oplog === null) return;
    // Of the member as it was: not asked again when that has gone away.
    const proof = awaitCommitted(this.#oplog, this.#patience.signal, await oplog.newest());
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    proof.catch(() => {});
    this.#proofs.push(proof);
  }
}

/** An oplog whose simple questions are asked again. */
class SteadyOplog implements Oplog {
  readonly host: string;
  readonly #behind: Oplog;
  readonly #again: <T>(ask: () => Promise<T>) => Promise<T>;

  constructor(behind: Oplog, again: <T>(ask: () => Promise<T>) => Promise<T>) {
    this.host = behind.host;
    this.#behind = behind;
    this.#again = again;
  }

  window(): Promise<OplogWindow> {
    return this.#again(() => this.#behind.window());
  }

  newest(): Promise<OplogPosition> {
    return this.#again(() => this.#behind.newest());
  }

  committed(): Promise<OplogPosition> {
    return this.#again(() => this.#behind.committed());
  }

  find(at: Timestamp): Promise<OplogPosition | null> {
    return this.#again(() => this.#behind.find(at));
  }

  before(at: Timestamp): Promise<OplogPosition> {
    return this.#again(() => this.#behind.before(at));
  }

  rollbacks(): Promise<number | null> {
    return this.#again(() => this.#behind.rollbacks());
  }

  oldestOpenTransaction(at: Timestamp): Promise<OplogPosition | null> {
    return this.#again(() => this.#behind.oldestOpenTransaction(at));
  }

  readBatches(from: Timestamp, to: Timestamp, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#behind.readBatches(from, to, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#behind[Symbol.asyncDispose]();
  }
}
