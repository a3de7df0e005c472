/**
 * What the driver throws, as a failure that an operator understands.
 *
 * @module
 */

import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { type ErrorCode, PluginError } from "../errors.ts";
import { maskUri } from "../options/credentials.ts";

const authenticationCodes: ReadonlySet<unknown> = new Set([11, 13, 18, 8000]);

/** A primary that steps down, and operations that are ended with it or by somebody else. */
const stateCodes: ReadonlySet<unknown> = new Set([
  91,
  189,
  10058,
  10107,
  11600,
  11601,
  11602,
  13435,
  13436,
]);

/**
 * A failure of the driver or the server while `action` was done.
 *
 * @param action what was being done, as in `read app.orders`
 * @param code for failures that are not of a privilege; a lost connection is one of its own only where none is given
 */
export function driverError(action: string, cause: unknown, code: ErrorCode = "serverCommand"): PluginError {
  if (cause instanceof PluginError) return cause;
  // Code that takes a reply apart finds something else than what every MongoDB says. On the way to a server, it is certificates and settings.
  if (code !== "connect" && (cause instanceof TypeError || cause instanceof RangeError)) {
    return unknownReply(action, cause);
  }
  const message = `Cannot ${action}: ${reasonOf(cause)}`;
  if (cause instanceof MongoServerError && authenticationCodes.has(cause.code)) {
    return new PluginError("authentication", message, {
      hint:
        "Check user, password and authSource of the connection string, and the user's roles: a backup needs the role backup, " +
        "a restore the roles restore and readWriteAnyDatabase, or the smaller ones that packaging/roles/ makes.",
      cause,
    });
  }
  const isLost = cause instanceof MongoServerSelectionError || cause instanceof MongoNetworkError;
  const settled = isLost && code === "serverCommand" ? "connect" : code;
  return new PluginError(settled, message, { hint: hintFor(settled), cause });
}

/** The failure for a reply that has another form than MongoDB's own. */
export function unknownReply(action: string, cause?: unknown): PluginError {
  return new PluginError(
    "serverReply",
    `Cannot ${action}: the server's reply hasn't the form that MongoDB's have`,
    {
      hint:
        "Check that the connection string leads to a MongoDB server itself and to nothing that answers in its place, and that its version is a supported one.",
      cause,
    },
  );
}

/** What the driver or the server says, without secrets. A server that refuses a command repeats it, documents and all: what it takes is said in their place. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return maskUri(
    text.replace(refusedCommand, describeRefusal).replace(
      refusedListing,
      "$&, which takes listDatabases on the cluster",
    ),
  );
}

/** Database, command and, where it is of a collection, the collection's name, as a server quotes a command that a user may not run. */
const refusedCommand =
  /not authorized on (\S+) to execute command \{ ?"?(\w+)"?: (?:"((?:[^"\\]|\\.)*)")?.*/s;

/** What a server says instead where it would list some of its databases, but not all. */
const refusedListing = "Insufficient permissions to list all databases";

/** The actions that commands take which aren't called as they are; all others are. */
const actionsOf: ReadonlyMap<string, string> = new Map([
  ["count", "find"],
  ["aggregate", "find"],
  ["getMore", "find"],
  ["insert", "insert and bypassDocumentValidation"],
  ["delete", "remove"],
  ["create", "createCollection or insert (and convertToCapped, for a capped collection)"],
  ["drop", "dropCollection"],
  ["createIndexes", "createIndex"],
  ["dropIndexes", "dropIndex"],
  ["renameCollection", "renameCollectionSameDB"],
]);

/** Commands that are of no database, whatever database they are sent to. */
const ofCluster: ReadonlySet<string> = new Set([
  "listDatabases",
  "applyOps",
  "replSetGetStatus",
  "serverStatus",
]);

function describeRefusal(_text: string, database: string, command: string, collection?: string): string {
  const resource = ofCluster.has(command)
    ? "the cluster"
    : collection === undefined
    ? `the database ${database}`
    : `${database}.${collection}`;
  return `not authorized on ${database} to execute ${command}, which takes ${
    actionsOf.get(command) ?? command
  } on ${resource}`;
}

/** Whether a server's failure is of its own state or of privileges, not of what it was given. */
export function isOfServer({ code }: MongoServerError): boolean {
  return authenticationCodes.has(code) || stateCodes.has(code);
}

function hintFor(code: ErrorCode): string {
  if (code === "connect") {
    return "Check that the server runs, that this machine reaches its address, and TLS settings on both sides.";
  }
  if (code === "incompleteRead") {
    return "Run the job again; if it fails again, see the log of the source member for the reason.";
  }
  if (code === "restoreWrite") {
    return "See the server's log. Restore again with drop=yes once the reason is gone.";
  }
  return "See the server's log for the reason.";
}

/** Whether the server says that the user may not. It quotes the whole command then, with all data in it. */
export function isUnauthorized(cause: unknown): boolean {
  return cause instanceof MongoServerError && cause.code === 13;
}

/** Whether the server says that there is no such thing to drop or list. */
export function isNamespaceNotFound(cause: unknown): boolean {
  return cause instanceof MongoServerError && cause.code === 26;
}

/** Whether a failure, or what caused it, is that a cursor's collection was dropped or renamed. */
export function isDrop(failure: unknown): boolean {
  for (let cause = failure; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof MongoServerError) return cause.code === 175;
  }
  return false;
}

/** Whether the server says that it was started without knowing what a majority has. */
export function isMajorityUnknown(cause: unknown): boolean {
  return cause instanceof MongoServerError && cause.code === 148;
}
