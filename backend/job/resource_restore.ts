/**
 * The restore of one resource: verified segments go into the target, a few at a time, and nothing that isn't verified.
 *
 * @module
 */

import { Blake3 } from "../../wasm/hasher.ts";
import { groupDocuments } from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import { insertMaxBytes, insertMaxDocuments } from "../limits.ts";
import type { Manifest } from "../manifest/schema.ts";
import { formatNamespace } from "../namespace.ts";
import type { FileHeader, JobLog, Target } from "../ports.ts";
import { Lane } from "./lane.ts";
import { isManifestPath } from "./object_path.ts";
import {
  indexObjects,
  knownObject,
  missingObjects,
  nameCollections,
  planCollections,
  type PlannedCollection,
  type PlannedObject,
} from "./restore_plan.ts";
import { formatBytes, formatNumberOf } from "./wording.ts";

/** Segments that may be in memory, received or being written. */
const segmentsInFlight = 4;

/** How far a collection's restore has come. */
interface Progress {
  readonly created: Promise<void>;
  readonly lane: Lane | null;
  readonly received: Set<string>;
}

/** Counts of what a restore has written. */
export interface RestoreCounts {
  databases: number;
  collections: number;
  documents: number;
  bytes: number;
  objects: number;
}

/** Begin with {@linkcode ResourceRestore.begin}, give it each file, then finish it. */
export class ResourceRestore {
  readonly counts: RestoreCounts = { databases: 0, collections: 0, documents: 0, bytes: 0, objects: 0 };
  readonly #objects: Map<string, PlannedObject>;
  readonly #target: Target;
  readonly #log: JobLog;
  readonly #failure: AbortController;
  readonly #progress = new Map<PlannedCollection, Progress>();
  readonly #writing = new Set<Promise<void>>();

  private constructor(
    objects: Map<string, PlannedObject>,
    target: Target,
    log: JobLog,
    failure: AbortController,
  ) {
    this.#objects = objects;
    this.#target = target;
    this.#log = log;
    this.#failure = failure;
  }

  /**
   * Plans the restore of `selected` virtual names and makes room for it: nothing has been written before, and nothing is when it throws.
   *
   * @param failure aborted with the cause as soon as a write fails
   */
  static async begin(
    manifest: Manifest,
    selected: ReadonlySet<string>,
    target: Target,
    options: { drop: boolean; log: JobLog; failure: AbortController },
  ): Promise<ResourceRestore> {
    const objects = indexObjects(manifest);
    const collections = planCollections(objects, selected);
    const documents = collections.reduce((sum, one) => sum + one.documents, 0);
    const bytes = collections.reduce((sum, one) => sum + one.bytes, 0);
    options.log.info(
      `Plan: ${formatNumberOf(collections.length, "collection")}, ${formatNumberOf(documents, "document")}, ${
        formatBytes(bytes)
      } ` +
        `of resource "${manifest.resource}" into ${target.description}`,
    );
    const occupied = new Set((await target.findOccupied(collections)).map(formatNamespace));
    const inTheWay = collections.filter(({ namespace }) => occupied.has(formatNamespace(namespace)));
    if (inTheWay.length > 0 && !options.drop) {
      throw new PluginError(
        "restoreTarget",
        `Cannot restore into ${target.description}: ${nameCollections(inTheWay)} ${
          inTheWay.length === 1 ? "is" : "are"
        } not empty`,
        {
          hint:
            "Drop or rename what is there, or say drop=yes: in bconsole at the restore's prompt with mod, Plugin Options, " +
            "or in the plugin command of a stand-alone restore.",
        },
      );
    }
    if (inTheWay.length > 0) {
      options.log.warning(`drop=yes: removing ${nameCollections(inTheWay)} from ${target.description}`);
    }
    for (const collection of collections) {
      if (options.drop) await target.drop(collection);
    }
    return new ResourceRestore(objects, target, options.log, options.failure);
  }

  /** Whether a file's data is wanted. */
  wants(name: string): boolean {
    return !isManifestPath(name);
  }

  /** Receives a file whole, verifies it against the manifest, and only then hands it to the target. Resolves before it is written. */
  async receive(name: string, header: FileHeader, body: AsyncIterable<Uint8Array>): Promise<void> {
    while (this.#writing.size >= segmentsInFlight) await Promise.race(this.#writing);
    this.#failure.signal.throwIfAborted();
    const object = knownObject(this.#objects, name);
    const { collection } = object;
    const want = object.kind === "segment" ? object.segment : object;
    const bytes = await receiveVerified(name, header, body, want);
    const progress = this.#begin(collection);
    if (object.kind === "metadata") return;
    if (progress.received.has(name)) {
      throw new PluginError("objectMismatch", `Cannot restore ${name}: it came twice`, {
        hint: "Restore the files of one job only.",
      });
    }
    if (progress.lane !== null && object.index !== progress.received.size) {
      throw new PluginError(
        "objectMismatch",
        `Cannot restore ${name}: segment ${object.index} of ${
          formatNamespace(collection.namespace)
        } came when ` +
          `${progress.received.size} was due`,
        { hint: "Restore without a hand-made bootstrap file: the order of the job's files matters here." },
      );
    }
    progress.received.add(name);
    const write = () => this.#write(collection, name, bytes, object.segment.documents, progress.created);
    this.#track(progress.lane === null ? write() : progress.lane.run(write));
  }

  /** Waits for the last write, refuses what is incomplete, and builds the indexes. */
  async finish(): Promise<void> {
    await Promise.all(this.#writing);
    this.#failure.signal.throwIfAborted();
    const missing = [...this.#progress].flatMap(([collection, { received }]) =>
      collection.segments.filter(({ path }) => !received.has(path)).map(({ path }) => path)
    );
    if (missing.length > 0) throw missingObjects(missing);
    for (const [collection, { created }] of this.#progress) {
      await created;
      await this.#target.finish(collection);
    }
    this.counts.collections = this.#progress.size;
    this.counts.databases =
      new Set([...this.#progress.keys()].map(({ namespace }) => namespace.database)).size;
    this.#log.info(
      `Restored ${formatNumberOf(this.counts.collections, "collection")}, ${
        formatNumberOf(this.counts.documents, "document")
      }, ` +
        `${
          formatBytes(this.counts.bytes)
        } into ${this.#target.description}; every segment matched the manifest`,
    );
  }

  /** Closes the target first: what is still being written after a failure must not wait for a server that doesn't answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
    await Promise.allSettled(this.#writing);
  }

  #begin(collection: PlannedCollection): Progress {
    let progress = this.#progress.get(collection);
    if (progress === undefined) {
      const created = this.#target.create(collection);
      this.#track(created);
      const lane = this.#target.inOrder(collection) ? new Lane() : null;
      progress = { created, lane, received: new Set() };
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
      this.#failure.signal.throwIfAborted();
      await this.#target.write(collection, group.bytes);
      this.counts.documents += group.documents;
      this.counts.bytes += group.bytes.length;
    }
    this.counts.objects++;
  }

  /** Follows a write to its end; its failure stops the whole restore. */
  #track(work: Promise<void>): void {
    const followed: Promise<void> = work.catch((cause) => {
      if (!this.#failure.signal.aborted) this.#failure.abort(cause);
    }).finally(() => this.#writing.delete(followed));
    this.#writing.add(followed);
  }
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
