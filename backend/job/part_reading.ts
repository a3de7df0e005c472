/**
 * A part of a collection, as one reader reads it.
 *
 * @module
 */

import { DocumentSum } from "../../wasm/document_sum.ts";
import { packBatch, type Segment } from "../../wasm/segment.ts";
import { PluginError } from "../errors.ts";
import type { ManifestSegment } from "../manifest/schema.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { KeyRange } from "../ports.ts";
import type { DumpContext } from "./dump_context.ts";
import { sendObject } from "./sending.ts";

/** A segment's place among those of its collection, and its virtual name. */
export interface SegmentName {
  readonly index: number;
  readonly path: string;
}

/** A segment that was sent, or is being sent. */
export interface SentSegment extends SegmentName {
  readonly segment: ManifestSegment;
}

/**
 * One reading of some ranges, into segments that hold nothing else: where its cursor is lost, these segments are left behind, and no others. Close it or
 * abandon it.
 */
export class PartReading {
  readonly sum: DocumentSum | null;
  readonly #context: DumpContext;
  readonly #data: Namespace;
  readonly #takeName: () => SegmentName;
  readonly #sent: (SegmentName & { readonly segment: Promise<ManifestSegment> })[] = [];
  #segment: Segment | undefined;
  #documents = 0;
  #bytes = 0;

  constructor(context: DumpContext, data: Namespace, takeName: () => SegmentName) {
    this.#context = context;
    this.#data = data;
    this.#takeName = takeName;
    this.sum = context.sums === null ? null : new DocumentSum();
  }

  get documents(): number {
    return this.#documents;
  }

  /** Whether a segment was filled. */
  get hasSent(): boolean {
    return this.#sent.length > 0;
  }

  async read(range: KeyRange): Promise<void> {
    const { source, supply, signal, throttle, progress } = this.#context;
    for await (const batch of source.readBatches(this.#data, signal, range)) {
      this.sum?.addBatch(batch);
      const cursor = { offsetBytes: 4, index: 0 };
      this.#segment ??= await supply.acquire(signal);
      while (!this.#pack(this.#segment, batch, cursor)) {
        this.#sendFull();
        this.#segment = await supply.acquire(signal);
      }
      this.#documents += cursor.index;
      this.#bytes += batch.length;
      progress.add(batch.length);
      await throttle.pass(batch.length, signal);
    }
  }

  /** Sends what is left. It may be on its way for long. */
  close(): void {
    if (this.#segment !== undefined && this.#segment.documents > 0) this.#sendFull();
    this.#release();
  }

  /** The segments, when all of them have arrived. */
  async settle(): Promise<SentSegment[]> {
    await Promise.allSettled(this.#sent.map(({ segment }) => segment));
    return await Promise.all(this.#sent.map(async (one) => ({ ...one, segment: await one.segment })));
  }

  /** Forgets what was read, and names what of it Bacula has. */
  async abandon(): Promise<string[]> {
    this.#release();
    this.sum?.[Symbol.dispose]();
    this.#context.progress.add(-this.#bytes);
    return (await this.settle()).map(({ path }) => path);
  }

  #release(): void {
    if (this.#segment !== undefined) this.#context.supply.release(this.#segment);
    this.#segment = undefined;
  }

  #pack(segment: Segment, batch: Uint8Array, cursor: { offsetBytes: number; index: number }): boolean {
    try {
      return packBatch(segment, batch, cursor);
    } catch (cause) {
      const fault = cause instanceof Error ? cause.message : String(cause);
      throw new PluginError(
        "serverReply",
        `Cannot split a batch of ${formatNamespace(this.#data)}: ${fault}`,
        {
          hint: "The server or the network damaged a reply; check the source member's log and disks.",
          cause,
        },
      );
    }
  }

  #sendFull(): void {
    const full = this.#segment!;
    this.#segment = undefined;
    const name = this.#takeName();
    const segment = sendSegment(this.#context, name.path, full);
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    segment.catch(() => {});
    this.#sent.push({ ...name, segment });
  }
}

/** Sends a full segment and gives it back to the supply, whatever comes of it. */
async function sendSegment(context: DumpContext, path: string, segment: Segment): Promise<ManifestSegment> {
  try {
    const { sizeBytes, documents } = segment;
    const digest = segment.digest().toHex();
    await context.lane.run(() => sendObject(context, path, sizeBytes, segment.chunks()));
    return { path, size: sizeBytes, documents, blake3: digest };
  } finally {
    context.supply.release(segment);
  }
}
