/**
 * What of a restore comes after the data: the oplog up to the instant, and the indexes.
 *
 * @module
 */

import { readCollectionMetadata } from "../bson/collection_metadata.ts";
import type { Options } from "../options/table.ts";
import type { JobLog, Spool, Target } from "../ports.ts";
import { describeTimestamp } from "../timestamp.ts";
import { buildIndexes, listIndexes } from "./index_build.ts";
import { OplogExtract } from "./oplog_extract.ts";
import { Replay, type ReplayReport } from "./replay.ts";
import { ReplayedCatalog } from "./replayed_catalog.ts";
import { type Progressing, reportReplay } from "./replay_progress.ts";
import type { RestorePlan } from "./restore_plan.ts";
import { type SegmentConsumer, SliceQueue } from "./slice_queue.ts";
import { formatNumberOf } from "./wording.ts";

/** What a restore's end needs. */
export interface OplogContext {
  readonly target: Target;
  readonly spool: Spool;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly options: Pick<Options, "index_build" | "parallel_indexes" | "parallel_restore" | "write_concern">;
}

/** Give it each piece as it comes, tell it when the data is there, then finish it. */
export class OplogRestore implements Disposable {
  readonly #plan: RestorePlan;
  readonly #context: OplogContext;
  readonly #catalog: ReplayedCatalog;
  readonly #replay: (SegmentConsumer & Progressing) | null;
  readonly #queue: SliceQueue | null;
  #reports: Disposable | undefined;

  constructor(plan: RestorePlan, context: OplogContext) {
    this.#plan = plan;
    this.#context = context;
    const databases = new Set(plan.collections.map(({ source }) => source.database));
    this.#catalog = new ReplayedCatalog(plan.selection, databases);
    for (const { source, data, kind, metadata } of plan.collections) {
      if (kind === "view" || data === null) {
        this.#catalog.addView(source);
        continue;
      }
      this.#catalog.add(source, kind === "timeseries", readCollectionMetadata(metadata));
    }
    this.#replay = plan.slices.size === 0 ? null : this.#open();
    this.#queue = this.#replay === null
      ? null
      : new SliceQueue([...plan.slices.keys()], context.spool, this.#replay);
  }

  /** Takes a piece whose bytes were verified. */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#queue?.put(path, bytes);
  }

  /** The data is there. */
  async begin(): Promise<void> {
    const { limit } = this.#plan;
    if (this.#replay !== null && limit !== null) {
      this.#reports = reportReplay(this.#replay, limit, this.#context.log);
    }
    await this.#queue?.open();
  }

  /** All pieces have come: applies the last entries, builds the indexes, and waits until the set has all of it. */
  async finish(): Promise<void> {
    const { log, target, signal, options } = this.#context;
    if (this.#replay !== null) this.#log(await this.#replay.finish());
    this.#reports?.[Symbol.dispose]();
    if (target.oplog.kind !== "server") return;
    const { replay } = target.oplog;
    const entries = [...this.#catalog.indexes.entries()];
    if (options.index_build === "none") listIndexes(entries, log);
    else await buildIndexes(entries, { replay, log, signal, parallel: options.parallel_indexes });
    const isSettled = await replay.settle();
    if (options.write_concern === "majority") return;
    if (isSettled) return log.info("A majority of the set has what was restored");
    log.warning(
      "The majority of the set has not confirmed yet what was restored: until it has, an election may undo the restore. See rs.status()",
    );
  }

  [Symbol.dispose](): void {
    this.#reports?.[Symbol.dispose]();
    this.#replay?.[Symbol.dispose]();
  }

  #open(): SegmentConsumer & Progressing {
    const { selection, jobs } = this.#plan;
    const limit = this.#plan.limit!;
    const { target, spool, signal } = this.#context;
    const { oplog } = target;
    if (oplog.kind === "directory") return new OplogExtract(oplog, selection, limit);
    const fuzzyUntil = jobs[0]!.manifest.oplog!.to;
    return new Replay({
      target: oplog.replay,
      catalog: this.#catalog,
      spool,
      limit,
      fuzzyUntil,
      signal,
    });
  }

  #log({ operations, commands, last, firstLeft, openTransactions }: ReplayReport): void {
    const { log, target } = this.#context;
    const next = firstLeft ?? this.#plan.nextEntry;
    const verb = target.oplog.kind === "server" ? "Replayed" : "Kept";
    log.info(
      `${verb} ${formatNumberOf(operations, "operation")} and ${
        formatNumberOf(commands, "command")
      } of the oplog up to ` +
        `${describeTimestamp(this.#plan.limit!)}: the last entry applied is ${
          last === null ? "none" : describeTimestamp(last)
        }, ` +
        `the first one not applied ${
          next === null ? "is not in this chain" : `is ${describeTimestamp(next)}`
        }`,
    );
    if (openTransactions > 0) {
      log.info(
        `${
          formatNumberOf(openTransactions, "transaction")
        } had begun and not been committed at that instant: nothing of them is there`,
      );
    }
  }
}
