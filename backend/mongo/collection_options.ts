/**
 * A collection's options on their way into a server.
 *
 * @module
 */

import { type Db, type Document, MongoServerError } from "mongodb";
import { type BsonElement, bsonType, elements, findElement, joinElements } from "../bson/document.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace } from "../namespace.ts";
import type { RestoredCollection } from "../ports.ts";
import { driverError, isNamespaceNotFound, isOfServer, reasonOf } from "./driver_error.ts";
import { RawValue } from "./raw_value.ts";

/** Options that say nothing any more, and that servers refuse: how old ones kept records, and that a collection was to go at a restart. */
const retiredOptions: ReadonlySet<string> = new Set(["autoIndexId", "flags", "recordIdsReplicated", "temp"]);

/** Begins the name of the collections that options are tried on. */
const trialPrefix = "podheitor_mongodb_trial_";

/** The command that makes a collection with its options, under a given name. */
export function createCommand(name: string, { metadata }: Pick<RestoredCollection, "metadata">): Document {
  const command: Document = { create: name };
  for (const { key, type, value } of optionsOf(metadata)) command[key] = new RawValue(key, type, value);
  return command;
}

/**
 * Tries each collection's options on an empty collection of another name, which is dropped again: so a server that doesn't know one of them says so before
 * anything in it is touched.
 *
 * @throws PluginError `restoreTarget` with the collection and the option
 */
export async function tryOptions(
  databaseOf: (collection: RestoredCollection) => Db,
  collections: readonly RestoredCollection[],
): Promise<void> {
  const tried = new Set<string>();
  for (const collection of collections) {
    const options = optionsOf(collection.metadata);
    // What belongs to an encrypted collection has names after its own, which a server insists on.
    if (options.length === 0 || options.some(({ key }) => key === "encryptedFields")) continue;
    const known = `${collection.namespace.database}\0${joinElements(options).toHex()}`;
    if (tried.has(known)) continue;
    tried.add(known);
    await tryOne(databaseOf(collection), collection, options);
  }
}

async function tryOne(
  db: Db,
  collection: RestoredCollection,
  options: readonly BsonElement[],
): Promise<void> {
  const trial = `${trialPrefix}${crypto.randomUUID().slice(0, 8)}`;
  const action = `restore ${formatNamespace(collection.namespace)}`;
  try {
    await db.command({ ...createCommand(trial, collection), writeConcern: { w: 1 } });
  } catch (cause) {
    if (!(cause instanceof MongoServerError) || isOfServer(cause)) {
      throw driverError(action, cause, "restoreTarget");
    }
    throw refusedOption(action, options, cause);
  }
  try {
    await db.command({ drop: trial, writeConcern: { w: 1 } });
  } catch (cause) {
    if (!isNamespaceNotFound(cause)) {
      throw driverError(`drop ${db.databaseName}.${trial}`, cause, "restoreTarget");
    }
  }
}

/** The failure for an option that a server doesn't take. Servers name it in their reason, or a part of it that they don't like. */
function refusedOption(action: string, options: readonly BsonElement[], cause: unknown): PluginError {
  const reason = reasonOf(cause);
  const words = new Set(reason.match(/[$\w]+/g));
  const byName = options.filter(({ key }) => words.has(key));
  const byPart = options.filter(({ value, type }) => keysWithin(value, type).some((key) => words.has(key)));
  const named = [byName, byPart, options].find((some) => some.length > 0) ?? [];
  const shown = named.map(({ key }) => `"${key}"`).join(", ");
  return new PluginError(
    "restoreTarget",
    `Cannot ${action}: the server refuses its option ${shown}: ${reason}`,
    {
      hint:
        "Restore into a server of the backup's version, or leave the collection out with exclude=. Nothing was changed.",
      cause,
    },
  );
}

function keysWithin(value: Uint8Array, type: number): string[] {
  if (type !== bsonType.document && type !== bsonType.array) return [];
  return [...elements(value)].flatMap((field) => [field.key, ...keysWithin(field.value, field.type)]);
}

function optionsOf(metadata: string): BsonElement[] {
  const options = findElement(parseExtendedJson(metadata), "options")?.value ?? joinElements([]);
  return [...elements(options)].filter(({ key }) => !retiredOptions.has(key));
}
