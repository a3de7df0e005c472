/**
 * What the core needs of the outside world. Rooms of layer 3 know these interfaces and nothing behind them.
 *
 * @module
 */

import type { Namespace } from "./namespace.ts";
import type { OplogPosition, Timestamp } from "./timestamp.ts";

/** A member of a replica set as the picked member sees it. */
export interface Member {
  /** `host:port` */
  readonly host: string;
  /** `PRIMARY`, `SECONDARY`, `ARBITER`, … as in `rs.status()`. */
  readonly state: string;
  readonly healthy: boolean;
  readonly hidden: boolean;
  /** Seconds behind the primary's last write, or null where the member doesn't say. */
  readonly lagSeconds: number | null;
  /** The higher the better; null for one that can't be read, or may not. */
  readonly score: number | null;
  /** What speaks for it, or against it. */
  readonly reason: string;
}

/** The server that is read or written, as found when it was opened. */
export interface Deployment {
  readonly kind: "replicaSet" | "standalone";
  /** Name of the replica set, or null for a standalone server. */
  readonly setName: string | null;
  /** The set's own id (hexadecimal ObjectId), which no other set of that name has; null where it may not be asked for. */
  readonly setId: string | null;
  readonly serverVersion: string;
  readonly featureCompatibilityVersion: string;
  /** `host:port` of the picked member. */
  readonly source: string;
  /** State of the picked member, as in `rs.status()`; `STANDALONE` for a standalone server. */
  readonly sourceState: string;
  /** By which rules it was picked, as `option=value`; empty where there was no choice. */
  readonly chosenBy: string;
  /** The best first. */
  readonly members: readonly Member[];
}

/** `timeseries` keeps its documents in a bucket collection; a `view` has none. */
export type CollectionKind = "collection" | "timeseries" | "view";

/** A collection of the source, as its catalog describes it. */
export interface Collection {
  readonly namespace: Namespace;
  readonly kind: CollectionKind;
  /** Where the documents are: the namespace itself, the bucket collection of a time series, null for a view. */
  readonly data: Namespace | null;
  /** Hexadecimal UUID without dashes, or null where the server gives none. */
  readonly uuid: string | null;
  /** Size of its documents as the catalog counts them, for the order of work and for estimates. */
  readonly sizeHintBytes: number;
  /** Names of its indexes that are still being built, and are not in the metadata. */
  readonly unfinishedIndexes: readonly string[];
  /** One line of canonical Extended JSON: `{"options":{…},"indexes":[…],"uuid":"…","collectionName":"…","type":"…"}`. */
  readonly metadata: string;
}

/** Where a server keeps its users and roles. */
export interface UserCollections {
  /** `admin.system.users`, `admin.system.roles` and `admin.system.version`; empty where there are neither users nor roles. */
  readonly collections: readonly Collection[];
  /** Version of the form of users' records, or null where the server doesn't say. */
  readonly authSchema: number | null;
}

/** A part of a collection: the documents from one `_id` up to another in the order of its index, each bound a raw document `{_id: …}`. */
export interface KeyRange {
  /** The first that belongs to it, null for no bound. */
  readonly min: Uint8Array | null;
  /** The first that doesn't any more, null for no bound. */
  readonly max: Uint8Array | null;
}

/** What a member's oplog reaches over. */
export interface OplogWindow {
  readonly oldest: Timestamp;
  readonly newest: Timestamp;
  /** Bytes of its entries, and how many it holds before it drops the oldest; null where the member doesn't say. */
  readonly size: { readonly bytes: number; readonly maxBytes: number } | null;
}

