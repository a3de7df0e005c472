/**
 * A source and a sink in memory, as strict as the real ones: for tests of the engine that no server could be made to fail for.
 *
 * @module
 */

import { deserialize, serialize } from "bson";
import { formatExtendedJson } from "../../backend/bson/extended_json.ts";
import { PluginError } from "../../backend/errors.ts";
import { formatNamespace, type Namespace } from "../../backend/namespace.ts";
import type { DataChunk, FileHeader, ObjectSink, RestoreObject } from "../../backend/objects.ts";
import type {
  Collection,
  Deployment,
  JobLog,
  KeyRange,
  Source,
  UserCollections,
} from "../../backend/ports.ts";

/** A raw BSON array of documents, as a getMore's nextBatch. */
function packArray(documents: readonly Uint8Array[]): Uint8Array {
  const parts = documents.flatMap((
    document,
    index,
  ) => [new TextEncoder().encode(`\x03${index}\0`), document]);
  const length = parts.reduce((sum, part) => sum + part.length, 5);
  const array = new Uint8Array(length);
  new DataView(array.buffer).setInt32(0, length, true);
  let at = 4;
  for (const part of parts) {
    array.set(part, at);
    at += part.length;
  }
  return array;
}

/** A collection of a {@linkcode MemorySource}: its raw documents, and how many of them come in a batch. */
export interface MemoryCollection {
  readonly name: string;
  readonly documents: readonly Uint8Array[];
  readonly batchDocuments?: number;
  readonly capped?: boolean;
  /** What the catalog says of its size. */
  readonly sizeHintBytes?: number;
}

/** What may go wrong, by namespace. */
export interface SourceFaults {
  /** The cursor is lost after so many batches. */
  readonly loseCursorAfter?: ReadonlyMap<string, number>;
  /** The collection has another UUID when it is looked at again. */
  readonly remade?: ReadonlySet<string>;
  /** The server counts so many documents. */
  readonly counts?: ReadonlyMap<string, number>;
  /** The last document is another one each time that it is read. */
  readonly rotting?: ReadonlySet<string>;
  /** How far the member is behind, each time it is asked; then not at all. */
  readonly lagSeconds?: (number | null)[];
}

export class MemorySource implements Source {
  readonly warnings: readonly string[] = [];
  readonly oplog = null;
  readonly readsCommitted = false;
  readonly deployment: Deployment = {
    kind: "replicaSet",
    setName: "memory",
    setId: null,
    serverVersion: "6.0.0",
    featureCompatibilityVersion: "6.0",
    source: "memory:1",
    sourceState: "SECONDARY",
    chosenBy: "",
    members: [],
  };
  readonly #databases: ReadonlyMap<string, readonly MemoryCollection[]>;
  readonly #faults: SourceFaults;
  readonly #userCollections: readonly string[];
  #readings = 0;
  readonly #listed = new Map<string, number>();

  /** @param userCollections where it keeps users and roles; what they hold stands under `admin`, hidden */
  constructor(
    databases: Record<string, readonly MemoryCollection[]>,
    faults: SourceFaults = {},
    userCollections: readonly string[] = [],
  ) {
    this.#userCollections = userCollections;
    this.#databases = new Map(Object.entries(databases));
    this.#faults = faults;
  }

