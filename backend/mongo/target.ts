/**
 * A server as the target of a restore.
 *
 * @module
 */

import { type Db, type Document, MongoServerError } from "mongodb";
import { DocumentSequence } from "mongodb/lib/cmap/commands.js";
import { readCollectionMetadata } from "../bson/collection_metadata.ts";
import { bsonType, countDocuments, findElement, joinElements } from "../bson/document.ts";
import { documentsWithZeroTimestamp } from "../bson/zero_timestamp.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { WriteConcern } from "../options/row.ts";
import { forEachAtOnce } from "../parallel.ts";
import type { OplogTarget, RestoredCollection, Target, UsersTarget } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { closeClient } from "./client.ts";
import { createCommand, tryOptions } from "./collection_options.ts";
import type { ToolEnvironment } from "./database_tool.ts";
import { driverError, isNamespaceNotFound } from "./driver_error.ts";
import { keepsEmptyTimestamps } from "./empty_timestamp.ts";
import { Mongorestore } from "./mongorestore.ts";
import { OplogApplier } from "./oplog_applier.ts";
import { type Connection, openForWriting } from "./topology.ts";
import { MongoUsers } from "./users.ts";
import { WriteAcknowledgement } from "./write_acknowledgement.ts";

/**
 * Finds the primary and opens it for writing.
 *
 * @param tool where mongorestore is, for a target whose documents it is to insert
 */
export async function openTarget(
  uri: Secret,
  writeConcern: WriteConcern = "majority",
  tool: ToolEnvironment | null = null,
): Promise<Target> {
  const connection = await openForWriting(uri);
  try {
    const { source } = connection.deployment;
    const mongorestore = tool === null ? null : await Mongorestore.find(uri, source, tool);
    return new MongoTarget(connection, new WriteAcknowledgement(writeConcern), mongorestore);
  } catch (cause) {
    await closeClient(connection.client);
    throw cause;
  }
}

const namespaceExists = 48;
const looksAtOnce = 8;

/** A server lets nobody drop this one: it is emptied instead. */
const undroppable = "system.js";

class MongoTarget implements Target {
  readonly description: string;
  readonly oplog: OplogTarget;
  readonly users: UsersTarget;
  readonly #client: Connection["client"];
  readonly #acknowledgement: WriteAcknowledgement;
  readonly #applier: OplogApplier;
  readonly #keepsEmptyTimestamps: boolean;
  readonly #mongorestore: Mongorestore | null;

