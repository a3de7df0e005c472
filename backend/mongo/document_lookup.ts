/**
 * Looks documents up by their ids, raw.
 *
 * @module
 */

import type { MongoClient } from "mongodb";
import { bsonType } from "../bson/document.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { Secret } from "../secret.ts";
import { closeClient } from "./client.ts";
import { driverError } from "./driver_error.ts";
import { rawBatches, rawDocuments } from "./raw_cursor.ts";
import { RawValue } from "./raw_value.ts";
import { openForWriting } from "./topology.ts";

/** A connection of its own to the server that is written to. */
export class DocumentLookup implements AsyncDisposable {
  readonly #client: MongoClient;

  private constructor(client: MongoClient) {
    this.#client = client;
  }

  static async open(uri: Secret): Promise<DocumentLookup> {
    return new DocumentLookup((await openForWriting(uri)).client);
  }

  /** Raw BSON arrays of the documents whose `_id` is one of those in a raw array. */
  async *find(data: Namespace, ids: Uint8Array): AsyncGenerator<Uint8Array> {
    const filter = { _id: { $in: new RawValue("$in", bsonType.array, ids) } };
    try {
      yield* rawBatches(this.#client.db(data.database), { find: data.collection, filter });
    } catch (cause) {
      throw driverError(`look up documents of ${formatNamespace(data)}`, cause);
    }
  }

  /** Raw definitions of a collection's indexes, also of buckets. */
  async listIndexes(data: Namespace): Promise<Uint8Array[]> {
    try {
      return await rawDocuments(this.#client.db(data.database), { listIndexes: data.collection, cursor: {} });
    } catch (cause) {
      throw driverError(`list the indexes of ${formatNamespace(data)}`, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeClient(this.#client);
  }
}
