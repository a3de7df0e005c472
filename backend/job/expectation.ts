/**
 * What should be there of one collection when a restore is over.
 *
 * @module
 */

import { readCollectionMetadata } from "../bson/collection_metadata.ts";
import { type BsonElement, elements, findElement } from "../bson/document.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import type { RestoredCollection } from "../ports.ts";
import { DocumentAccount } from "./document_account.ts";

/** Options that newer servers have dropped. */
const retiredOptions: ReadonlySet<string> = new Set(["autoIndexId", "recordIdsReplicated"]);

/** What a restore and its oplog say of a collection. */
export interface Expectation {
  readonly account: DocumentAccount;
  /** As {@linkcode formatOptions} has them; null where they can't be told. */
  options: string | null;
  /** What indexes it should have beside the one on `_id`. */
  indexes: readonly Uint8Array[];
  /** Those of a time series that the oplog made: it has them as they are on the buckets. */
  bucketIndexes: readonly Uint8Array[];
}

/** What the backup says. */
export function expectGiven({ kind, metadata }: RestoredCollection): Expectation {
  const { indexes, isCapped } = readCollectionMetadata(metadata);
  return expect(optionsIn(metadata), kind === "view" ? [] : indexes, isCapped);
}

/** What a command of the oplog says that makes a collection; its first element names it. */
export function expectMade([, ...options]: readonly BsonElement[]): Expectation {
  const isCapped = options.some(({ key, value }) => key === "capped" && value[0] === 1);
  return expect(formatOptions(options), [], isCapped);
}

function expect(options: string, indexes: readonly Uint8Array[], isCapped: boolean): Expectation {
  return { account: new DocumentAccount(isCapped), options, indexes, bucketIndexes: [] };
}

/** The options in a collection's metadata as one text to compare. */
export function optionsIn(metadata: string): string {
  const options = findElement(parseExtendedJson(metadata), "options");
  return options === undefined ? "" : formatOptions([...elements(options.value)]);
}

function formatOptions(options: readonly BsonElement[]): string {
  return options.filter(({ key }) => !retiredOptions.has(key))
    .map(({ key, type, value }) => `${key}:${type}:${value.toHex()}`).sort().join();
}
