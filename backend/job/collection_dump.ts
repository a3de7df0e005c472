/**
 * One collection, from its batches to objects on their way to Bacula.
 *
 * @module
 */

import { addDigests } from "../../wasm/document_sum.ts";
import { blake3 } from "../../wasm/hasher.ts";
import { PluginError } from "../errors.ts";
import type { ManifestCollection } from "../manifest/schema.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { Collection, KeyRange } from "../ports.ts";
import type { DoubtfulCount, DumpContext } from "./dump_context.ts";
import { metadataPath, segmentPath } from "./object_path.ts";
import { PartReading, type SegmentName, type SentSegment } from "./part_reading.ts";
import { chunksOf, sendObject } from "./sending.ts";
import { formatCount, formatNumberOf } from "./wording.ts";

/**
 * A collection on its way. Readers take its ranges one after another, each with segments of its own, and name those in the order in
 * which they send them.
 */
export class CollectionDump {
  readonly #context: DumpContext;
  readonly #collection: Collection;
  readonly #startedAt: Date;
  readonly #expected: number;
  readonly #ranges: KeyRange[];
  readonly #metadataObject: ManifestCollection["metadataObject"];
  readonly #isWhole: boolean;
  readonly #parts: PartReading[] = [];
  /** Virtual names of what was sent in vain. */
  readonly #abandoned: string[] = [];
  #names = 0;

  private constructor(
    context: DumpContext,
    collection: Collection,
    startedAt: Date,
    opening: {
      readonly expected: number;
      readonly ranges: readonly KeyRange[];
      readonly metadataObject: ManifestCollection["metadataObject"];
    },
  ) {
    this.#context = context;
    this.#collection = collection;
    this.#startedAt = startedAt;
    this.#expected = opening.expected;
    this.#ranges = [...opening.ranges];
    this.#isWhole = opening.ranges.length === 1;
    this.#metadataObject = opening.metadataObject;
  }

  /** Sends a collection's metadata and finds out how it is to be read. */
  static async open(context: DumpContext, collection: Collection): Promise<CollectionDump> {
    const { namespace, data, metadata } = collection;
    const startedAt = context.clock.now();
    const metadataObject = await sendMetadata(context, namespace, metadata);
    const isCounted = context.verify && data !== null;
    const expected = isCounted ? await context.source.countDocuments(data, false) : 0;
    const ranges = data === null ? [] : await rangesOf(context, collection);
    return new CollectionDump(context, collection, startedAt, { expected, ranges, metadataObject });
  }

  /** Whether there are ranges that no reader has taken. */
  get hasRanges(): boolean {
    return this.#ranges.length > 0;
  }

