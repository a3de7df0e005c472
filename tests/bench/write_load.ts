/** Writes that go on while something else is measured. */

import { MongoClient } from "mongodb";

/** What is asked for; a server that can't keep up gets less. */
export const loadChangesPerSecond = 2_000;

const intervalMs = 50;
const documents = 1_000;

/** Updates of small documents in a database of their own, which therefore doesn't grow. Until it is disposed of. */
export class WriteLoad implements AsyncDisposable {
  readonly #client: MongoClient;
  readonly #timer: ReturnType<typeof setInterval>;
  #pending: Promise<unknown> | null = null;
  #failure: unknown = null;
  #changes = 0;

  private constructor(client: MongoClient) {
    this.#client = client;
    this.#timer = setInterval(() => this.#pending ??= this.#change(), intervalMs);
  }

  static async start(uri: string): Promise<WriteLoad> {
    const client = await new MongoClient(uri).connect();
    const counters = client.db("bench_load").collection<{ _id: number }>("counters");
    const upserts = Array.from({ length: documents }, (_, _id) => ({
      replaceOne: { filter: { _id }, replacement: { text: "x".repeat(100) }, upsert: true },
    }));
    await counters.bulkWrite(upserts, { ordered: false });
    return new WriteLoad(client);
  }

  /** @throws what a write failed with */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#pending;
    await this.#client.close();
    if (this.#failure !== null) throw this.#failure;
  }

  async #change(): Promise<void> {
    try {
      const updates = Array.from({ length: loadChangesPerSecond * intervalMs / 1000 }, () => ({
        updateOne: { filter: { _id: this.#changes++ % documents }, update: { $inc: { n: 1 } } },
      }));
      const counters = this.#client.db("bench_load").collection<{ _id: number }>("counters");
      await counters.bulkWrite(updates, { ordered: false, writeConcern: { w: 1 } });
    } catch (cause) {
      this.#failure ??= cause;
    } finally {
      this.#pending = null;
    }
  }
}
