/**
 * The data that the operator's guide speaks of, and what its comments do with it.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { MongoClient } from "mongodb";
import { until } from "../lab/condition.ts";
import { dropDataset, fingerprint } from "./dataset.ts";

type Fingerprint = Awaited<ReturnType<typeof fingerprint>>;

/** The data in a server. */
export class GuideData {
  /** What the guide's names stand for, as far as the data decides it. */
  readonly names = new Map<string, string>();
  readonly #client: MongoClient;
  #instant: Fingerprint;
  #end: Fingerprint;

  private constructor(client: MongoClient, print: Fingerprint) {
    this.#client = client;
    this.#instant = this.#end = print;
  }

  /** Writes it; more would only take longer. */
  static async load(client: MongoClient): Promise<GuideData> {
    const documents = Array.from(
      { length: 3000 },
      (_, _id) => ({ _id, sku: `sku-${_id % 7}`, count: _id % 100 }),
    );
    await client.db("app").collection<{ _id: number }>("orders").insertMany(documents);
    await client.db("app").collection("orders").createIndex({ sku: 1, count: -1 });
    await client.db("app").collection("customers").insertOne({ name: "Ada" });
    await client.db("shop").collection("items").insertOne({ sku: "sku-1" });
    return new GuideData(client, await fingerprint(client));
  }

  /** Does what a comment says, or compares. */
  async act(action: string): Promise<void> {
    const act = this.#actions[action];
    assert.ok(act, `no action is called ${action}`);
    await act();
  }

  readonly #actions: Readonly<Record<string, () => Promise<void>>> = {
    change: () => this.#change(),
    drop: () => dropDataset(this.#client),
    same: async () => assert.deepEqual(await fingerprint(this.#client), this.#end),
    instant: async () => assert.deepEqual(await fingerprint(this.#client), this.#instant),
    copy: async () => {
      const copy = this.#client.db("app").collection("orders_restored");
      const counts = [await copy.countDocuments(), (await copy.indexes()).length];
      await copy.drop();
      // Of the chain's end, before which some were deleted.
      const wanted = await this.#orders.countDocuments({ _id: { $gte: 1000 } });
      assert.deepEqual(counts, [wanted, (await this.#orders.indexes()).length]);
    },
    orders: async () => {
      const all = await fingerprint(this.#client, ["app"]);
      assert.deepEqual(all["app.orders"], this.#end["app.orders"]);
      const found = await this.#client.db("app").listCollections().toArray();
      assert.deepEqual(found.map(({ name }) => name), ["orders"]);
    },
  };

  async #change(): Promise<void> {
    await this.#orders.insertOne({ _id: -1 });
    this.#instant = await fingerprint(this.#client);
    const second = Math.floor(Date.now() / 1000) + 1;
    this.names.set("2026-11-23T08:15:00Z", new Date(second * 1000).toISOString().replace(".000Z", "Z"));
    await until("the second after the instant", 10_000, () => Date.now() / 1000 > second + 1);
    await this.#orders.deleteMany({ _id: { $lt: 1000 } });
    this.#end = await fingerprint(this.#client);
  }

  get #orders() {
    return this.#client.db("app").collection<{ _id: number }>("orders");
  }
}
