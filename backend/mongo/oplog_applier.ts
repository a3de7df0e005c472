/**
 * A server as the target of an oplog's replay.
 *
 * @module
 */

import { type Db, type Document, type MongoClient, MongoServerError } from "mongodb";
import { bsonType, elements, findElement, joinElements, stringValue } from "../bson/document.ts";
import { formatExtendedJson } from "../bson/extended_json.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace, parseNamespace } from "../namespace.ts";
import { isGathering } from "../oplog/scope.ts";
import type { Deployment, ReplayTarget } from "../ports.ts";
import { driverError, isNamespaceNotFound, isUnauthorized } from "./driver_error.ts";
import { buildIndexes } from "./index_builder.ts";
import { RawValue } from "./raw_value.ts";
import type { WriteAcknowledgement } from "./write_acknowledgement.ts";

/** One member's word is enough on the way: {@linkcode OplogApplier.settle} waits for the others. */
const unsettled = { w: 1 } as const;

/** From this version on, capped collections take deletes, and an oplog says which documents were evicted. */
const cappedDeletesSince = 6;

/** From this version on, an oplog has updates as diffs. */
const diffsSince = 5;

/** Up to this version, applyOps makes a document of an update whose own isn't there, unless it is told not to. Newer ones don't, and can't be told. */
const upsertsUntil = 6;

const updateOperationFailed = 218;

/** What is shown of an operation that failed. */
const shownMaxLength = 200;

/** Applies to the server of a client. */
export class OplogApplier implements ReplayTarget {
  readonly deletesFromCapped: boolean;
  readonly updates: ReplayTarget["updates"];
  readonly #client: MongoClient;
  readonly #admin: Db;
  readonly #upserts: boolean;
  readonly #isSet: boolean;
  readonly #acknowledgement: WriteAcknowledgement;
  /** One that was written to. */
  #database: string | null = null;

  constructor(
    client: MongoClient,
    { serverVersion, setName }: Pick<Deployment, "serverVersion" | "setName">,
    acknowledgement: WriteAcknowledgement,
  ) {
    this.deletesFromCapped = Number.parseFloat(serverVersion) >= cappedDeletesSince;
    this.updates = Number.parseFloat(serverVersion) >= diffsSince ? "diffs" : "modifiers";
    this.#upserts = Number.parseFloat(serverVersion) <= upsertsUntil;
    this.#isSet = setName !== null;
    this.#acknowledgement = acknowledgement;
    this.#client = client;
    this.#admin = client.db("admin");
  }

  async applyOperations(operations: Uint8Array, lenient: boolean): Promise<void> {
    this.#database ??= databaseOf(operations);
    const outcome = await this.#applyOps(operations);
    if (outcome === null) return;
    const all = [...elements(operations)];
    // From the first one that failed on, each by itself: so the culprit shows itself, and nothing is applied out of its order. What the server did
    // behind it is done again, to the same end.
    const upto = Math.max(outcome.results.length, 1);
    const from = Math.max(outcome.results.indexOf(false), 0);
    for (const { value } of all.slice(from, upto)) await this.#applyOne(value, lenient);
    const rest = all.slice(upto).map((operation, at) => ({ ...operation, key: String(at) }));
    if (rest.length > 0) await this.applyOperations(joinElements(rest), lenient);
  }

  async runCommand(database: string, command: Uint8Array): Promise<void> {
    const fields = [...elements(command)].map((
      { key, type, value },
    ) => [key, new RawValue(key, type, value)]);
    this.#database ??= database;
    try {
      await this.#client.db(database).command({ ...Object.fromEntries(fields), writeConcern: unsettled });
    } catch (cause) {
      throw driverError(`run ${show(command)}`, cause, "replay");
    }
  }

  async dropCollection({ database, collection }: Namespace): Promise<void> {
    this.#database ??= database;
    try {
      await this.#client.db(database).command({ drop: collection, writeConcern: unsettled });
    } catch (cause) {
      if (!isNamespaceNotFound(cause)) throw driverError(`drop ${database}.${collection}`, cause, "replay");
    }
  }

  async renameCollection(from: Namespace, to: Namespace, dropTarget: boolean): Promise<void> {
    this.#database ??= to.database;
    const [renameCollection, target] = [formatNamespace(from), formatNamespace(to)];
    try {
      await this.#admin.command({ renameCollection, to: target, dropTarget, writeConcern: unsettled });
    } catch (cause) {
      throw driverError(`rename ${renameCollection} to ${target}`, cause, "replay");
    }
  }

  /** Says that something else has written to a database. */
  noteWrites(database: string): void {
    this.#database ??= database;
  }

