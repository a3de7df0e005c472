/**
 * The oplog's part of a restore to a directory: the entries that are wanted, up to the instant, as mongodump's `oplog.bson`.
 *
 * @module
 */

import { EntryInput, OplogScanner, pause } from "../../wasm/oplog.ts";
import { SegmentPool } from "../../wasm/segment.ts";
import { formatNamespace } from "../namespace.ts";
import { readCommand } from "../oplog/command.ts";
import { readEntry } from "../oplog/entry.ts";
import {
  isServersOwn,
  isUsersOrRoles,
  replaceOperations,
  scopeOperations,
  touchedByCommand,
} from "../oplog/scope.ts";
import type { Namespace } from "../namespace.ts";
import type { OplogTarget } from "../ports.ts";
import type { OplogPosition, Timestamp } from "../timestamp.ts";
import type { ReplayReport } from "./replay.ts";
import type { Progressing, ReplayProgress } from "./replay_progress.ts";
import { type Selection, userNamespace } from "./selection.ts";
import type { SegmentConsumer } from "./slice_queue.ts";

/** The longest piece of an oplog, and what one entry may be longer. */
const roomBytes = 17 << 20;

/** Give it each segment in order, then finish it. */
export class OplogExtract implements SegmentConsumer, Progressing {
  readonly #target: OplogTarget & { readonly kind: "directory" };
  readonly #selection: Selection;
  readonly #scanner = new OplogScanner();
  readonly #input = new EntryInput();
  readonly #pool = new SegmentPool(1, roomBytes);
  readonly #packed = this.#pool.take()!;
  #entries = 0;
  #firstLeft: OplogPosition | null = null;

  constructor(target: OplogTarget & { readonly kind: "directory" }, selection: Selection, limit: Timestamp) {
    this.#target = target;
    this.#selection = selection;
    this.#scanner.limitTo(limit);
  }

  async apply(segment: Uint8Array): Promise<void> {
    if (this.#firstLeft !== null) return;
    this.#input.load(segment, "segment");
    for (;;) {
      const paused = this.#scanner.pack(this.#input, this.#packed);
      if (paused === pause.drained) break;
      if (paused === pause.full) await this.#write();
      else if (paused === pause.undecided) this.#decide(readEntry(this.#input.entry()).namespace);
      else if (paused === pause.beyond) {
        this.#firstLeft = this.#scanner.found;
        break;
      } else await this.#takeCommand(this.#input.entry());
    }
    await this.#write();
  }

  get progress(): ReplayProgress {
    const { last } = this.#scanner;
    return { operations: this.#entries, commands: 0, last: last.t === 0 ? null : last };
  }

  finish(): Promise<ReplayReport> {
    return Promise.resolve({
      ...this.progress,
      firstLeft: this.#firstLeft,
      openTransactions: 0,
    });
  }

  [Symbol.dispose](): void {
    this.#scanner[Symbol.dispose]();
    this.#input[Symbol.dispose]();
    this.#packed.clear();
    this.#pool.give(this.#packed);
    this.#pool[Symbol.dispose]();
  }

  #decide(namespace: Namespace): void {
    if (this.#accepts(namespace)) this.#scanner.keep(formatNamespace(namespace));
    else this.#scanner.skip(formatNamespace(namespace));
  }

  async #takeCommand(bytes: Uint8Array): Promise<void> {
    const wanted = this.#scope(bytes);
    if (wanted !== null && !this.#packed.append(wanted)) {
      await this.#write();
      this.#packed.append(wanted);
    }
    this.#scanner.pass(this.#input);
  }

  #scope(bytes: Uint8Array): Uint8Array | null {
    const entry = readEntry(bytes);
    const command = readCommand(entry);
    const accepts = (namespace: Namespace) => this.#accepts(namespace);
    if (command.kind !== "applyOps") {
      const touched = touchedByCommand(command);
      return touched.length === 0 || touched.some(accepts) ? bytes : null;
    }
    const { array, left } = scopeOperations(command.operations, accepts);
    return left === 0 ? bytes : replaceOperations(bytes, array);
  }

  #accepts(namespace: Namespace): boolean {
    if (isServersOwn(namespace)) return isUsersOrRoles(namespace) && this.#selection.accepts(namespace);
    return namespace.collection === "system.views" || this.#selection.accepts(userNamespace(namespace));
  }

  async #write(): Promise<void> {
    this.#entries += this.#packed.documents;
    for (const { bytes } of this.#packed.chunks()) await this.#target.append(bytes.slice());
    this.#packed.clear();
  }
}
