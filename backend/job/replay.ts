/**
 * The oplog's replay into a server: operations in large applyOps, commands one by one, indexes at the very end.
 *
 * @module
 */

import { EntryInput, OperationBatch, OplogScanner, type Pause, pause } from "../../wasm/oplog.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { readCommand } from "../oplog/command.ts";
import { type OplogEntry, readEntry } from "../oplog/entry.ts";
import { withUpserts } from "../oplog/scope.ts";
import type { ReplayTarget, Spool, SpooledBytes } from "../ports.ts";
import { compareTimestamps, describeTimestamp, type OplogPosition, type Timestamp } from "../timestamp.ts";
import { OpenTransactions } from "../oplog/transactions.ts";
import type { Progressing, ReplayProgress } from "./replay_progress.ts";
import type { ReplayedCatalog } from "./replayed_catalog.ts";

/** What one applyOps takes: a command ends at 16 MiB, and far more operations at a time bring nothing. */
const batchMaxBytes = 8 << 20;
const batchMaxOperations = 4_000;

/** How deep applyOps may stand within applyOps. */
const nestingMax = 4;

/** What a replay needs. */
export interface ReplayContext {
  readonly target: ReplayTarget;
  readonly catalog: ReplayedCatalog;
  readonly spool: Spool;
  /** The last entry to apply has this timestamp, or an earlier one. */
  readonly limit: Timestamp;
  /** Up to here the data may be newer than the entries: the end of the Full's slice. */
  readonly fuzzyUntil: Timestamp;
  readonly signal: AbortSignal;
}

/** How far a replay came. */
export interface ReplayReport extends ReplayProgress {
  /** The first entry that was left out for being behind the limit. */
  readonly firstLeft: OplogPosition | null;
  /** Transactions that were not committed yet at the limit: nothing of them was applied. */
  readonly openTransactions: number;
}

/** Give it each segment in order, then finish it. */
export class Replay implements Disposable, Progressing {
  readonly #context: ReplayContext;
  readonly #scanner = new OplogScanner();
  readonly #inputs: EntryInput[] = [new EntryInput()];
  readonly #batch: OperationBatch;
  readonly #open = new OpenTransactions<SpooledBytes>();
  #sending: Promise<void> = Promise.resolve();
  /** Where the last batch that was sent ended. */
  #flushed: Timestamp = { t: 0, i: 0 };
  #operations = 0;
  #commands = 0;
  #firstLeft: OplogPosition | null = null;

  /** @param operationsMax most operations that are applied by one command */
  constructor(context: ReplayContext, operationsMax = batchMaxOperations) {
    this.#context = context;
    this.#batch = new OperationBatch(batchMaxBytes, operationsMax, context.target.updates);
    this.#scanner.limitTo(context.limit);
  }

  /** Applies a segment's entries, as far as the limit. What was gathered last may not have been sent yet. */
  async apply(segment: Uint8Array): Promise<void> {
    if (this.#firstLeft !== null) return;
    const input = this.#inputs[0]!;
    input.load(segment, "segment");
    await this.#run(input, 0, null);
    // A batch is either of the time in which the data was read, or of the time behind it.
    if (this.#isFuzzy(this.#scanner.last)) await this.#flush();
  }

  /** Applies what is left and waits until a majority has it all. */
  async finish(): Promise<ReplayReport> {
    await this.#flush();
    await this.#sending;
    await this.#context.target.settle();
    return {
      ...this.progress,
      firstLeft: this.#firstLeft,
      openTransactions: this.#open.size,
    };
  }

  get progress(): ReplayProgress {
    const { last } = this.#scanner;
    return {
      operations: this.#operations,
      commands: this.#commands,
      last: last.t === 0 ? null : last,
    };
  }

  [Symbol.dispose](): void {
    this.#scanner[Symbol.dispose]();
    for (const input of this.#inputs) input[Symbol.dispose]();
    this.#batch[Symbol.dispose]();
  }

  /** @param parent the entry that operations within applyOps belong to */
  async #run(input: EntryInput, depth: number, parent: OplogEntry | null): Promise<void> {
    for (;;) {
      this.#context.signal.throwIfAborted();
      const paused = this.#gather(input);
      if (paused === pause.drained) return;
      if (paused === pause.full) await this.#flush();
      else if (paused === pause.undecided) this.#decide(readEntry(input.entry()).namespace);
      else if (paused === pause.beyond) {
        this.#firstLeft = this.#scanner.found;
        return;
      } else {
        const entry = readEntry(input.entry());
        await this.#takeSpecial(parent === null ? entry : { ...entry, at: parent.at }, depth);
        this.#scanner.pass(input);
      }
    }
  }

  #gather(input: EntryInput): Pause {
    try {
      return this.#scanner.gather(input, this.#batch);
    } catch (cause) {
      const fault = cause instanceof Error ? cause.message : String(cause);
      throw new PluginError(
        "oplogUnreplayable",
        `Cannot replay the entry behind ${describeTimestamp(this.#scanner.last)}: ${fault}`,
        { hint: "Restore to an instant before it, or leave its collection out with exclude=.", cause },
      );
    }
  }

  /** Says what becomes of a namespace when its first entry comes. */
  #decide(namespace: Namespace): void {
    const { catalog, target } = this.#context;
    const name = formatNamespace(namespace);
    if (!catalog.accepts(namespace)) return this.#scanner.skip(name);
    const to = catalog.targetOf(namespace);
    if (to === null) return this.#scanner.ask(name);
    const isEvicting = catalog.isCapped(namespace) && !target.deletesFromCapped;
    this.#scanner.keep(name, formatNamespace(to), isEvicting ? "without deletes" : "with deletes");
  }

