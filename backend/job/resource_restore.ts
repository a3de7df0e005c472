/**
 * The restore of one resource: verified segments go into the target, a few at a time, and nothing that isn't verified; then the oplog, then the
 * indexes.
 *
 * @module
 */

import { Blake3 } from "../../wasm/hasher.ts";
import { groupDocuments } from "../bson/document.ts";
import { asPluginError, PluginError } from "../errors.ts";
import { insertMaxBytes, insertMaxDocuments } from "../limits.ts";
import { formatNamespace } from "../namespace.ts";
import type { FileHeader } from "../objects.ts";
import type { UsersTarget } from "../ports.ts";
import { Lane } from "./lane.ts";
import { type OplogContext, OplogRestore } from "./oplog_restore.ts";
import { missingObjects, type PlannedCollection, type RestorePlan, unlisted } from "./restore_plan.ts";
import { logMerged, usersDatabases } from "./users_restore.ts";
import { formatBytes, formatNumberOf } from "./wording.ts";

/** Bytes of segments in memory for each that may be written, and for the one that is received; a larger segment is alone there. */
const flightMaxBytes = 32 << 20;

/** How long a failed restore waits for each thing that it has to leave in order: a cancelled one is killed after ten seconds. */
const patienceMs = 2_000;

/** How far a collection's restore has come. */
interface Progress {
  readonly created: Promise<void>;
  readonly lane: Lane | null;
  segments: number;
}

/** Counts of what a restore has written. */
export interface RestoreCounts {
  databases: number;
  collections: number;
  documents: number;
  bytes: number;
  objects: number;
}

/** What the restore of a resource needs beside its plan. */
export interface ResourceContext extends OplogContext {
  /** Aborted with the cause as soon as a write fails. */
  readonly failure: AbortController;
  /** Takes users and roles in the end; null where none are restored, or as any other collection. */
  readonly users: UsersTarget | null;
  /** Whether what is in the way may be removed. */
  readonly drop: boolean;
}

/** Make room for it first; then give it each file, then finish it. */
export class ResourceRestore {
  readonly counts: RestoreCounts = { databases: 0, collections: 0, documents: 0, bytes: 0, objects: 0 };
  readonly #plan: RestorePlan;
  readonly #context: ResourceContext;
  readonly #oplog: OplogRestore;
  readonly #progress = new Map<PlannedCollection, Progress>();
  readonly #writing = new Set<Promise<void>>();
  /** Bytes of the segments among them. */
  #flightBytes = 0;
  readonly #received = new Set<string>();
  #isMerged = false;
  /** What of the data is still to come. */
  readonly #due: Set<string>;

  /** @param selected virtual names that are to come */
  constructor(plan: RestorePlan, selected: ReadonlySet<string>, context: ResourceContext) {
    this.#plan = plan;
    this.#context = context;
    this.#due = new Set([...plan.objects.keys()].filter((path) => selected.has(path)));
    this.#oplog = new OplogRestore(plan, context);
  }

  /** Whether a file's data is wanted. */
  wants(name: string): boolean {
    return this.#plan.objects.has(name) || this.#plan.slices.has(name);
  }

