/**
 * Sends writes to a server, each noted in the ledger before and, when a majority has it, after.
 *
 * @module
 */

import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  MongoBulkWriteError,
  type MongoClient,
  MongoError,
  MongoNetworkError,
  MongoServerSelectionError,
} from "mongodb";
import { type Change, instantOf, type Ledger, recentWrites, type Write } from "./ledger.ts";

interface Counter {
  _id: string;
  n: number;
  seq: number;
  recent: number[];
}

/** How the changes of one call go to the server. */
export type Manner = "single" | "bulk" | "find and modify" | "transaction" | "aborted transaction";

/** One client's way to write. Its client decides the write concern and whether the driver retries. */
export class Desk {
  readonly #client: MongoClient;
  readonly #ledger: Ledger;
  readonly #isDoomed: boolean;

  /** @param isDoomed whether this server is going to lose what it is given */
  constructor(client: MongoClient, ledger: Ledger, isDoomed = false) {
    this.#client = client;
    this.#ledger = ledger;
    this.#isDoomed = isDoomed;
  }

  /**
   * Makes changes: one write in a transaction, a write each in any other manner.
   *
   * @returns whether they were acknowledged; if not, an outage leaves open whether they were made
   * @throws what is no outage
   */
  async write(manner: Manner, changes: readonly Change[]): Promise<boolean> {
    const isTransaction = manner === "transaction" || manner === "aborted transaction";
    const isDoomed = this.#isDoomed || manner === "aborted transaction";
    const writes = (isTransaction ? [changes] : changes.map((change) => [change]))
      .map((together) => this.#ledger.note(together, isDoomed));
    await using session = this.#client.startSession();
    try {
      for (const write of isTransaction ? writes : []) await this.#transact(write, manner, session);
      if (manner === "bulk") await this.#sendBulk(writes, session);
      if (manner === "single" || manner === "find and modify") {
        for (const { seq, changes: [change] } of writes) await this.#send(change!, seq, manner, session);
      }
    } catch (cause) {
      if (isOutage(cause)) return false;
      throw cause;
    }
    const at = session.operationTime;
    if (at && !isDoomed) { for (const write of writes) this.#ledger.acknowledge(write, instantOf(at)); }
    return true;
  }

  async #transact({ seq, changes }: Write, manner: Manner, session: ClientSession): Promise<void> {
    await session.withTransaction(async () => {
      for (const change of changes) await this.#send(change, seq, "single", session);
      if (manner === "aborted transaction") await session.abortTransaction();
    });
  }

  async #send(change: Change, seq: number, manner: Manner, session: ClientSession): Promise<void> {
    if (change.kind === "create" || change.kind === "drop") {
      const [database, name] = splitNamespace(change.namespace);
      const db = this.#client.db(database);
      await (change.kind === "create"
        ? db.createCollection(name, { session })
        : db.dropCollection(name, { session }));
      return;
    }
    const counters = this.#counters(change);
    const filter = { _id: change.id };
    if (change.kind === "insert") {
      await counters.insertOne(documentOf(change.id, change.n, seq), { session });
    } else if (manner === "find and modify") {
      const before = change.kind === "add"
        ? await counters.findOneAndUpdate(filter, addition(change.n, seq), { session })
        : await counters.findOneAndDelete(filter, { session });
      hold(change, before === null ? 0 : 1);
    } else if (change.kind === "add") {
      hold(change, (await counters.updateOne(filter, addition(change.n, seq), { session })).matchedCount);
    } else {
      hold(change, (await counters.deleteOne(filter, { session })).deletedCount);
    }
  }

  /** All in one collection. */
  async #sendBulk(writes: readonly Write[], session: ClientSession): Promise<void> {
    const models = writes.map(({ seq, changes: [change] }): AnyBulkWriteOperation<Counter> => {
      switch (change!.kind) {
        case "insert":
          return { insertOne: { document: documentOf(change!.id, change!.n, seq) } };
        case "add":
          return { updateOne: { filter: { _id: change!.id }, update: addition(change!.n, seq) } };
        case "remove":
          return { deleteOne: { filter: { _id: change!.id } } };
        default:
          throw new Error(`${change!.kind} doesn't go with others in bulk`);
      }
    });
    const [first] = writes[0]!.changes;
    const { insertedCount, matchedCount, deletedCount } = await this.#counters(first!).bulkWrite(models, {
      session,
    });
    hold(first!, insertedCount + matchedCount + deletedCount, writes.length);
  }

  #counters({ namespace }: Change): Collection<Counter> {
    const [database, name] = splitNamespace(namespace);
    return this.#client.db(database).collection<Counter>(name);
  }
}

function splitNamespace(namespace: string): [database: string, collection: string] {
  const dot = namespace.indexOf(".");
  return [namespace.slice(0, dot), namespace.slice(dot + 1)];
}

function documentOf(_id: string, n: number, seq: number): Counter {
  return { _id, n, seq, recent: [seq] };
}

function addition(n: number, seq: number) {
  return { $inc: { n }, $set: { seq }, $push: { recent: { $each: [seq], $slice: -recentWrites } } };
}

function hold(change: Change, done: number, wanted = 1): void {
  if (done !== wanted) throw new Error(`${JSON.stringify(change)} found ${done} documents, wanted ${wanted}`);
}

const outageCodes: ReadonlySet<unknown> = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);
const outageLabels = ["RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult"];

/** Whether an error comes from the change of primaries, and says nothing of the write itself. */
function isOutage(cause: unknown): boolean {
  if (cause instanceof MongoNetworkError || cause instanceof MongoServerSelectionError) return true;
  if (cause instanceof MongoBulkWriteError && isOutage(cause.errorResponse)) return true;
  return cause instanceof MongoError &&
    (outageCodes.has(cause.code) || outageLabels.some((label) => cause.hasErrorLabel(label)));
}