/** One member's oplog. */
export interface Oplog extends AsyncDisposable {
  /** `host:port` of the member. */
  readonly host: string;
  window(): Promise<OplogWindow>;
  /** The newest entry that the member has applied, whether a majority has it or not. */
  newest(): Promise<OplogPosition>;
  /** The newest entry that a majority has. */
  committed(): Promise<OplogPosition>;
  /** The entry at a timestamp, or null where there is none. */
  find(at: Timestamp): Promise<OplogPosition | null>;
  /**
   * The last entry before a timestamp.
   *
   * @throws PluginError `oplogGap` where there is none any more
   */
  before(at: Timestamp): Promise<OplogPosition>;
  /** How often the member has rolled back, where it says so. */
  rollbacks(): Promise<number | null>;
  /** First entry of the oldest transaction that has entries up to `at` and was neither committed nor aborted by then, or null. */
  oldestOpenTransaction(at: Timestamp): Promise<OplogPosition | null>;
  /**
   * The raw BSON arrays of the entries from `from` up to and including `to`, in their order.
   *
   * @throws PluginError `oplogUnavailable` when they can't be read to their end
   */
  readBatches(from: Timestamp, to: Timestamp, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Where a backup reads. Every read goes to the one picked member. */
export interface Source extends AsyncDisposable {
  readonly deployment: Deployment;
  /** Things that the operator should know about the choice of the member, one sentence each. */
  readonly warnings: readonly string[];
  /** Names of all databases but `local` and `config`, sorted by bytes. */
  listDatabases(): Promise<string[]>;
  /** Every collection of a database that holds users' data, sorted by name; see the room's own rules for what is left out. */
  listCollections(database: string): Promise<Collection[]>;
  /**
   * Where the server keeps its users and roles.
   *
   * @throws PluginError `authentication` when they may not be read
   */
  listUserCollections(): Promise<UserCollections>;
  /**
   * Cuts a collection into at most `parts` ranges, in their order, that together are every `_id` of whatever type. One without bounds where it
   * can only be read as a whole.
   */
  splitRanges(collection: Collection, parts: number): Promise<readonly KeyRange[]>;
  /**
   * The raw BSON arrays of a collection's batches, each as the server sent it: all documents in natural order, or those of a range in the order
   * of its index, as a majority of the set has them. The next batch is requested before the last one is handed out. Ends only when the server closed the cursor as exhausted.
   *
   * @throws PluginError `incompleteRead` when the cursor is lost before its end
   */
  readBatches(namespace: Namespace, signal: AbortSignal, range?: KeyRange): AsyncIterable<Uint8Array>;
  /** Documents as the server's metadata counts them (`exact: false`) or as an index scan counts them (`exact: true`). */
  countDocuments(namespace: Namespace, exact: boolean): Promise<number>;
  /** Bytes of a database's documents as the server counts them, 0 where it doesn't say. */
  databaseSize(database: string): Promise<number>;
  /** Seconds that the picked member is behind its primary, but for those that it is on purpose, as it knows it itself; 0 for one that can't be, null where it doesn't say. */
  lagSeconds(): Promise<number | null>;
  /** The picked member's oplog, closed with the source; null for a server without one. */
  readonly oplog: Oplog | null;
  /** How far the longest oplog reaches of the members that were asked when one was picked; null where none was. */
  readonly longestOplogSeconds: number | null;
  /** Oplogs of the set's other members that can be read now. The caller closes each. */
  otherOplogs(): AsyncIterable<Oplog>;
  /** Whether documents are read as a majority of the set has them: neither a restart nor a rollback takes back what was read so. */
  readonly readsCommitted: boolean;
  /** Whether a failure came of the picked member's going away, so that the same may be asked again when it is back. */
  isLoss(cause: unknown): boolean;
  /** Whether a failure came of a collection's being dropped while it was read, or renamed. */
  isDrop(cause: unknown): boolean;
  /** Whether the picked member can be read now. */
  isReadable(): Promise<boolean>;
}

/** Where a restore writes: a server, or a directory in mongodump's layout. */
export interface Target extends AsyncDisposable {
  /** What it is, for the job log: `replica set rs0 at host:port` or `directory /x`. */
  readonly description: string;
  /** Whether a collection's documents must be written one call after another, in their order. */
  inOrder(collection: RestoredCollection): boolean;
  /**
   * Refuses what it can't take, before anything in it is touched.
   *
   * @throws PluginError `restoreTarget`
   */
  check(collections: readonly RestoredCollection[]): Promise<void>;
  /** Those of the given collections that exist there and hold data. */
  findOccupied(collections: readonly RestoredCollection[]): Promise<Namespace[]>;
  /** Removes a collection and all that belongs to it. */
  drop(collection: RestoredCollection): Promise<void>;
  /** Makes the collection with its options, without indexes. */
  create(collection: RestoredCollection): Promise<void>;
  /** Adds whole documents, one after another in `documents`; resolves when the server has them. */
  write(collection: RestoredCollection, documents: Uint8Array): Promise<void>;
  /** What comes after the last document, but not the indexes. */
  finish(collection: RestoredCollection): Promise<void>;
  /** What it does with the oplog. */
  readonly oplog: OplogTarget;
  /** Takes users and roles that were gathered; null where they are as any other collection. */
  readonly users: UsersTarget | null;
}

/** A server's own users and roles. */
export interface UsersTarget {
  /**
   * Refuses records that the server can't take, and a login that may not bring any; before anything is written.
   *
   * @param authSchema version of their form, null where that isn't known
   * @throws PluginError `restoreTarget`, `authentication`
   */
  check(authSchema: number | null, drop: boolean): Promise<void>;
  /**
   * Removes what is gathered, if anything is.
   *
   * @param patienceMs longest wait for the server, for each of the two collections; without it, as long as it takes
   */
  discard(patienceMs?: number): Promise<void>;
  /**
   * Makes what was gathered the server's own, and removes it from where it was gathered. The user who is logged in and the roles of that user stay as they are.
   *
   * @param drop whether others are replaced, and those that weren't gathered removed
   * @param databases those whose users and roles were gathered, and may be removed; null for all
   * @throws PluginError `restoreWrite` unless all of them are there then
   */
  merge(drop: boolean, databases: readonly string[] | null): Promise<MergedUsers>;
}

/** What became of users and roles; each by its name, `database.user`. */
export interface MergedUsers {
  readonly users: number;
  readonly roles: number;
  /** Those that were there already and stay as they were. */
  readonly kept: readonly string[];
  /** Whom the restore is logged in as, with all roles of their own making. */
  readonly own: readonly string[];
  readonly removed: readonly string[];
}

/** A server replays the oplog, a directory keeps it. */
export type OplogTarget =
  | { readonly kind: "server"; readonly replay: ReplayTarget }
  | {
    readonly kind: "directory";
    /** Says of which server the data is; `replace`: also where an earlier restore said otherwise, which is refused without. */
    describe(serverVersion: string, replace: boolean): Promise<void>;
    /** Whether an earlier restore left an oplog there. */
    exists(): Promise<boolean>;
    /** Removes that. */
    discard(): Promise<void>;
    /** Adds whole entries, one after another in `entries`. */
    append(entries: Uint8Array): Promise<void>;
  };

/** A server to which an oplog is replayed. Nothing is sure to last before {@linkcode ReplayTarget.settle} has resolved. */
export interface ReplayTarget {
  /** Whether it deletes from capped collections when it is told to; otherwise it only evicts by itself, as the source did. */
  readonly deletesFromCapped: boolean;
  /** In which form it takes updates of single fields: `{$v: 2, diff: …}`, or `{$v: 1, $set: …}`. */
  readonly updates: "diffs" | "modifiers";
  /**
   * Applies a raw BSON array of operations with `op`, `ns`, `o` and, where it takes one, `o2`: each as often as need be, with the same outcome.
   *
   * @param lenient whether an update of what isn't there is nothing: the data may be newer than the entry
   * @throws PluginError `replay` with the operation that failed
   */
  applyOperations(operations: Uint8Array, lenient: boolean): Promise<void>;
  /** Runs a raw command document. */
  runCommand(database: string, command: Uint8Array): Promise<void>;
  /** Drops a collection, if it is there. */
  dropCollection(namespace: Namespace): Promise<void>;
  renameCollection(from: Namespace, to: Namespace, dropTarget: boolean): Promise<void>;
  /**
   * Waits until as many members of the set as were asked for have everything that was written; resolves to whether a majority has it. Only where
   * less was asked for may it be false.
   */
  settle(): Promise<boolean>;
  /**
   * Builds raw index specifications; resolves to what the operator should know, one sentence each. `isCollated`: the collection has a collation of
   * its own.
   *
   * @throws PluginError `restoreIndex` with all that could not be built, when the others are
   */
  buildIndexes(
    namespace: Namespace,
    indexes: readonly Uint8Array[],
    isCollated: boolean,
  ): Promise<readonly string[]>;
}

/** Bytes put aside, outside of memory, until the restore ends. */
export interface Spool extends AsyncDisposable {
  put(bytes: Uint8Array): Promise<SpooledBytes>;
  get(piece: SpooledBytes): Promise<Uint8Array>;
}

/** Where in the spool some bytes are. */
export interface SpooledBytes {
  readonly offset: number;
  readonly length: number;
}

/** A collection as a manifest describes it. */
export type RestoredCollection = Pick<Collection, "namespace" | "kind" | "data" | "metadata">;

/** A collection in a folder that mongodump wrote. */
export interface DumpedCollection extends RestoredCollection {
  readonly uuid: string | null;
}

/** A folder that mongodump wrote. */
export interface Dump {
  readonly path: string;
  /** Version of the server that was dumped, and of the tool; `unknown` where the folder doesn't say. */
  readonly serverVersion: string;
  readonly toolVersion: string;
  /** Sorted by database, then by name. */
  readonly collections: readonly DumpedCollection[];
  /** Things that are there and aren't restored, one sentence each. */
  readonly warnings: readonly string[];
  /** Null where there is no oplog, or nothing in it. */
  readonly oplog: DumpedOplog | null;
  /** Version of the form of users' records, null where the folder doesn't say. */
  readonly authSchema: number | null;
  /**
   * A collection's documents as raw BSON arrays; each is a view that ends with the next one.
   *
   * @throws PluginError `objectDamaged` with the file and the offset
   */
  readBatches(collection: DumpedCollection, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The oplog in such a folder. */
export interface DumpedOplog extends Pick<Oplog, "host" | "committed" | "readBatches"> {
  /** Right before its first entry. */
  readonly from: OplogPosition;
}

/** One line of the job's log. Never given a secret. */
export interface JobLog {
  info(text: string): void;
  warning(text: string): void;
  error(text: string): void;
}

/** The machine's clocks. */
export interface Clock {
  /** The wall clock, which may be set at any time: for what is written down, never for how long something took. */
  now(): Date;
  /** Milliseconds of a clock that nobody sets, from whatever start. */
  monotonicMs(): number;
}
