/**
 * A target in memory, and what it puts aside there.
 *
 * @module
 */

import { countDocuments, elements } from "../../backend/bson/document.ts";
import { PluginError } from "../../backend/errors.ts";
import { formatNamespace, type Namespace } from "../../backend/namespace.ts";
import type {
  OplogTarget,
  ReplayTarget,
  RestoredCollection,
  Spool,
  SpooledBytes,
  Target,
  UsersTarget,
} from "../../backend/ports.ts";

/** Keeps what is written, and what was done to whom. */
export class MemoryTarget implements Target {
  readonly description = "memory";
  readonly written = new Map<string, Uint8Array[]>();
  readonly done: string[] = [];
  readonly oplog: OplogTarget = { kind: "server", replay: new MemoryReplay(this) };
  readonly users: UsersTarget;
  readonly #occupied: ReadonlySet<string>;
  readonly #failWrites: boolean;

  constructor(options: { occupied?: readonly string[]; failWrites?: boolean } = {}) {
    this.#occupied = new Set(options.occupied ?? []);
    this.#failWrites = options.failWrites ?? false;
    const note = (deed: string) => {
      this.done.push(deed);
      return Promise.resolve();
    };
    this.users = {
      check: () => note("check users"),
      discard: () => note("discard users"),
      merge: async (drop) => {
        await note(`merge users${drop ? ", drop" : ""}`);
        return { users: 1, roles: 0, kept: [], own: ["admin.me"], removed: [] };
      },
    };
  }

  check(): Promise<void> {
    return Promise.resolve();
  }

  inOrder({ metadata }: RestoredCollection): boolean {
    return metadata.includes('"capped":true');
  }

  findOccupied(collections: readonly RestoredCollection[]): Promise<Namespace[]> {
    return Promise.resolve(
      collections.map(({ namespace }) => namespace).filter((namespace) =>
        this.#occupied.has(formatNamespace(namespace))
      ),
    );
  }

  drop({ namespace }: RestoredCollection): Promise<void> {
    this.done.push(`drop ${formatNamespace(namespace)}`);
    return Promise.resolve();
  }

  async create({ namespace }: RestoredCollection): Promise<void> {
    await Promise.resolve();
    this.done.push(`create ${formatNamespace(namespace)}`);
    this.written.set(formatNamespace(namespace), []);
  }

  async write({ namespace }: RestoredCollection, documents: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (this.#failWrites) throw new PluginError("restoreWrite", "The server took nothing");
    countDocuments(documents);
    const written = this.written.get(formatNamespace(namespace));
    if (written === undefined) throw new Error("written before it was created");
    written.push(documents.slice());
  }

  finish({ namespace }: RestoredCollection): Promise<void> {
    this.done.push(`finish ${formatNamespace(namespace)}`);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.done.push("close");
    return Promise.resolve();
  }
}

/** Notes what a replay does, with the target's other deeds. */
class MemoryReplay implements ReplayTarget {
  readonly deletesFromCapped = true;
  readonly updates = "diffs";
  readonly #done: string[];

  constructor(target: { readonly done: string[] }) {
    this.#done = target.done;
  }

  applyOperations(operations: Uint8Array): Promise<void> {
    return this.#note(`apply ${[...elements(operations)].length}`);
  }

  runCommand(database: string, object: Uint8Array): Promise<void> {
    return this.#note(`run ${database} ${[...elements(object)][0]?.key}`);
  }

  dropCollection(namespace: Namespace): Promise<void> {
    return this.#note(`drop ${formatNamespace(namespace)}`);
  }

  renameCollection(from: Namespace, to: Namespace): Promise<void> {
    return this.#note(`rename ${formatNamespace(from)} ${formatNamespace(to)}`);
  }

  async settle(): Promise<boolean> {
    await this.#note("settle");
    return true;
  }

  async buildIndexes(namespace: Namespace, indexes: readonly Uint8Array[]): Promise<readonly string[]> {
    await this.#note(`index ${formatNamespace(namespace)} ${indexes.length}`);
    return [];
  }

  #note(deed: string): Promise<void> {
    this.#done.push(deed);
    return Promise.resolve();
  }
}

/** Puts things aside in memory. */
export class MemorySpool implements Spool {
  readonly #pieces: Uint8Array[] = [];

  put(bytes: Uint8Array): Promise<SpooledBytes> {
    return Promise.resolve({ offset: this.#pieces.push(bytes.slice()) - 1, length: bytes.length });
  }

  get({ offset }: SpooledBytes): Promise<Uint8Array> {
    return Promise.resolve(this.#pieces[offset]!);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
