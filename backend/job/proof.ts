/**
 * Holds a server against what a restore gave it: the proof that a backup can be restored.
 *
 * @module
 */

import { indexName, readCollectionMetadata } from "../bson/collection_metadata.ts";
import { compareIndexes } from "../bson/index_comparison.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { Collection, Source } from "../ports.ts";
import { type Expectation, optionsIn } from "./expectation.ts";
import type { Witness } from "./witness.ts";

/** What was found of one collection. */
export interface ProvenCollection {
  readonly namespace: string;
  readonly documents: number;
  /**
   * What the documents were held against: `digest`, those of the backup; `replay`, what the oplog's entries make of those; `validation` alone where that
   * can't be told; `none` for a view.
   */
  readonly proof: "digest" | "replay" | "validation" | "none";
  readonly indexes: number;
  /** What isn't as it should be, one sentence each. */
  readonly findings: readonly string[];
  /** What could not be compared, and why. */
  readonly unproven: readonly string[];
}

/** What only the server itself can tell. */
export interface RestoredServer {
  /** Problems that a full validation of a collection finds, one sentence each. */
  validate(data: Namespace): Promise<string[]>;
  /** Raw definitions of a collection's indexes, all of them. */
  listIndexes(data: Namespace): Promise<Uint8Array[]>;
}

const evicting = "it is capped, and what a server evicts when isn't all in the oplog";

/** Findings and gaps of one collection while they are gathered. */
interface Notes {
  readonly findings: string[];
  readonly unproven: string[];
}

/** Reads everything back. A row for each collection that is there or should be, sorted. */
export async function proveRestore(
  source: Source,
  witness: Witness,
  server: RestoredServer,
  signal: AbortSignal,
): Promise<ProvenCollection[]> {
  const rows: ProvenCollection[] = [];
  for (const database of await source.listDatabases()) {
    for (const collection of await source.listCollections(database)) {
      const expectation = witness.expected.get(formatNamespace(collection.namespace));
      rows.push(await proveCollection(source, expectation, collection, server, signal));
    }
  }
  const there = new Set(rows.map(({ namespace }) => namespace));
  for (const namespace of new Set(witness.expected.keys()).difference(there)) {
    const findings = ["it isn't there"];
    rows.push({ namespace, documents: 0, proof: "none", indexes: 0, findings, unproven: [] });
  }
  return rows.sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

async function proveCollection(
  source: Source,
  expectation: Expectation | undefined,
  { namespace, data, metadata }: Collection,
  server: RestoredServer,
  signal: AbortSignal,
): Promise<ProvenCollection> {
  const notes: Notes = { findings: [], unproven: [] };
  const row = { namespace: formatNamespace(namespace), ...notes };
  if (expectation === undefined) notes.findings.push("it is in no backup, and yet it is there");
  else compareOptions(expectation, metadata, notes);
  if (data === null) return { ...row, documents: 0, proof: "none", indexes: 0 };

  const { indexes } = readCollectionMetadata(metadata);
  if (expectation === undefined) return { ...row, documents: 0, proof: "none", indexes: indexes.length };
  const { account } = expectation;
  const wanted = account.documents;
  for await (const batch of source.readBatches(data, signal)) account.takeOut(batch);
  const documents = wanted - account.documents;
  const counted = await source.countDocuments(data, false);
  if (counted !== documents) {
    notes.findings.push(`the server counts ${counted} documents, and hands out ${documents}`);
  }
  const proof = settle(expectation, wanted, documents, notes);
  const names = new Set(indexes.map(indexName));
  compareAllIndexes(expectation.indexes, indexes, notes);
  for (const index of expectation.indexes) names.delete(indexName(index));
  if (expectation.bucketIndexes.length > 0) {
    compareAllIndexes(expectation.bucketIndexes, await server.listIndexes(data), notes);
    for (const index of expectation.bucketIndexes) names.delete(indexName(index));
  }
  for (const name of names) notes.findings.push(`its index ${name} is in no backup`);
  notes.findings.push(...await server.validate(data));
  return { ...row, documents, proof, indexes: indexes.length };
}

function compareOptions({ options }: Expectation, metadata: string, { findings, unproven }: Notes): void {
  if (options === null) unproven.push("its options: the oplog has a command that changed them");
  else if (options !== optionsIn(metadata)) findings.push("its options aren't those of the backup");
}

/** Says of the documents that were read whether they are those that should be there. */
function settle(
  { account }: Expectation,
  wanted: number,
  documents: number,
  { findings, unproven }: Notes,
): ProvenCollection["proof"] {
  const { isChanged, isEven } = account;
  const proof = isChanged ? "replay" : "digest";
  const gap = account.gap ?? (isChanged && !isEven && account.mayEvict ? evicting : null);
  if (gap !== null) {
    unproven.push(`its documents: ${gap}`);
    return "validation";
  }
  if (isEven) return proof;
  const origin = isChanged ? "the backup with its oplog" : "the backup";
  findings.push(
    wanted === documents
      ? `its documents aren't those of ${origin}`
      : `${origin} has ${wanted} documents, the server ${documents}`,
  );
  return proof;
}

function compareAllIndexes(
  wanted: readonly Uint8Array[],
  found: readonly Uint8Array[],
  { findings, unproven }: Notes,
): void {
  const there = new Map(found.map((index) => [indexName(index), index]));
  for (const index of wanted) {
    const name = indexName(index);
    const same = there.get(name);
    if (same === undefined) {
      findings.push(`its index ${name} isn't there`);
      continue;
    }
    const { differing, retired } = compareIndexes(index, same);
    if (differing.length > 0) {
      findings.push(`its index ${name} isn't as it was in the backup: ${differing.join(", ")}`);
    }
    if (retired.length > 0) {
      unproven.push(`its index ${name}: servers of today don't know ${retired.join(", ")}`);
    }
  }
}
