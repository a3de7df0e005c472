/**
 * People at work while backups run: some change orders, one document at a time; one moves money between the two databases, in transactions.
 *
 * @module
 */

import type { MongoClient, Timestamp } from "mongodb";
import { until } from "../lab/condition.ts";
import { orderCount } from "./dataset.ts";

const accountCount = 5;
const openingBalance = 1000;

/** What a writer rests after each write, so as to leave something of the machine to the backups. */
const paceMs = 10;

/** What all accounts hold together, at every instant. */
export const totalBalance = 2 * accountCount * openingBalance;

interface Account {
  _id: number;
  balance: number;
}

/** A transfer's number is its `_id`: 1, 2, 3 and so on. */
interface Transfer {
  _id: number;
  amount: number;
}

/** Where the money is: an account's half in each database, and the book of all transfers. */
function bank(client: MongoClient) {
  return {
    halves: [
      client.db("app").collection<Account>("accounts"),
      client.db("shop").collection<Account>("accounts"),
    ] as const,
    transfers: client.db("app").collection<Transfer>("transfers"),
  };
}

/** Writers that go on until they are stopped. */
export class Writers implements AsyncDisposable {
  readonly #client: MongoClient;
  #work: readonly Promise<void>[] = [];
  #failure: unknown = null;
  #isStopping = false;
  #transfers = 0;
  #orders = 0;
  #clusterTime: Timestamp | null = null;

  private constructor(client: MongoClient) {
    this.#client = client;
  }

  /** Opens the accounts and sets the writers to work. */
  static async start(client: MongoClient): Promise<Writers> {
    const writers = new Writers(client);
    for (const half of bank(client).halves) {
      await half.insertMany(
        Array.from({ length: accountCount }, (_, _id) => ({ _id, balance: openingBalance })),
      );
    }
    await client.db("app").createCollection("transfers");
    writers.resume();
    return writers;
  }

  /** Sets the writers to work again. */
  resume(): void {
    this.#isStopping = false;
    this.#work = [this.#repeat(() => this.#moveMoney()), this.#repeat(() => this.#changeOrder())];
  }

  /** Transfers that are committed. */
  get transfers(): number {
    return this.#transfers;
  }

  /** Changes of orders that are acknowledged. */
  get orders(): number {
    return this.#orders;
  }

  /** The cluster's time at the last transfer. */
  get clusterTime(): Timestamp {
    if (this.#clusterTime === null) throw new Error("Nobody has moved money yet");
    return this.#clusterTime;
  }

  /** Resolves when so many more transfers are committed. */
  async goOn(transfers: number): Promise<void> {
    const goal = this.#transfers + transfers;
    await until(`transfer ${goal}`, 60_000, () => {
      if (this.#failure !== null) throw this.#failure;
      return this.#transfers >= goal;
    });
  }

  /** Sends the writers home. @throws what one of them failed with */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#work);
    if (this.#failure !== null) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever wants to know asks stop(); here it would hide why the demo ends early.
    await this.stop().catch(() => {});
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    try {
      while (!this.#isStopping) {
        await work();
        await new Promise((resolve) => setTimeout(resolve, paceMs));
      }
    } catch (cause) {
      this.#failure ??= cause;
    }
  }

  async #moveMoney(): Promise<void> {
    const { halves: [from, to], transfers } = bank(this.#client);
    const _id = this.#transfers + 1;
    const amount = _id % 7;
    await using session = this.#client.startSession();
    await session.withTransaction(async () => {
      const account = { _id: _id % accountCount };
      await from.updateOne(account, { $inc: { balance: -amount } }, { session });
      await to.updateOne(account, { $inc: { balance: amount } }, { session });
      await transfers.insertOne({ _id, amount }, { session });
    });
    this.#clusterTime = session.operationTime ?? null;
    this.#transfers = _id;
  }

  /** Most orders grow a little, some are new, some are deleted. */
  async #changeOrder(): Promise<void> {
    const orders = this.#client.db("app").collection<{ _id: number }>("orders");
    const at = ++this.#orders;
    const _id = (at * 7919) % orderCount;
    if (at % 5 === 0) await orders.insertOne({ _id: orderCount + at });
    else if (at % 7 === 0) await orders.deleteOne({ _id });
    else await orders.updateOne({ _id }, { $inc: { version: 1 }, $set: { changedBy: at } });
  }
}

/** What the books say now: the number of the last transfer, whether any before it is missing, and the sum of all accounts. */
export async function audit(client: MongoClient) {
  const { halves, transfers } = bank(client);
  const balances = await Promise.all(halves.map((half) => half.find().toArray()));
  const last = await transfers.findOne({}, { sort: { _id: -1 } });
  return {
    lastTransfer: last?._id ?? 0,
    isComplete: await transfers.countDocuments() === (last?._id ?? 0),
    balance: balances.flat().reduce((sum, { balance }) => sum + balance, 0),
  };
}