  async settle(): Promise<boolean> {
    return this.#database === null || await this.#acknowledgement.settle(this.#client.db(this.#database));
  }

  buildIndexes(
    namespace: Namespace,
    indexes: readonly Uint8Array[],
    isCollated: boolean,
  ): Promise<readonly string[]> {
    this.#database ??= namespace.database;
    const { concern, writeConcern } = this.#acknowledgement;
    // The servers' own rule waits for every voting member, also for one that is down: for ever.
    const quorum = this.#isSet ? { commitQuorum: concern === 1 ? 1 : "majority" } as const : {};
    const db = this.#client.db(namespace.database);
    return buildIndexes(db, namespace, indexes, isCollated, {
      writeConcern,
      ...quorum,
      takesNoTime: this.updates === "modifiers",
    });
  }

  async #applyOne(operation: Uint8Array, lenient: boolean): Promise<void> {
    const single = joinElements([{ key: "0", type: bsonType.document, value: operation }]);
    // Only in a transaction is the reason of a failure told.
    const outcome = await this.#applyOps(single) === null ? null : await this.#applyOps(single, true);
    if (outcome === null || (lenient && isMissing(outcome.fault, operation))) return;
    const reason = isOfUsers(operation) ? outcome.fault.codeName : outcome.fault.message;
    throw new PluginError("replay", `Cannot apply ${show(operation)}: ${reason}`, {
      hint:
        "See the server's log. Restore again with drop=yes once the reason is gone, or to an instant before.",
      cause: outcome.fault,
    });
  }

  /** What failed, or null where all was applied. */
  async #applyOps(operations: Uint8Array, allowAtomic = false): Promise<Failure | null> {
    try {
      const reply: Document = await this.#admin.command({
        applyOps: new RawValue("applyOps", bsonType.array, operations),
        // One after another, as the source had them: in one transaction, a capped collection would evict otherwise than the source did.
        allowAtomic,
        ...this.#upserts ? { alwaysUpsert: false } : {},
        bypassDocumentValidation: true,
        writeConcern: unsettled,
      });
      const results: boolean[] = reply["results"] ?? [];
      if (!results.includes(false)) return null;
      return { fault: new MongoServerError({ message: "the server says that it was not applied" }), results };
    } catch (cause) {
      if (isUnauthorized(cause)) throw unauthorized(cause);
      if (!(cause instanceof MongoServerError) || cause.hasErrorLabel("RetryableWriteError")) {
        throw driverError("apply oplog entries", cause, "replay");
      }
      return { fault: cause, results: cause.errorResponse?.["results"] ?? [] };
    }
  }
}

/** What a server says of operations that it didn't apply. */
interface Failure {
  readonly fault: MongoServerError;
  /** Whether each was applied, up to the one at which it stopped. */
  readonly results: readonly boolean[];
}

function databaseOf(operations: Uint8Array): string | null {
  for (const { value } of elements(operations)) {
    const name = findElement(value, "ns");
    if (name !== undefined) return parseNamespace(stringValue(name.value)).database;
  }
  return null;
}

/** Whether an update or delete failed only since there is nothing to do it to. */
function isMissing(fault: MongoServerError, operation: Uint8Array): boolean {
  const op = findElement(operation, "op");
  return op !== undefined && stringValue(op.value) === "u" && fault.code === updateOperationFailed;
}

/** Without the server's own words, which have the operations in them. */
function unauthorized(cause: unknown): PluginError {
  return new PluginError(
    "authentication",
    "Cannot apply oplog entries: the user may not run applyOps, which takes applyOps on the cluster, and insert, update and remove on what the entries are of",
    {
      hint:
        "To replay an oplog, the user needs the roles restore and readWriteAnyDatabase, or the role of packaging/roles/restore.js; on MongoDB 5.0, a role with the privilege " +
        '{resource: {cluster: true}, actions: ["applyOps"]} as well.',
      cause,
    },
  );
}

/** Whether an operation is on gathered users or roles, whose records are nobody's to see. */
function isOfUsers(operation: Uint8Array): boolean {
  const name = findElement(operation, "ns");
  return name?.type === bsonType.string && isGathering(parseNamespace(stringValue(name.value)));
}

/** An operation as an operator can read it, cut short. */
function show(operation: Uint8Array): string {
  let text: string;
  if (isOfUsers(operation)) return "an operation on a user or a role";
  try {
    text = formatExtendedJson(operation);
  } catch {
    text = `an operation of ${operation.length} bytes`;
  }
  return text.length > shownMaxLength ? `${text.slice(0, shownMaxLength)}…` : text;
}
