/**
 * One member's oplog.
 *
 * @module
 */

import {
  type Collection,
  type Document,
  type MongoClient,
  ReadPreference,
  Timestamp as BsonTimestamp,
} from "mongodb";
import { PluginError } from "../errors.ts";
import type { Oplog, OplogWindow } from "../ports.ts";
import { vectoredInsert } from "../oplog/entry.ts";
import {
  compareTimestamps,
  describeTimestamp,
  type OplogPosition,
  type Timestamp,
  timestampFromBits,
} from "../timestamp.ts";
import { closeClient } from "./client.ts";
import { driverError, isUnauthorized, unknownReply } from "./driver_error.ts";
import { rawBatches } from "./raw_cursor.ts";

const readPreference = ReadPreference.SECONDARY_PREFERRED;
const projection = { ts: 1, t: 1 };

/** The oplog of the member that a client is connected to. */
export class MemberOplog implements Oplog {
  readonly host: string;
  readonly #client: MongoClient;
  #lastCommitted: OplogPosition | null = null;

  constructor(client: MongoClient, host: string) {
    this.host = host;
    this.#client = client;
  }

  async window(): Promise<OplogWindow> {
    const [oldest, newest] = await this.#ask(
      "look at the ends of the oplog",
      async (entries) =>
        await Promise.all(
          ([1, -1] as const).map((order) =>
            entries.findOne({}, { projection, sort: { $natural: order }, readPreference })
          ),
        ),
    );
    if (!oldest || !newest) {
      throw new PluginError("oplogUnavailable", `Cannot read the oplog of ${this.host}: it is empty`, {
        hint: "The member is being initialised, or no member of a replica set; run the job again later.",
      });
    }
    const size = await this.#client.db("local").command({ collStats: "oplog.rs" }).then(
      ({ size, maxSize }) => ({ bytes: Number(size), maxBytes: Number(maxSize) }),
      () => null,
    );
    return { oldest: positionOf(oldest), newest: positionOf(newest), size };
  }

  newest(): Promise<OplogPosition> {
    return this.#lastWrite("opTime");
  }

  async committed(): Promise<OplogPosition> {
    const position = await this.#lastWrite("majorityOpTime");
    if (this.#lastCommitted === null || compareTimestamps(position, this.#lastCommitted) > 0) {
      this.#lastCommitted = position;
    }
    return position;
  }

  /** The newest entry of which the member has said so far that a majority has it. */
  get lastCommitted(): Timestamp | null {
    return this.#lastCommitted;
  }

  async find(at: Timestamp): Promise<OplogPosition | null> {
    // The server seeks to a lower bound; an equality alone makes some versions scan everything.
    const filter = { ts: { $gte: new BsonTimestamp(at), $lte: new BsonTimestamp(at) } };
    const entry = await this.#ask(
      `look for the entry ${describeTimestamp(at)}`,
      (entries) => entries.findOne(filter, { projection, readPreference }),
    );
    return entry === null ? null : positionOf(entry);
  }

  async before(at: Timestamp): Promise<OplogPosition> {
    const entry = await this.#ask(
      `look for the entry before ${describeTimestamp(at)}`,
      (entries) =>
        entries.findOne({ ts: { $lt: new BsonTimestamp(at) } }, {
          projection,
          sort: { $natural: -1 },
          readPreference,
        }),
    );
    if (entry !== null) return positionOf(entry);
    throw new PluginError(
      "oplogGap",
      `Cannot begin a slice at ${
        describeTimestamp(at)
      }: the oplog of ${this.host} holds nothing before that any more`,
      {
        hint:
          "A transaction has been open for as long as the oplog reaches back. End it, or enlarge the oplog (replSetResizeOplog), then run the job again.",
      },
    );
  }

  async oldestOpenTransaction(at: Timestamp): Promise<OplogPosition | null> {
    const sessions = this.#client.db("config").collection("transactions");
    const filter = { state: { $in: ["prepared", "inProgress"] }, startOpTime: { $exists: true } };
    const session = await this.#ask(
      "look for open transactions",
      () => sessions.findOne(filter, { sort: { "startOpTime.ts": 1 }, readPreference }),
    );
    // The sessions tell of now, which is later: whatever ended in between was open as well.
    const begun = await this.#endedSince(at);
    if (session !== null) begun.push(positionOf(session["startOpTime"]));
    return begun.filter((first) => compareTimestamps(first, at) <= 0).sort(compareTimestamps)[0] ?? null;
  }

  async rollbacks(): Promise<number | null> {
    // Everything else that it would gather is of no use here.
    const unused = [
      "asserts",
      "connections",
      "locks",
      "metrics",
      "network",
      "opLatencies",
      "storageEngine",
      "tcmalloc",
      "wiredTiger",
    ];
    const command = {
      serverStatus: 1,
      repl: 1,
      ...Object.fromEntries(unused.map((section) => [section, 0])),
    };
    try {
      return (await this.#client.db("admin").command(command))["repl"]?.rbid ?? null;
    } catch (cause) {
      if (isUnauthorized(cause)) return null;
      throw driverError(`ask ${this.host} how often it rolled back`, cause, "oplogUnavailable");
    }
  }

  async *readBatches(from: Timestamp, to: Timestamp, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const filter = { ts: { $gte: new BsonTimestamp(from), $lte: new BsonTimestamp(to) } };
    try {
      yield* rawBatches(this.#client.db("local"), {
        find: "oplog.rs",
        filter,
        batchSize: 0,
        noCursorTimeout: true,
      }, signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw driverError(
        `read the oplog of ${this.host} from ${describeTimestamp(from)} to ${describeTimestamp(to)}`,
        cause,
        "oplogUnavailable",
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeClient(this.#client);
  }

  /** First entries of the transactions that have entries on both sides of a timestamp, up to the newest entry. */
  async #endedSince(at: Timestamp): Promise<OplogPosition[]> {
    const filter = {
      ts: { $gt: new BsonTimestamp(at), $lte: new BsonTimestamp(await this.newest()) },
      op: "c",
      multiOpType: { $ne: vectoredInsert },
      "prevOpTime.ts": { $gt: new BsonTimestamp({ t: 0, i: 0 }), $lte: new BsonTimestamp(at) },
    };
    const crossing = await this.#ask(
      `look for transactions that were open at ${describeTimestamp(at)}`,
      (entries) => entries.find(filter, { projection: { prevOpTime: 1 }, readPreference }).toArray(),
    );
    return await Promise.all(crossing.map(({ prevOpTime }) => this.#firstOf(prevOpTime)));
  }

  /** Goes from one of a transaction's entries back to its first one, or to where the oplog ends. */
  async #firstOf(optime: Document): Promise<OplogPosition> {
    for (let previous = optime;;) {
      const at: BsonTimestamp = previous["ts"];
      const filter = { ts: { $gte: at, $lte: at } };
      const entry = await this.#ask(
        "look for the beginning of a transaction",
        (entries) => entries.findOne(filter, { projection: { prevOpTime: 1 }, readPreference }),
      );
      const before: Document | null | undefined = entry?.["prevOpTime"];
      if (!before) return positionOf(previous);
      const earlier = positionOf(before);
      if (earlier.t === 0 && earlier.i === 0) return positionOf(previous);
      // A chain that doesn't lead back would lead nowhere, for ever.
      if (compareTimestamps(earlier, positionOf(previous)) >= 0) {
        throw unknownReply("look for the beginning of a transaction");
      }
      previous = before;
    }
  }

  async #lastWrite(field: "opTime" | "majorityOpTime"): Promise<OplogPosition> {
    const hello = await this.#ask(
      "read the end of the oplog",
      () => this.#client.db("admin").command({ hello: 1 }),
    );
    const optime: Document | null | undefined = hello["lastWrite"]?.[field];
    if (!optime) {
      throw new PluginError(
        "oplogUnavailable",
        `Cannot read the end of the oplog: ${this.host} doesn't say where it is`,
        {
          hint: "The member may be starting or rolling back; run the job again.",
        },
      );
    }
    return positionOf(optime);
  }

  async #ask<T>(action: string, question: (entries: Collection) => Promise<T>): Promise<T> {
    try {
      return await question(this.#client.db("local").collection("oplog.rs"));
    } catch (cause) {
      throw driverError(`${action} of ${this.host}`, cause, "oplogUnavailable");
    }
  }
}

/** `{ts, t}` of an entry or an optime. A term that is missing is that of the old election protocol. */
function positionOf({ ts, t }: Document): OplogPosition {
  const term = Number(t ?? -1);
  if (!(ts instanceof BsonTimestamp) || !Number.isSafeInteger(term)) {
    throw unknownReply("read a position in the oplog");
  }
  return { ...timestampFromBits(ts.toBigInt()), term };
}
