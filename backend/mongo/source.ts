/**
 * A server as the source of a backup.
 *
 * @module
 */

import { type Db, type Document, ReadPreference, Timestamp } from "mongodb";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { Collection, Deployment, KeyRange, Oplog, Source, UserCollections } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { listCollections, listDatabases } from "./catalog.ts";
import { closeClient } from "./client.ts";
import { driverError, isDrop, isMajorityUnknown } from "./driver_error.ts";
import { isMemberLoss, isReadable } from "./member_loss.ts";
import { MemberOplog } from "./oplog.ts";
import { rawBatches } from "./raw_cursor.ts";
import { readLag } from "./replication_lag.ts";
import type { SourceOptions } from "./source_rules.ts";
import { rangeArguments, splitRanges } from "./splitter.ts";
import { type Connection, openForReading, openForReadingAt } from "./topology.ts";
import { listUserCollections } from "./users.ts";

/** Picks a member, as the options and the connection string say, and opens it for reading. */
export async function openSource(uri: Secret, options?: SourceOptions): Promise<Source> {
  return new MongoSource(await openForReading(uri, options), uri);
}

const readPreference = ReadPreference.SECONDARY_PREFERRED;

class MongoSource implements Source {
  readonly deployment: Deployment;
  readonly warnings: readonly string[];
  readonly oplog: MemberOplog | null;
  readonly longestOplogSeconds: number | null;
  readonly #client: Connection["client"];
  readonly #uri: Secret;
  readonly #delaySeconds: number;
  #readsCommitted: boolean;

  constructor({ client, deployment, delaySeconds, longestOplogSeconds, warnings }: Connection, uri: Secret) {
    this.#delaySeconds = delaySeconds;
    this.longestOplogSeconds = longestOplogSeconds;
    this.#readsCommitted = deployment.kind === "replicaSet";
    this.#uri = uri;
    this.oplog = deployment.kind === "standalone" ? null : new MemberOplog(client, deployment.source);
    this.deployment = deployment;
    this.warnings = warnings;
    this.#client = client;
  }

  listDatabases(): Promise<string[]> {
    return listDatabases(this.#client);
  }

  listCollections(database: string): Promise<Collection[]> {
    return listCollections(this.#client.db(database));
  }

  listUserCollections(): Promise<UserCollections> {
    return listUserCollections(this.#client);
  }

  async splitRanges(collection: Collection, parts: number): Promise<KeyRange[]> {
    try {
      return await splitRanges(this.#client.db(collection.namespace.database), collection, parts);
    } catch (cause) {
      throw driverError(`find ranges of ${formatNamespace(collection.namespace)}`, cause);
    }
  }

  async *readBatches(
    namespace: Namespace,
    signal: AbortSignal,
    range?: KeyRange,
  ): AsyncGenerator<Uint8Array> {
    const db = this.#client.db(namespace.database);
    try {
      for (const part of range === undefined ? [{}] : rangeArguments(range)) {
        const command = { find: namespace.collection, ...part, batchSize: 0, noCursorTimeout: true };
        yield* this.#readCommitted(db, command, signal);
      }
    } catch (cause) {
      signal.throwIfAborted();
      throw driverError(`read ${formatNamespace(namespace)} to its end`, cause, "incompleteRead");
    }
  }

  async countDocuments(namespace: Namespace, exact: boolean): Promise<number> {
    const db = this.#client.db(namespace.database);
    try {
      if (!exact) return Number((await db.command({ count: namespace.collection }, { readPreference }))["n"]);
      const pipeline = [{ $group: { _id: null, n: { $sum: 1 } } }];
      const reply = await db.command({ aggregate: namespace.collection, pipeline, cursor: {} }, {
        readPreference,
      });
      return Number(reply["cursor"].firstBatch[0]?.n ?? 0);
    } catch (cause) {
      throw driverError(`count the documents of ${formatNamespace(namespace)}`, cause);
    }
  }

  async databaseSize(database: string): Promise<number> {
    const stats = await this.#client.db(database).command({ dbStats: 1 }, { readPreference }).catch(() =>
      null
    );
    return Number(stats?.["dataSize"] ?? 0);
  }

  async lagSeconds(): Promise<number | null> {
    const { kind, source } = this.deployment;
    if (kind === "standalone") return 0;
    const lag = await readLag(this.#client, source);
    return lag === null ? null : Math.max(0, lag - this.#delaySeconds);
  }

  async *otherOplogs(): AsyncGenerator<Oplog> {
    const { members, source } = this.deployment;
    for (const { host, score } of members) {
      if (host === source || score === null) continue;
      // One that can't be reached has nothing to offer.
      const client = await openForReadingAt(this.#uri, host).catch(() => null);
      if (client !== null) yield new MemberOplog(client, host);
    }
  }

  get readsCommitted(): boolean {
    return this.#readsCommitted;
  }

  isLoss(cause: unknown): boolean {
    return isMemberLoss(cause);
  }

  isDrop(cause: unknown): boolean {
    return isDrop(cause);
  }

  isReadable(): Promise<boolean> {
    return isReadable(this.#client, this.deployment.setName);
  }

  /** A member that was restarted may have forgotten some of what it knew that a majority has: nothing is read before it knows that again. */
  #notBefore(): Document {
    const committed = this.oplog?.lastCommitted ?? null;
    return committed === null ? {} : { afterClusterTime: new Timestamp({ t: committed.t, i: committed.i }) };
  }

  /** A member of 4.4 may have been told not to know what a majority has. */
  async *#readCommitted(db: Db, command: Document, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#readsCommitted) {
      let hasBegun = false;
      try {
        const readConcern = { level: "majority", ...this.#notBefore() };
        for await (const batch of rawBatches(db, { ...command, readConcern }, signal)) {
          hasBegun = true;
          yield batch;
        }
        return;
      } catch (cause) {
        if (hasBegun || !isMajorityUnknown(cause)) throw cause;
        this.#readsCommitted = false;
      }
    }
    yield* rawBatches(db, command, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeClient(this.#client);
  }
}