  constructor(
    { client, deployment }: Connection,
    acknowledgement: WriteAcknowledgement,
    mongorestore: Mongorestore | null,
  ) {
    const set = deployment.setName === null ? "standalone server" : `replica set ${deployment.setName}`;
    this.description = `${set} at ${deployment.source} (MongoDB ${deployment.serverVersion})`;
    this.#client = client;
    this.#mongorestore = mongorestore;
    this.#acknowledgement = acknowledgement;
    this.#applier = new OplogApplier(client, deployment, acknowledgement);
    this.#keepsEmptyTimestamps = keepsEmptyTimestamps(deployment.serverVersion);
    this.oplog = { kind: "server", replay: this.#applier };
    this.users = new MongoUsers(client);
  }

  async check(collections: readonly RestoredCollection[]): Promise<void> {
    const [first] = collections;
    if (first === undefined) return;
    await this.#acknowledgement.check(this.#db(first));
    await tryOptions((collection) => this.#db(collection), collections);
  }

  inOrder({ metadata }: RestoredCollection): boolean {
    return readCollectionMetadata(metadata).isCapped;
  }

  async findOccupied(collections: readonly RestoredCollection[]): Promise<Namespace[]> {
    const occupied = new Set<RestoredCollection>();
    await forEachAtOnce(collections, looksAtOnce, async (collection) => {
      if (await this.#isOccupied(collection)) occupied.add(collection);
    });
    return collections.filter((one) => occupied.has(one)).map(({ namespace }) => namespace);
  }

  async drop(collection: RestoredCollection): Promise<void> {
    const { collection: name } = collection.namespace;
    const db = this.#db(collection);
    const { writeConcern } = this.#acknowledgement;
    try {
      if (name === undroppable) await db.collection(name).deleteMany({}, { writeConcern });
      else await db.command({ drop: name, writeConcern });
    } catch (cause) {
      if (isNamespaceNotFound(cause)) return;
      throw driverError(`drop ${formatNamespace(collection.namespace)}`, cause, "restoreTarget");
    }
  }

  async create(collection: RestoredCollection): Promise<void> {
    const { collection: name } = collection.namespace;
    const command = { ...createCommand(name, collection), writeConcern: this.#acknowledgement.writeConcern };
    const create = () => this.#db(collection).command(command);
    this.#applier.noteWrites(collection.namespace.database);
    try {
      await create().catch(async (cause) => {
        if (!(cause instanceof MongoServerError) || cause.code !== namespaceExists) throw cause;
        // It was found empty before: it gives way, so that the restored one has the options of the backup.
        if (await this.#isOccupied(collection)) throw cause;
        if (name === undroppable) return;
        await this.drop(collection);
        await create();
      });
    } catch (cause) {
      throw driverError(`create ${formatNamespace(collection.namespace)}`, cause, "restoreTarget");
    }
  }

  async write(collection: RestoredCollection, documents: Uint8Array): Promise<void> {
    const namespace = collection.data ?? collection.namespace;
    const ordered = this.inOrder(collection);
    if (this.#mongorestore !== null && suitsMongorestore(collection, documents)) {
      const { concern: writeConcern } = this.#acknowledgement;
      return await this.#mongorestore.insert(namespace, documents, { ordered, writeConcern });
    }
    if (this.#keepsEmptyTimestamps) {
      const insert = { insert: namespace.collection, ordered, bypassEmptyTsReplacement: true };
      return await this.#send(namespace, insert, "documents", documents);
    }
    await this.#send(namespace, { insert: namespace.collection, ordered }, "documents", documents);
    const replacements = [...documentsWithZeroTimestamp(documents)].map(replacement);
    if (replacements.length > 0) {
      await this.#send(
        namespace,
        { update: namespace.collection, ordered },
        "updates",
        Buffer.concat(replacements),
      );
    }
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#mongorestore?.[Symbol.dispose]();
    await closeClient(this.#client);
  }

  /** Sends a write command whose documents or updates are raw, and refuses any but full success. */
  async #send(namespace: Namespace, command: Document, field: string, packed: Uint8Array): Promise<void> {
    const action = `write to ${formatNamespace(namespace)}`;
    const sequence = new DocumentSequence(field);
    sequence.push({}, Buffer.from(packed.buffer, packed.byteOffset, packed.length));
    let reply: Document;
    try {
      reply = await this.#client.db(namespace.database).command({
        ...command,
        [field]: sequence,
        bypassDocumentValidation: true,
        writeConcern: this.#acknowledgement.writeConcern,
      });
    } catch (cause) {
      throw driverError(action, cause, "restoreWrite");
    }
    const sent = countDocuments(packed);
    const fault = reply["writeErrors"]?.[0]?.errmsg ?? reply["writeConcernError"]?.errmsg ?? null;
    if (fault !== null || reply["n"] !== sent) {
      throw new PluginError(
        "restoreWrite",
        `Cannot ${action}: the server took ${reply["n"]} of ${sent} documents: ${
          fault ?? "it gave no reason"
        }`,
        {
          hint: "See the server's log. Restore again with drop=yes once the reason is gone.",
        },
      );
    }
  }

  /** Whether something is there that a restore would destroy: any view, or a collection with a document in it. */
  async #isOccupied(collection: RestoredCollection): Promise<boolean> {
    const { namespace } = collection;
    try {
      const db = this.#db(collection);
      const [entry] = await db.listCollections({ name: namespace.collection }, { nameOnly: false }).toArray();
      if (entry === undefined) return false;
      if (entry.type === "view") return true;
      return (await db.command({
        find: namespace.collection,
        limit: 1,
        singleBatch: true,
        projection: { _id: 1 },
      }))["cursor"].firstBatch.length > 0;
    } catch (cause) {
      throw driverError(`look at ${formatNamespace(namespace)}`, cause, "restoreTarget");
    }
  }

  #db({ namespace }: RestoredCollection): Db {
    return this.#client.db(namespace.database);
  }
}

/**
 * Whether mongorestore may insert documents: not the server's own and the buckets of time series, which it treats in ways of its own, nor an empty
 * timestamp, in whose place the server would put the time.
 */
function suitsMongorestore({ namespace, kind }: RestoredCollection, documents: Uint8Array): boolean {
  const isOrdinary = kind === "collection" && namespace.database !== "admin" &&
    !namespace.collection.startsWith("system.");
  return isOrdinary && documentsWithZeroTimestamp(documents).next().done === true;
}

/** The update that puts a document in the place of the one with its `_id`, byte for byte: a pipeline's literal is taken as it is. */
function replacement(document: Uint8Array): Uint8Array {
  const id = findElement(document, "_id");
  if (id === undefined) {
    throw new PluginError(
      "restoreWrite",
      "Cannot write a document that has an empty timestamp and no _id: the server would change it",
      {
        hint: "Restore to a directory and load that collection with mongorestore.",
      },
    );
  }
  const query = wrap("_id", bsonType.document, wrap("$eq", id.type, id.value));
  const stage = wrap("$replaceWith", bsonType.document, wrap("$literal", bsonType.document, document));
  return joinElements([
    { key: "q", type: bsonType.document, value: query },
    { key: "u", type: bsonType.array, value: wrap("0", bsonType.document, stage) },
  ]);
}

function wrap(key: string, type: number, value: Uint8Array): Uint8Array {
  return joinElements([{ key, type, value }]);
}