  /** Reads as one of the collection's readers, until no range is left to be taken. What it has read may still be on its way out. */
  async read(): Promise<void> {
    const { data } = this.#collection;
    if (data === null) return;
    while (this.#ranges.length > 0) await this.#readPart(data);
  }

  /**
   * Waits until the sink has taken all that the readers have read; none may be reading any more.
   *
   * @throws PluginError `incompleteRead` when the documents read can't be all that there are
   */
  async finish(): Promise<ManifestCollection> {
    const { namespace, kind, data, uuid, metadata } = this.#collection;
    const segments = (await this.settle()).sort((a, b) => a.index - b.index).map(({ segment }) => segment);
    const documents = segments.reduce((sum, segment) => sum + segment.documents, 0);
    const bytes = segments.reduce((sum, segment) => sum + segment.size, 0);
    if (data !== null) {
      const read = this.#parts.reduce((sum, part) => sum + part.documents, 0);
      this.#context.sums?.push({ data, documents: read, digest: addDigests(this.#takeDigests()) });
      if (this.#context.verify) await verifyCount(this.#context, data, read, this.#expected);
    }
    this.#context.progress.collectionDone(namespace, documents, bytes, this.#startedAt);
    return {
      name: namespace.collection,
      kind,
      data,
      uuid,
      metadata,
      metadataObject: this.#metadataObject,
      documents,
      bytes,
      segments,
      ...this.#abandoned.length === 0 ? {} : { abandoned: this.#abandoned },
    };
  }

  /** Resolves when no segment is on its way any more, and rejects where one didn't arrive. */
  async settle(): Promise<SentSegment[]> {
    await Promise.allSettled(this.#parts.map((part) => part.settle()));
    return (await Promise.all(this.#parts.map((part) => part.settle()))).flat();
  }

  /** Reads ranges until a segment was filled with them, or none is left; all of them anew where the member goes away and comes back. */
  async #readPart(data: Namespace): Promise<void> {
    const ranges: KeyRange[] = [];
    for (let tries = 1;; tries++) {
      const part = new PartReading(this.#context, data, () => this.#takeName());
      try {
        for (const range of ranges) await part.read(range);
        while (this.#ranges.length > 0 && !part.hasSent) {
          ranges.push(this.#ranges.shift()!);
          await part.read(ranges.at(-1)!);
        }
        part.close();
        this.#parts.push(part);
        return;
      } catch (cause) {
        this.#abandoned.push(...await part.abandon());
        await this.#context.source.outlast(cause, tries);
        this.#context.log.warning(
          `Reading ${formatNamespace(data)} anew, ${
            ranges.length === 1 && this.#isWhole
              ? "from its start"
              : `${formatNumberOf(ranges.length, "range")} of it`
          }`,
        );
      }
    }
  }

  #takeName(): SegmentName {
    const index = this.#names++;
    return { index, path: segmentPath(this.#context.resource, this.#collection.namespace, index) };
  }

  #takeDigests(): string[] {
    return this.#parts.flatMap(({ sum }) => {
      using own = sum;
      return own === null ? [] : [own.digest()];
    });
  }
}

/** The parts that a collection is read in: one, unless it is so large that several readers are worth what they cost the server. */
async function rangesOf(
  { source, chunkThreshold, chunks, log }: DumpContext,
  collection: Collection,
): Promise<readonly KeyRange[]> {
  const whole: readonly KeyRange[] = [{ min: null, max: null }];
  if (collection.sizeHintBytes < chunkThreshold || chunks < 2) return whole;
  const ranges = await source.splitRanges(collection, chunks);
  if (ranges.length === 1 && collection.kind === "collection") {
    log.info(`${formatNamespace(collection.namespace)} is read by one cursor: it has no ranges of _id`);
  }
  return ranges;
}

async function sendMetadata(context: DumpContext, namespace: Namespace, metadata: string) {
  const bytes = new TextEncoder().encode(metadata);
  const path = metadataPath(context.resource, namespace);
  await context.lane.run(() => sendObject(context, path, bytes.length, chunksOf(bytes)));
  return { path, size: bytes.length, blake3: blake3(bytes).toHex() };
}

/**
 * Holds the documents read against the server's count. Where an oplog tells whether the collection changed meanwhile, that decides, once it is known:
 * the two may differ for good reasons. Without one, only a count that stood still says something.
 */
async function verifyCount(
  context: DumpContext,
  data: Namespace,
  read: number,
  before: number,
): Promise<void> {
  const after = await context.source.countDocuments(data, false);
  if (read === after) context.counted.collections++;
  else if (context.doubts !== null) context.doubts.push({ data, read });
  else if (before === after) await settleCount(context, { data, read });
}

/**
 * Counts the index of a collection that did not change. The server's metadata may be wrong, after a crash.
 *
 * @throws PluginError `incompleteRead` when the documents read aren't all that there are
 */
export async function settleCount(
  { source, counted, log }: Pick<DumpContext, "source" | "counted" | "log">,
  { data, read }: DoubtfulCount,
): Promise<void> {
  const exact = await source.countDocuments(data, true);
  const name = formatNamespace(data);
  if (read !== exact) {
    throw new PluginError(
      "incompleteRead",
      `Cannot vouch for ${name}: read ${formatCount(read)} documents, but the server counts ${
        formatCount(exact)
      }`,
      { hint: `Run the job again; if it stays so, check the source member with db.collection.validate().` },
    );
  }
  counted.collections++;
  log.warning(
    `${name}: the server's metadata counts otherwise, its index and this backup ${
      formatCount(exact)
    } documents; ` +
      "run validate() on the source member to mend its metadata",
  );
}
