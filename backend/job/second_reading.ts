/**
 * A Full's second reading: every collection once more, held against what the first one found.
 *
 * @module
 */

import { DocumentSum } from "../../wasm/document_sum.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { JobLog } from "../ports.ts";
import type { ReadThrottle } from "./read_throttle.ts";
import type { SteadySource } from "./steady_source.ts";
import { formatCount, formatNumberOf } from "./wording.ts";

/** What a collection's documents add up to, in whatever order they came. */
export interface SummedCollection {
  readonly data: Namespace;
  readonly documents: number;
  readonly digest: string;
}

/** A collection that was not the same twice. */
export interface ReadDifference {
  readonly data: Namespace;
  readonly first: SummedCollection;
  readonly second: SummedCollection;
}

interface ReadingContext {
  readonly source: SteadySource;
  readonly throttle: ReadThrottle;
  readonly signal: AbortSignal;
}

/** Reads collections again, no faster than the operator wants it. What changed in between is for the caller to know. */
export async function readAgain(
  context: ReadingContext,
  first: readonly SummedCollection[],
): Promise<ReadDifference[]> {
  const differences: ReadDifference[] = [];
  for (const one of first) {
    const { data } = one;
    const second = await sumUp(context, data);
    if (second.documents !== one.documents || second.digest !== one.digest) {
      differences.push({ data, first: one, second });
    }
  }
  return differences;
}

async function sumUp(
  { source, throttle, signal }: ReadingContext,
  data: Namespace,
): Promise<SummedCollection> {
  for (let tries = 1;; tries++) {
    using sum = new DocumentSum();
    try {
      for await (const batch of source.readBatches(data, signal)) {
        sum.addBatch(batch);
        await throttle.pass(batch.length, signal);
      }
      return { data, documents: sum.documents, digest: sum.digest() };
    } catch (cause) {
      await source.outlast(cause, tries);
    }
  }
}

/**
 * Says what the second reading proves, but for collections that were written to, and of how many collections.
 *
 * @throws PluginError `incompleteRead` for one that nobody wrote to and that is not the same twice
 */
export function settleReadings(
  all: readonly SummedCollection[],
  differences: readonly ReadDifference[],
  isChanged: (data: Namespace) => boolean,
  log: JobLog,
): number {
  const wrong = differences.find(({ data }) => !isChanged(data));
  if (wrong !== undefined) {
    const [one, two] = [wrong.first, wrong.second].map(({ documents, digest }) =>
      `${formatCount(documents)} documents with the digest ${digest.slice(0, 16)}`
    );
    throw new PluginError(
      "incompleteRead",
      `Cannot vouch for ${formatNamespace(wrong.data)}: the first reading gave ${one}, the second one ${two}`,
      {
        hint:
          "Nothing says that it was written to in between. Check the source member with db.collection.validate(), its disks and its memory, then run the job again.",
      },
    );
  }
  const proven = all.filter(({ data }) => !isChanged(data));
  const documents = proven.reduce((sum, one) => sum + one.documents, 0);
  log.info(
    `Read twice, with the same digest: ${formatNumberOf(proven.length, "collection")}, ${
      formatNumberOf(documents, "document")
    }` +
      (proven.length < all.length
        ? `; ${formatNumberOf(all.length - proven.length, "other one")} changed meanwhile`
        : ""),
  );
  return proven.length;
}
