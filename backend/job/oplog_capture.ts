/**
 * A slice of the oplog, from raw batches to objects on their way to Bacula.
 *
 * @module
 */

import { EntryInput, OplogScanner, type Pause, pause } from "../../wasm/oplog.ts";
import type { Segment } from "../../wasm/segment.ts";
import { PluginError } from "../errors.ts";
import type { ManifestOplog, ManifestOplogSegment } from "../manifest/schema.ts";
import { formatNamespace, parseNamespace } from "../namespace.ts";
import { mayBeUpheaval, readCommand, refuseUpheaval } from "../oplog/command.ts";
import { readEntry } from "../oplog/entry.ts";
import {
  type Accepts,
  refuseCrossing,
  replaceOperations,
  scopeOperations,
  touchedByCommand,
} from "../oplog/scope.ts";
import { WindowRules } from "../oplog/window_rules.ts";
import type { Oplog } from "../ports.ts";
import { compareTimestamps, describeTimestamp, type OplogPosition } from "../timestamp.ts";
import type { DumpContext } from "./dump_context.ts";
import { oplogPath } from "./object_path.ts";
import { pauseFor } from "./pause.ts";
import { SegmentSupply } from "./segment_supply.ts";
import { viewNamespace } from "./selection.ts";
import { sendObject } from "./sending.ts";

/** What a capture shares with the rest of its job. */
export type CaptureContext =
  & Pick<DumpContext, "sink" | "lane" | "supply" | "resource" | "signal" | "timeSeconds">
  & {
    readonly oplog: Pick<Oplog, "host" | "committed" | "readBatches">;
    readonly jobName: string;
    /** Whether entries of a namespace belong to the job. */
    readonly accepts: Accepts;
    /** Resolves when the reading may go on after a failure, and throws that otherwise; without it, no reading goes on. */
    readonly outlast?: (cause: unknown, tries: number) => Promise<void>;
  };

/** One that is filled, and one on its way out. */
const segments = 2;

/** A piece of the oplog is never longer: a restore has it in memory as a whole. */
const segmentMaxBytes = 16 << 20;

/** The segments of a capture. */
export function oplogSupply(segmentSize: number): SegmentSupply {
  return new SegmentSupply(segments, Math.min(segmentSize, segmentMaxBytes));
}

/** How often a Full looks for new entries. */
const followIntervalMs = 1_000;

/** What a scanner may remember without growing the module's memory. */
const namespacesMax = 100_000;

/** Reads one slice. Make it before anything is sent: it takes memory of the WASM module. */
export class OplogCapture implements Disposable {
  readonly #context: CaptureContext;
  readonly #scanner = new OplogScanner();
  readonly #input = new EntryInput();
  readonly #from: OplogPosition;
  readonly #rules: WindowRules | null;
  readonly #sent: Promise<ManifestOplogSegment>[] = [];
  #last: OplogPosition;
  #begun = false;
  #segment: Segment | undefined;
  #namespaces = 0;
  #cutTransactions = 0;
  #leftCommands = 0;

  /** @param from the slice begins behind this entry, which must be there */
  constructor(context: CaptureContext, from: OplogPosition, kind: "of a Full" | "of an increment") {
    this.#context = context;
    this.#from = from;
    this.#last = from;
    this.#rules = kind === "of a Full" ? new WindowRules() : null;
  }