  listDatabases(): Promise<string[]> {
    return Promise.resolve([...this.#databases.keys()].sort());
  }

  listCollections(database: string): Promise<Collection[]> {
    const times = (this.#listed.get(database) ?? 0) + 1;
    this.#listed.set(database, times);
    return Promise.resolve(
      (this.#databases.get(database) ?? []).filter(({ name }) => !name.startsWith("system.")).map(
        ({ name, capped = false, sizeHintBytes = 0 }) => {
          const namespace = { database, collection: name };
          const remade = times > 1 && this.#faults.remade?.has(formatNamespace(namespace));
          return {
            namespace,
            kind: "collection",
            data: namespace,
            uuid: (remade ? "b" : "a").repeat(32),
            sizeHintBytes,
            unfinishedIndexes: [],
            metadata: formatExtendedJson(
              serialize({ options: capped ? { capped } : {}, indexes: [], collectionName: name }),
            ),
          };
        },
      ),
    );
  }

  listUserCollections(): Promise<UserCollections> {
    const collections = this.#userCollections.map((collection) => {
      const namespace = { database: "admin", collection };
      const metadata = '{"options":{},"indexes":[]}';
      return {
        namespace,
        kind: "collection",
        data: namespace,
        uuid: null,
        sizeHintBytes: 0,
        unfinishedIndexes: [],
        metadata,
      } as const;
    });
    return Promise.resolve({ collections, authSchema: null });
  }

  /** Ranges by a document's place: bounds are whole documents, which nobody but this source looks at. */
  splitRanges({ namespace }: Collection, parts: number): Promise<KeyRange[]> {
    const { documents } = this.#find(namespace);
    const count = Math.max(Math.min(parts, documents.length), 1);
    const bounds = Array.from(
      { length: count + 1 },
      (_, at) =>
        at === 0 || at === count ? null : serialize({ _id: Math.floor(at * documents.length / count) }),
    );
    return Promise.resolve(bounds.slice(1).map((max, at) => ({ min: bounds[at]!, max })));
  }

  async *readBatches(
    namespace: Namespace,
    signal: AbortSignal,
    range?: KeyRange,
  ): AsyncGenerator<Uint8Array> {
    const { documents: found, batchDocuments = 100 } = this.#find(namespace);
    const all = this.#faults.rotting?.has(formatNamespace(namespace)) ? this.#rot(found) : found;
    const place = (bound: Uint8Array | null | undefined, otherwise: number) =>
      bound ? Number(deserialize(bound)["_id"]) : otherwise;
    const documents = all.slice(place(range?.min, 0), place(range?.max, all.length));
    const lost = this.#faults.loseCursorAfter?.get(formatNamespace(namespace)) ?? Infinity;
    let batches = 0;
    for (let from = 0; from < Math.max(documents.length, 1); from += batchDocuments) {
      signal.throwIfAborted();
      if (batches++ >= lost) {
        throw new PluginError("incompleteRead", `Cannot read ${formatNamespace(namespace)} to its end`);
      }
      // A real cursor never answers at once.
      await Promise.resolve();
      yield packArray(documents.slice(from, from + batchDocuments));
    }
  }

  #rot(documents: readonly Uint8Array[]): Uint8Array[] {
    const readings = ++this.#readings;
    return documents.map((document, at) =>
      at === documents.length - 1 ? serialize({ ...deserialize(document), readings }) : document
    );
  }

  countDocuments(namespace: Namespace): Promise<number> {
    return Promise.resolve(
      this.#faults.counts?.get(formatNamespace(namespace)) ?? this.#find(namespace).documents.length,
    );
  }

  databaseSize(database: string): Promise<number> {
    const collections = this.#databases.get(database) ?? [];
    return Promise.resolve(
      collections.flatMap(({ documents }) => documents).reduce((sum, { length }) => sum + length, 0),
    );
  }

  readonly longestOplogSeconds: number | null = null;

  lagSeconds(): Promise<number | null> {
    const lag = this.#faults.lagSeconds?.shift();
    return Promise.resolve(lag === undefined ? 0 : lag);
  }

  async *otherOplogs(): AsyncGenerator<never> {}

  isLoss(): boolean {
    return false;
  }

  isDrop(): boolean {
    return false;
  }

  isReadable(): Promise<boolean> {
    return Promise.resolve(true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #find({ database, collection }: Namespace): MemoryCollection {
    const found = this.#databases.get(database)?.find(({ name }) => name === collection);
    if (found === undefined) throw new Error(`no such collection: ${database}.${collection}`);
    return found;
  }
}

/** Keeps what it is sent, and refuses two objects at once. */
export class MemorySink implements ObjectSink {
  readonly files = new Map<string, { header: FileHeader; bytes: Uint8Array }>();
  readonly restoreObjects: RestoreObject[] = [];
  #open = false;
  readonly #failAfter: number;

  /** @param failAfter files after which it is broken */
  constructor(failAfter = Infinity) {
    this.#failAfter = failAfter;
  }

  async sendFile(header: FileHeader, body: Iterable<DataChunk> | AsyncIterable<DataChunk>): Promise<void> {
    if (this.#open) throw new Error("two objects at once");
    if (this.files.size >= this.#failAfter) throw new PluginError("peerGone", "The other end is gone");
    this.#open = true;
    const bytes = new Uint8Array(header.size);
    let at = 0;
    for await (const chunk of body) {
      bytes.set(chunk.bytes, at);
      at += chunk.bytes.length;
      await Promise.resolve();
    }
    if (at !== header.size || this.files.has(header.name)) {
      throw new Error(`wrong size or name twice: ${header.name}`);
    }
    this.files.set(header.name, { header, bytes });
    this.#open = false;
  }

  sendRestoreObject(object: RestoreObject): Promise<void> {
    this.restoreObjects.push({ ...object, bytes: object.bytes.slice() });
    return Promise.resolve();
  }
}

/** A log that keeps its lines. */
export class MemoryLog implements JobLog {
  readonly lines: string[] = [];

  info(text: string): void {
    this.lines.push(`info ${text}`);
  }

  warning(text: string): void {
    this.lines.push(`warning ${text}`);
  }

  error(text: string): void {
    this.lines.push(`error ${text}`);
  }
}
