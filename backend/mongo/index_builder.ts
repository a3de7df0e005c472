/**
 * Builds indexes from their raw specifications.
 *
 * @module
 */

import { type Db, type Document, MongoServerError, MongoWriteConcernError } from "mongodb";
import { indexName } from "../bson/collection_metadata.ts";
import { bsonType, joinElements } from "../bson/document.ts";
import {
  buildableIndex,
  expiresNever,
  hasRetiredKey,
  missingFields,
  withLongestTime,
} from "../bson/index_specification.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { driverError, isOfServer, reasonOf } from "./driver_error.ts";
import { rawDocuments } from "./raw_cursor.ts";
import { RawValue } from "./raw_value.ts";

/** How a command is to be carried out, beside what is to be built. */
export interface BuildSettings {
  readonly writeConcern: Document;
  readonly commitQuorum?: string | number;
  /** Whether the server takes a time that is no number for never. */
  readonly takesNoTime: boolean;
}

/** What servers say of a field in a specification that they don't know. */
const unknownOption = 197;

/**
 * Builds a collection's indexes in one command, and looks that they are there. Where one of them can't be built, the others are, one by one.
 *
 * @param isCollated the collection has a collation of its own, which an index that names none would take
 * @returns what the operator should know of indexes that aren't to the letter what they were
 * @throws PluginError `restoreIndex` with every index that could not be built, `restoreWrite` when the server is lost
 */
export async function buildIndexes(
  db: Db,
  namespace: Namespace,
  indexes: readonly Uint8Array[],
  isCollated: boolean,
  { takesNoTime, ...settings }: BuildSettings,
): Promise<readonly string[]> {
  const name = formatNamespace(namespace);
  const specifications = indexes.map((index) => {
    const buildable = buildableIndex(index, isCollated);
    return takesNoTime ? buildable : withLongestTime(buildable);
  });
  const create = (some: readonly Uint8Array[]) => createIndexes(db, namespace, some, settings);
  const faults = new Map<string, string>();
  try {
    await create(specifications).catch(async (cause) => {
      if (!isOwnFault(cause)) throw cause;
      for (const one of specifications) {
        await create([one]).catch((cause) => {
          if (!isOwnFault(cause)) throw cause;
          faults.set(indexName(one), reasonOf(cause));
        });
      }
    });
    const listed = await rawDocuments(db, { listIndexes: namespace.collection, cursor: {} });
    const built = new Map(listed.map((index) => [indexName(index), index]));
    for (const index of specifications.map(indexName)) {
      if (!built.has(index) && !faults.has(index)) faults.set(index, "the server doesn't list it");
    }
    if (faults.size > 0) throw unbuilt(name, faults);
    return specifications.flatMap((wanted, at) =>
      differences(name, indexes[at]!, wanted, built.get(indexName(wanted))!)
    );
  } catch (cause) {
    throw driverError(`build the indexes of ${name}`, cause, "restoreWrite");
  }
}

/** Old servers took any field in a specification. One that this server doesn't know is left out, but only where it must be. */
async function createIndexes(
  db: Db,
  { collection }: Namespace,
  specifications: readonly Uint8Array[],
  settings: Omit<BuildSettings, "takesNoTime">,
): Promise<void> {
  const value = joinElements(
    specifications.map((value, at) => ({ key: String(at), type: bsonType.document, value })),
  );
  const command = {
    createIndexes: collection,
    indexes: new RawValue("indexes", bsonType.array, value),
    ...settings,
  };
  try {
    await db.command(command);
  } catch (cause) {
    if (!(cause instanceof MongoServerError) || cause.code !== unknownOption) throw cause;
    await db.command({ ...command, ignoreUnknownIndexOptions: true });
  }
}

/** Whether the index or the documents are the reason, so that others can still be built. */
function isOwnFault(cause: unknown): boolean {
  return cause instanceof MongoServerError && !(cause instanceof MongoWriteConcernError) &&
    !isOfServer(cause);
}

/** What servers add by themselves, or leave out since it means nothing, is no difference. */
const meaningless: ReadonlySet<string> = new Set(["background", "dropDups"]);

function differences(
  collection: string,
  index: Uint8Array,
  wanted: Uint8Array,
  built: Uint8Array,
): string[] {
  const name = `index "${indexName(index)}" of ${collection}`;
  const lost = missingFields(wanted, built).filter((field) =>
    !meaningless.has(field) && field !== "collation"
  );
  return [
    ...lost.length > 0
      ? [`The ${name} was built without what this server doesn't know: ${lost.join(", ")}`]
      : [],
    ...hasRetiredKey(index)
      ? [
        `The ${name} was built with 1 as the direction of keys that only old servers could have: it means the same`,
      ]
      : [],
    ...expiresNever(index) && !expiresNever(wanted)
      ? [
        `The ${name} was built with the longest time, 68 years, in the place of one that is no number (NaN): it means the same, and some servers would expire everything at once`,
      ]
      : [],
  ];
}

function unbuilt(collection: string, faults: ReadonlyMap<string, string>): PluginError {
  const reasons = [...faults].map(([index, reason]) => `index "${index}": ${reason}`).join("; ");
  return new PluginError("restoreIndex", `Cannot build the indexes of ${collection}: ${reasons}`, {
    hint:
      "The documents are there. Remove the reason and build the index by hand, or restore again with drop=yes.",
  });
}