  /** A command, or whatever else can't go into a batch. */
  async #takeSpecial(entry: OplogEntry, depth: number): Promise<void> {
    if (entry.namespace.collection === "system.views" && entry.op !== "c") {
      await this.#flush();
      await this.#sending;
      return await this.#context.catalog.followView(entry, this.#context.target);
    }
    if (entry.op === "i" || entry.op === "u" || entry.op === "d") return this.#passOver(entry);
    if (entry.op !== "c") {
      throw new PluginError(
        "oplogUnreplayable",
        `Cannot replay an entry of the unknown kind "${entry.op}" on ${formatNamespace(entry.namespace)}`,
        {
          hint: "The backup is of a newer server than this version of the plugin knows: update the plugin.",
        },
      );
    }
    const command = readCommand(entry);
    const { transaction: key } = entry;
    switch (command.kind) {
      case "applyOps":
        if (key === null) return await this.#applyAll(withUpserts(command.operations), depth, entry);
        if (command.partial || command.prepare) {
          return this.#open.add(key, entry, await this.#context.spool.put(command.operations));
        }
        await this.#commit(key, entry, depth);
        return await this.#applyAll(command.operations, depth, entry);
      case "commitTransaction":
        return await this.#commit(needed(key, entry), entry, depth);
      case "abortTransaction":
        return this.#open.abort(needed(key, entry));
    }
    // Whatever was gathered comes before the command.
    await this.#flush();
    await this.#sending;
    const changed = await this.#context.catalog.follow(
      command,
      entry,
      this.#context.target,
      this.#isFuzzy(entry.at!),
    );
    this.#commands++;
    for (const namespace of changed) this.#decide(namespace);
  }

  /** An operation on a collection that isn't there: it was dropped before the Full came to read it, and nothing else can be the reason. */
  #passOver({ namespace, at }: OplogEntry): void {
    if (this.#isFuzzy(at!)) return;
    throw new PluginError(
      "oplogUnreplayable",
      `Cannot replay the entry ${describeTimestamp(at!)} on ${
        formatNamespace(namespace)
      }: the chain never made that collection`,
      {
        hint:
          "Restore another chain, and report this: a chain should have brought the collection or the entry that made it.",
      },
    );
  }

  async #commit(key: string, entry: OplogEntry, depth: number): Promise<void> {
    for (const part of this.#open.commit(key, entry)) {
      await this.#applyAll(await this.#context.spool.get(part), depth, entry);
    }
  }

  /** Goes through the operations of an applyOps as if each were an entry of its own. */
  async #applyAll(operations: Uint8Array, depth: number, entry: OplogEntry): Promise<void> {
    if (depth === nestingMax) {
      throw new PluginError(
        "oplogUnreplayable",
        `Cannot replay applyOps that stands more than ${nestingMax} deep within applyOps`,
      );
    }
    const input = this.#inputs[depth + 1] ??= new EntryInput();
    input.load(operations, "operations");
    await this.#run(input, depth + 1, entry);
  }

  #isFuzzy(at: Timestamp): boolean {
    return compareTimestamps(at, this.#context.fuzzyUntil) <= 0;
  }

  /** Sends what was gathered, while the next batch is gathered; but never two at a time. */
  async #flush(): Promise<void> {
    const { count } = this.#batch;
    if (count === 0) return;
    const operations = this.#batch.take();
    await this.#sending;
    this.#operations += count;
    // What was looked at last may be in this batch or in the next one.
    const [from, to] = [this.#flushed, this.#scanner.found];
    this.#flushed = this.#scanner.last;
    this.#sending = this.#context.target.applyOperations(operations, this.#isFuzzy(this.#scanner.found));
    this.#sending = this.#sending.catch((cause) => {
      if (!(cause instanceof PluginError)) throw cause;
      const where = `behind ${describeTimestamp(from)}, up to ${describeTimestamp(to)}`;
      throw new PluginError(cause.code, `${cause.message} (among the entries ${where})`, {
        hint: cause.hint,
        cause,
      });
    });
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    this.#sending.catch(() => {});
  }
}

function needed(key: string | null, entry: OplogEntry): string {
  if (key !== null) return key;
  throw new PluginError(
    "oplogUnreplayable",
    `Cannot replay the end of a transaction on ${formatNamespace(entry.namespace)}: it doesn't say of which`,
  );
}
