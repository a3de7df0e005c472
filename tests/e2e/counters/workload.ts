/**
 * A workload that runs until it is stopped: counters that come, grow and go, money that moves between databases in transactions, collections
 * that are made and dropped. Every write is in the ledger before it is sent.
 *
 * @module
 */

import { MongoClient } from "mongodb";
import { until } from "../../lab/condition.ts";
import { Random } from "../../lab/random.ts";
import { Desk } from "./desk.ts";
import { Ledger } from "./ledger.ts";
import { keepCounters, keepVisits, moveMoney, open, succeed } from "./writers.ts";

/** The databases that the workload writes, and nobody else may. */
export const databases = ["north", "south"] as const;

/** The running writers. */
export class Workload implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly #resources = new AsyncDisposableStack();
  #writers: readonly Promise<void>[] = [];
  #failures: unknown[] = [];
  #isStopping = false;

  private constructor() {}

  /** Lays the first documents and starts the writers. `seed` decides what they write, though not when. */
  static async start(uri: string, seed: number): Promise<Workload> {
    const workload = new Workload();
    const random = new Random(seed);
    const [plain, retried] = [await workload.#openDesk(uri, false), await workload.#openDesk(uri, true)];
    await open(retried);
    const writers = [
      keepCounters(plain, new Random(random.next())),
      keepVisits(retried, new Random(random.next())),
      moveMoney(retried, "a", new Random(random.next())),
      moveMoney(plain, "b", new Random(random.next())),
      succeed(retried),
    ];
    workload.#writers = writers.map((steps) => workload.#run(steps));
    return workload;
  }

  /** Resolves when so many more writes were acknowledged. */
  async grow(writes: number): Promise<void> {
    const goal = this.ledger.acknowledged + writes;
    await until(`${writes} more acknowledged writes`, 60_000, () => {
      this.#throwFailures();
      return this.ledger.acknowledged >= goal;
    });
  }

  /** Ends the writers when their last writes are answered. @throws what a writer failed with, unless that was an outage */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#writers);
    await this.#resources.disposeAsync();
    this.#throwFailures();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever wants to know asks stop(); here it would hide why a test ends early.
    await this.stop().catch(() => {});
  }

  #throwFailures(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #run(steps: AsyncGenerator<void>): Promise<void> {
    try {
      for await (const _ of steps) if (this.#isStopping) break;
    } catch (cause) {
      this.#failures.push(cause);
    }
  }

  async #openDesk(uri: string, retryWrites: boolean): Promise<Desk> {
    const client = new MongoClient(uri, { retryWrites, writeConcern: { w: "majority" } });
    this.#resources.defer(() => client.close());
    await client.connect();
    return new Desk(client, this.ledger);
  }
}
