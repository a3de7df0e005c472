/**
 * Cuts a collection into ranges of `_id` that several cursors read side by side.
 *
 * A range is bounds of the `_id` index (`min` and `max`), never a filter: `$gte` and `$lt` compare within one BSON type only, and whatever is of
 * another type than its bounds would be in no range at all.
 *
 * @module
 */

import { type Db, type Document, MaxKey, MongoServerError, ReadPreference } from "mongodb";
import { readCollectionMetadata } from "../bson/collection_metadata.ts";
import { bsonType, findElement, joinElements } from "../bson/document.ts";
import type { Collection, KeyRange } from "../ports.ts";
import { rawDocuments } from "./raw_cursor.ts";
import { RawValue } from "./raw_value.ts";

/** Keys that are looked at for each range: so many that its share is about right, so few that it takes no time. */
const samplesPerRange = 20;
const samplesMax = 2_000;

/**
 * From so many documents on, the sample is below a twentieth of them: only then does a server choose at random, where it would else read the
 * whole collection. Fewer have an index that is small enough to be read.
 */
const sampledFromDocuments = 50_000;

/** A sample of a collection that is full of deleted keys may never come together: a natural scan is better than a long search for something better. */
const maxTimeMS = 10_000;

const readPreference = ReadPreference.SECONDARY_PREFERRED;
const everything: KeyRange = { min: null, max: null };

/**
 * At most `parts` ranges, in their order, that together are every `_id` that there can be. One range without bounds where the collection can only be read as
 * a whole, or isn't worth more.
 */
export async function splitRanges(db: Db, collection: Collection, parts: number): Promise<KeyRange[]> {
  const { kind, data, metadata } = collection;
  const { isCapped } = readCollectionMetadata(metadata);
  // The order of a capped collection's documents is part of what it is; the server's own collections are read as they lie.
  const isWhole = kind !== "collection" || data === null || isCapped || data.collection.startsWith("system.");
  if (isWhole || parts < 2) return [everything];
  try {
    const bounds = await findBounds(db, collection, data.collection, parts);
    const ranges = [null, ...bounds].map((min, at): KeyRange => ({ min, max: bounds[at] ?? null }));
    // The server refuses a range whose bounds aren't in the order of its index: so there is neither gap nor overlap.
    await Promise.all(ranges.map((range) => probe(db, data.collection, range)));
    return ranges;
  } catch (cause) {
    // A natural scan needs nothing of what the server didn't do.
    if (cause instanceof MongoServerError) return [everything];
    throw cause;
  }
}

/**
 * The arguments of `find` that read a range, one cursor after the other. A server never includes the end of index bounds: without `max` it stops
 * before MaxKey, and a document of that very `_id` would be in no range. So it is asked for by itself.
 */
export function rangeArguments({ min, max }: KeyRange): Document[] {
  const hint = { _id: 1 };
  const from = min === null ? {} : { min: new RawValue("min", bsonType.document, min) };
  if (max !== null) return [{ hint, ...from, max: new RawValue("max", bsonType.document, max) }];
  if (min === null) return [{}];
  return [{ hint, ...from, max: { _id: new MaxKey() } }, { filter: { _id: new MaxKey() } }];
}

/** Where the second range and those behind it begin, each as a document with nothing but an `_id`. */
async function findBounds(
  db: Db,
  collection: Collection,
  name: string,
  parts: number,
): Promise<Uint8Array[]> {
  const { n } = await db.command({ count: name, maxTimeMS }, { readPreference });
  const choice = Number(n) >= sampledFromDocuments
    ? [{ $sample: { size: Math.min(samplesPerRange * parts, samplesMax) } }]
    : isCovered(collection)
    ? [{ $sort: { _id: 1 } }]
    : null;
  if (choice === null) return [];
  const pipeline = [...choice, { $project: { _id: 1 } }, {
    $bucketAuto: { groupBy: "$_id", buckets: parts },
  }];
  const hint = choice.some((stage) => "$sort" in stage) ? { hint: { _id: 1 } } : {};
  const buckets = await rawDocuments(db, { aggregate: name, pipeline, cursor: {}, maxTimeMS, ...hint });
  return buckets.slice(1).flatMap((bucket) => {
    const first = findElement(findElement(bucket, "_id")!.value, "min")!;
    // Nothing lies between MaxKey and the end.
    return first.type === bsonType.maxKey ? [] : [joinElements([{ ...first, key: "_id" }])];
  });
}

/** Whether the `_id` index alone has every `_id`: one with a collation has only what it compares by, a clustered collection has no such index. */
function isCovered({ metadata }: Collection): boolean {
  return !readCollectionMetadata(metadata).isCollated && !isClustered(metadata);
}

function isClustered(metadata: string): boolean {
  return /"clustered":true/.test(metadata);
}

async function probe(db: Db, name: string, range: KeyRange): Promise<void> {
  for (const part of rangeArguments(range)) {
    const command = { find: name, ...part, projection: { _id: 1 }, limit: 1, singleBatch: true, maxTimeMS };
    await db.command(command, { raw: true, readPreference });
  }
}
