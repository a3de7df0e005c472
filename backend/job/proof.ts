/**
 * Holds a server against what a restore gave it: the proof that a backup can be restored.
 *
 * @module
 */

import { DocumentSum } from "../../wasm/document_sum.ts";
import { indexName, readCollectionMetadata } from "../bson/collection_metadata.ts";
import { elements, findElement } from "../bson/document.ts";
import { parseExtendedJson } from "../bson/extended_json_parser.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { Collection, Source } from "../ports.ts";
import type { Witness } from "./witness.ts";

/** What was found of one collection. */
export interface ProvenCollection {
  readonly namespace: string;
  readonly documents: number;
  /**
   * What the documents were held against: `digest` of those in the backup; `validation` alone where the oplog changed the collection, since then the
   * backup holds no copy of its documents; `none` for a view.
   */
  readonly proof: "digest" | "validation" | "none";
  readonly indexes: number;
  /** What isn't as it should be, one sentence each. */
  readonly findings: readonly string[];
}

/** Options that newer servers have dropped. */
const retiredOptions: ReadonlySet<string> = new Set(["autoIndexId", "recordIdsReplicated"]);

/** Reads everything back. A row for each collection that is there or should be, sorted. */
export async function proveRestore(
  source: Source,
  witness: Witness,
  validate: (namespace: Namespace) => Promise<string[]>,
  signal: AbortSignal,
): Promise<ProvenCollection[]> {
  const rows: ProvenCollection[] = [];
  for (const database of await source.listDatabases()) {
    for (const collection of await source.listCollections(database)) {
      rows.push(await proveCollection(source, witness, collection, validate, signal));
    }
  }
  const there = new Set(rows.map(({ namespace }) => namespace));
  for (const [namespace, { collection }] of witness.given) {
    if (there.has(namespace) || witness.isTouched(collection)) continue;
    rows.push({ namespace, documents: 0, proof: "none", indexes: 0, findings: ["it isn't there"] });
  }
  return rows.sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

async function proveCollection(
  source: Source,
  witness: Witness,
  collection: Collection,
  validate: (namespace: Namespace) => Promise<string[]>,
  signal: AbortSignal,
): Promise<ProvenCollection> {
  const { data, metadata } = collection;
  const namespace = formatNamespace(collection.namespace);
  const given = witness.given.get(namespace);
  const isTouched = witness.isTouched(collection);
  const findings: string[] = [];
  if (given === undefined && !isTouched) findings.push("it is in no backup, and yet it is there");
  if (given !== undefined && !isTouched && optionsOf(given.collection.metadata) !== optionsOf(metadata)) {
    findings.push("its options aren't those of the backup");
  }
  if (data === null) return { namespace, documents: 0, proof: "none", indexes: 0, findings };

  using sum = new DocumentSum();
  for await (const batch of source.readBatches(data, signal)) sum.addBatch(batch);
  const { documents } = sum;
  const counted = await source.countDocuments(data, false);
  if (counted !== documents) {
    findings.push(`the server counts ${counted} documents, and hands out ${documents}`);
  }
  if (given !== undefined && !isTouched) {
    if (given.sum.documents !== documents) {
      findings.push(`the backup has ${given.sum.documents} documents, the server ${documents}`);
    } else if (given.sum.digest() !== sum.digest()) {
      findings.push("its documents aren't those of the backup");
    }
  }
  const found = namesOf(metadata);
  const wanted = isTouched || given === undefined
    ? witness.built.get(namespace) ?? new Set<string>()
    : namesOf(given.collection.metadata);
  for (const name of wanted.difference(found)) findings.push(`its index ${name} isn't there`);
  for (const name of found.difference(wanted)) findings.push(`its index ${name} is in no backup`);
  findings.push(...await validate(data));
  return { namespace, documents, proof: isTouched ? "validation" : "digest", indexes: found.size, findings };
}

function namesOf(metadata: string): Set<string> {
  return new Set(readCollectionMetadata(metadata).indexes.map(indexName));
}

/** A collection's options as one text to compare. */
function optionsOf(metadata: string): string {
  const options = findElement(parseExtendedJson(metadata), "options");
  if (options === undefined) return "";
  return [...elements(options.value)].filter(({ key }) => !retiredOptions.has(key))
    .map(({ key, type, value }) => `${key}:${type}:${value.toHex()}`).sort().join();
}