  /** Reads what becomes committed, again and again, until `stop` is aborted. */
  async follow(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.readTo(await this.#context.oplog.committed());
      await pauseFor(followIntervalMs, AbortSignal.any([stop, this.#context.signal]));
      this.#context.signal.throwIfAborted();
    }
  }

  /**
   * Reads on up to a committed entry. The first entry that comes must be the very last one of before, by time and term: so there is no gap, and
   * nothing was rolled back in between.
   *
   * @throws PluginError `oplogGap`
   */
  async readTo(to: OplogPosition): Promise<void> {
    const { oplog, signal } = this.#context;
    if (this.#begun && compareTimestamps(to, this.#last) <= 0) return;
    this.#begun = true;
    for (let tries = 1;; tries++) {
      this.#scanner.expect(this.#last);
      try {
        for await (const batch of oplog.readBatches(this.#last, to, signal)) {
          // An empty array: its length, and the end.
          if (batch.length <= 5) continue;
          await this.#pack(batch);
          this.#last = { ...this.#scanner.last };
        }
        break;
      } catch (cause) {
        // What was packed stays: the next reading has to begin with the last entry of it.
        if (this.#context.outlast === undefined) throw cause;
        await this.#context.outlast(cause, tries);
      }
    }
    const { last } = this.#scanner;
    if (last.t !== to.t || last.i !== to.i || last.term !== to.term) {
      throw new PluginError(
        "oplogGap",
        `Cannot vouch for the slice: it should end at ${
          describeTimestamp(to)
        } of term ${to.term}, but what ${oplog.host} gave ends at ` +
          `${describeTimestamp(last)} of term ${last.term}`,
        { hint: "The member rolled back or its oplog was overrun while it was read. Run the job again." },
      );
    }
    this.#last = to;
  }

  /** Entries that were left out for being out of the scope. */
  get leftOut(): number {
    return this.#scanner.leftOut + this.#leftCommands;
  }

  /** Sends what is left and describes the slice. */
  async finish(): Promise<ManifestOplog> {
    if (this.#segment !== undefined) this.#send(this.#segment);
    this.#segment = undefined;
    const segments = await Promise.all(this.#sent);
    const namespaces = this.#scanner.counts().map(({ namespace, ...counts }) => ({
      ...parseNamespace(namespace),
      ...counts,
    }));
    return {
      source: this.#context.oplog.host,
      from: this.#from,
      to: this.#last,
      entries: segments.reduce((sum, { entries }) => sum + entries, 0),
      bytes: segments.reduce((sum, { size }) => sum + size, 0),
      cutTransactions: this.#cutTransactions,
      namespaces: namespaces.sort((a, b) => (formatNamespace(a) < formatNamespace(b) ? -1 : 1)),
      segments,
    };
  }

  [Symbol.dispose](): void {
    if (this.#segment !== undefined) this.#context.supply.release(this.#segment);
    this.#segment = undefined;
    this.#scanner[Symbol.dispose]();
    this.#input[Symbol.dispose]();
  }

  async #pack(batch: Uint8Array): Promise<void> {
    this.#input.load(batch, "batch");
    for (;;) {
      this.#segment ??= await this.#context.supply.acquire(this.#context.signal);
      const paused = this.#scan(this.#segment);
      if (paused === pause.drained) return;
      if (paused === pause.full) this.#sendFull();
      else if (paused === pause.undecided) this.#decide();
      else if (paused === pause.command) await this.#takeCommand();
      else throw this.#unexpected();
    }
  }

  #scan(segment: Segment): Pause {
    try {
      return this.#scanner.pack(this.#input, segment);
    } catch (cause) {
      const fault = cause instanceof Error ? cause.message : String(cause);
      throw new PluginError(
        "serverReply",
        `Cannot split a batch of the oplog of ${this.#context.oplog.host}: ${fault}`,
        {
          hint: "The server or the network damaged a reply; check the member's log and disks.",
          cause,
        },
      );
    }
  }

  /** Says what becomes of a namespace when its first entry comes. */
  #decide(): void {
    const { namespace } = readEntry(this.#input.entry());
    const name = formatNamespace(namespace);
    if (++this.#namespaces > namespacesMax) {
      throw new PluginError(
        "oplogUnreplayable",
        `Cannot follow the oplog: it touches more than ${namespacesMax} collections`,
        {
          hint: "Back up the databases in several jobs, each with its own database= and resource=.",
        },
      );
    }
    const isOfViews = namespace.collection === "system.views" && this.#context.accepts(namespace);
    if (isOfViews || mayBeUpheaval(namespace)) this.#scanner.ask(name);
    else if (this.#context.accepts(namespace)) this.#scanner.keep(name);
    else this.#scanner.skip(name);
  }

  async #takeCommand(): Promise<void> {
    const bytes = this.#input.entry();
    const wanted = this.#scope(bytes);
    if (wanted !== null) {
      let segment = this.#segment!;
      if (!segment.append(wanted)) {
        this.#sendFull();
        segment = this.#segment = await this.#context.supply.acquire(this.#context.signal);
        segment.append(wanted);
      }
      this.#scanner.noteKept();
    } else this.#leftCommands++;
    this.#scanner.pass(this.#input);
  }

  /** What of a command entry belongs to the job, null for nothing. */
  #scope(bytes: Uint8Array): Uint8Array | null {
    const entry = readEntry(bytes);
    refuseUpheaval(entry);
    if (entry.op !== "c") {
      const view = entry.namespace.collection === "system.views"
        ? viewNamespace(entry.object2?.value ?? entry.object)
        : null;
      const isWanted = this.#context.accepts(entry.namespace) &&
        (view === null || this.#context.accepts(view));
      return isWanted ? this.#counted(bytes, entry.namespace) : null;
    }
    const command = readCommand(entry);
    refuseCrossing(command, this.#context.accepts);
    if (command.kind === "commitTransaction" || command.kind === "abortTransaction") return bytes;
    if (command.kind !== "applyOps") {
      const touched = touchedByCommand(command).filter((namespace) => this.#context.accepts(namespace));
      if (touched.length === 0) return null;
      this.#rules?.follow(command);
      for (const namespace of touched) this.#counted(bytes, namespace);
      return bytes;
    }
    const { array, kept, left, touched } = scopeOperations(command.operations, this.#context.accepts);
    // A part of a longer transaction stays also where it is empty: its end is still to come, or is this very one.
    const isWhole = !command.partial && !command.prepare && !entry.continues;
    if (kept === 0 && isWhole) return null;
    for (const one of touched) this.#scanner.count(formatNamespace(one.namespace), one.bytes);
    if (left === 0) return bytes;
    if (kept > 0) this.#cutTransactions++;
    return replaceOperations(bytes, array);
  }

  #counted(bytes: Uint8Array, namespace: { database: string; collection: string }): Uint8Array {
    this.#scanner.count(formatNamespace(namespace), bytes.length);
    return bytes;
  }

  #sendFull(): void {
    const full = this.#segment!;
    this.#segment = undefined;
    this.#send(full);
  }

  #send(segment: Segment): void {
    const span = this.#scanner.takeSpan();
    if (span === null) return this.#context.supply.release(segment);
    const result = this.#sendSegment(segment, span);
    // Whoever awaits `sent` sees the failure; until then it must not count as unhandled.
    result.catch(() => {});
    this.#sent.push(result);
  }

  async #sendSegment(
    segment: Segment,
    span: { first: OplogPosition; last: OplogPosition },
  ): Promise<ManifestOplogSegment> {
    const { lane, supply, resource, jobName } = this.#context;
    try {
      const [first, last] = [span.first, span.last].map(({ t, i }) => ({ t, i })) as [
        OplogPosition,
        OplogPosition,
      ];
      const path = oplogPath(resource, jobName, first, last);
      const { sizeBytes: size, documents: entries } = segment;
      const blake3 = segment.digest().toHex();
      await lane.run(() => sendObject(this.#context, path, size, segment.chunks()));
      return { path, size, entries, blake3, first, last };
    } finally {
      supply.release(segment);
    }
  }

  #unexpected(): PluginError {
    const { found } = this.#scanner;
    return new PluginError(
      "oplogGap",
      `Cannot go on behind ${
        describeTimestamp(this.#last)
      } of term ${this.#last.term}: the oplog of ${this.#context.oplog.host} goes on with ` +
        `${describeTimestamp(found)} of term ${found.term}`,
      {
        hint:
          "The entry was overrun or rolled back while the job ran. Enlarge the oplog (replSetResizeOplog), then run a Full.",
      },
    );
  }
}