  /** Receives a file whole, verifies it against the manifest, and only then hands it on. Resolves before it is written. */
  async receive(name: string, header: FileHeader, body: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#makeRoom(header.size);
    if (this.#received.has(name)) {
      throw new PluginError("objectMismatch", `Cannot restore ${name}: it came twice`, {
        hint: "Restore the files of each job once.",
      });
    }
    const slice = this.#plan.slices.get(name);
    if (slice === undefined) await this.#receiveData(name, header, body);
    else await this.#oplog.put(name, await receiveVerified(name, header, body, slice));
    this.#received.add(name);
    if (slice !== undefined) this.counts.objects++;
    else if (this.#due.delete(name) && this.#due.size === 0) await this.#endData();
  }

  /** Waits for the last write, refuses what is incomplete, ends the oplog's replay and builds the indexes. */
  async finish(): Promise<void> {
    const missing = [...this.#due, ...this.#plan.slices.keys()].filter((path) => !this.#received.has(path));
    if (missing.length > 0) throw missingObjects(missing);
    // A resource of which no data was to come.
    if (this.#received.size === this.#plan.slices.size) await this.#endData();
    const { log, target } = this.#context;
    this.counts.collections = this.#progress.size;
    this.counts.databases =
      new Set([...this.#progress.keys()].map(({ namespace }) => namespace.database)).size;
    log.info(
      `Restored ${formatNumberOf(this.counts.collections, "collection")}, ${
        formatNumberOf(this.counts.documents, "document")
      }, ` +
        `${formatBytes(this.counts.bytes)} into ${target.description}; every segment matched the manifest`,
    );
    await this.#oplog.finish();
    // Last of all: who may log in finds everything.
    const merged = await this.#context.users?.merge(
      this.#context.drop,
      usersDatabases(this.#plan.jobs[0]!),
    );
    if (merged !== undefined) logMerged(merged, log);
    await this.#context.users?.discard();
    this.#isMerged = true;
  }

  /**
   * Closes the target first: what is still being written after a failure must not wait for a server that doesn't answer, nor for a driver that never
   * says what became of a write whose connection it closed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isMerged) await this.#discardUsers();
    // Nothing further is written.
    this.#context.failure.abort();
    await this.#context.target[Symbol.asyncDispose]();
    await settleWithin(this.#writing, patienceMs);
    this.#oplog[Symbol.dispose]();
    await this.#context.spool[Symbol.asyncDispose]();
  }

  /** After a failure: no record of a user may stay behind, as far as the server still answers. */
  async #discardUsers(): Promise<void> {
    const { users, log } = this.#context;
    if (users === null) return;
    await settleWithin(this.#writing, patienceMs);
    await users.discard(patienceMs).catch((cause) => log.warning(asPluginError(cause).report));
  }

  async #receiveData(name: string, header: FileHeader, body: AsyncIterable<Uint8Array>): Promise<void> {
    const object = this.#plan.objects.get(name);
    if (object === undefined) throw unlisted(name);
    const { collection } = object;
    const bytes = await receiveVerified(
      name,
      header,
      body,
      object.kind === "segment" ? object.segment : object,
    );
    const progress = this.#begin(collection);
    if (object.kind === "metadata") return;
    if (progress.lane !== null && object.index !== progress.segments) {
      throw new PluginError(
        "objectMismatch",
        `Cannot restore ${name}: segment ${object.index} of ${
          formatNamespace(collection.source)
        } came when ` +
          `${progress.segments} was due`,
        { hint: "Restore without a hand-made bootstrap file: the order of the job's files matters here." },
      );
    }
    progress.segments++;
    await this.#whileWriting(() => this.#writing.size >= this.#context.options.parallel_restore);
    const write = () => this.#write(collection, name, bytes, object.segment.documents, progress.created);
    this.#flightBytes += bytes.length;
    const written = progress.lane === null ? write() : progress.lane.run(write);
    this.#track(written.finally(() => this.#flightBytes -= bytes.length));
  }

  /** Waits until there is memory for another segment. */
  async #makeRoom(bytes: number): Promise<void> {
    const maxBytes = (this.#context.options.parallel_restore + 1) * flightMaxBytes;
    await this.#whileWriting(() => this.#flightBytes + bytes > maxBytes);
  }

  /** Waits while something is true, and something is written that may change it. */
  async #whileWriting(isSo: () => boolean): Promise<void> {
    while (this.#writing.size > 0 && isSo()) await Promise.race(this.#writing);
    this.#context.failure.signal.throwIfAborted();
  }

  /** All data has come: once it is written, the oplog may be applied. */
  async #endData(): Promise<void> {
    await Promise.all(this.#writing);
    this.#context.failure.signal.throwIfAborted();
    for (const [collection, { created }] of this.#progress) {
      await created;
      await this.#context.target.finish(collection);
    }
    await this.#oplog.begin();
  }

  #begin(collection: PlannedCollection): Progress {
    let progress = this.#progress.get(collection);
    if (progress === undefined) {
      const { target } = this.#context;
      const created = target.create(collection);
      this.#track(created);
      const lane = target.inOrder(collection) ? new Lane() : null;
      progress = { created, lane, segments: 0 };
      this.#progress.set(collection, progress);
    }
    return progress;
  }

  async #write(
    collection: PlannedCollection,
    name: string,
    bytes: Uint8Array,
    documents: number,
    created: Promise<void>,
  ): Promise<void> {
    const groups = [...groupDocuments(bytes, insertMaxBytes, insertMaxDocuments)];
    const found = groups.reduce((sum, group) => sum + group.documents, 0);
    if (found !== documents) throw mismatch(name, `${documents} documents`, `${found}`);
    await created;
    for (const group of groups) {
      this.#context.failure.signal.throwIfAborted();
      await this.#context.target.write(collection, group.bytes);
      this.counts.documents += group.documents;
      this.counts.bytes += group.bytes.length;
    }
    this.counts.objects++;
  }

  /** Follows a write to its end; its failure stops the whole restore. */
  #track(work: Promise<void>): void {
    const followed: Promise<void> = work.catch((cause) => {
      if (!this.#context.failure.signal.aborted) this.#context.failure.abort(cause);
    }).finally(() => this.#writing.delete(followed));
    this.#writing.add(followed);
  }
}

/** Waits until all work has ended, well or not, but no longer than that. */
async function settleWithin(work: Iterable<Promise<void>>, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([Promise.allSettled(work), promise]);
  clearTimeout(timer);
}

async function receiveVerified(
  name: string,
  header: FileHeader,
  body: AsyncIterable<Uint8Array>,
  want: { readonly size: number; readonly blake3: string },
): Promise<Uint8Array> {
  if (header.size !== want.size) {
    throw mismatch(name, `${want.size} bytes`, `a header that says ${header.size}`);
  }
  const bytes = new Uint8Array(want.size);
  using hasher = new Blake3();
  let received = 0;
  for await (const chunk of body) {
    if (received + chunk.length > bytes.length) throw mismatch(name, `${want.size} bytes`, "more");
    bytes.set(chunk, received);
    hasher.update(chunk);
    received += chunk.length;
  }
  if (received !== want.size) throw mismatch(name, `${want.size} bytes`, `${received}`);
  const digest = hasher.digest().toHex();
  if (digest !== want.blake3) throw mismatch(name, `BLAKE3 ${want.blake3}`, digest);
  return bytes;
}

function mismatch(name: string, want: string, found: string): PluginError {
  return new PluginError(
    "objectMismatch",
    `Cannot restore ${name}: the signed manifest says ${want}, the volume brought ${found}; nothing of this object was applied`,
    {
      hint:
        "The volume or the catalog was damaged or changed. Restore from another copy of the job or from another job.",
    },
  );
}
