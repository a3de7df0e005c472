/**
 * What the core needs of the outside world. Rooms of layer 3 know these interfaces and nothing behind them.
 *
 * @module
 */

import type { Namespace } from "./namespace.ts";
import type { OplogPosition } from "./timestamp.ts";

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
}

/** The server that is read or written, as found when it was opened. */
export interface Deployment {
  readonly kind: "replicaSet" | "standalone";
  /** Name of the replica set, or null for a standalone server. */
  readonly setName: string | null;
  readonly serverVersion: string;
  readonly featureCompatibilityVersion: string;
  /** `host:port` of the picked member. */
  readonly source: string;
  /** State of the picked member, as in `rs.status()`; `STANDALONE` for a standalone server. */
  readonly sourceState: string;
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
  /** One line of canonical Extended JSON: `{"options":{…},"indexes":[…],"uuid":"…","collectionName":"…","type":"…"}`. */
  readonly metadata: string;
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
   * The raw BSON arrays of a collection's batches in natural order, each `nextBatch` as the server sent it. The next batch is
   * requested before the last one is handed out. Ends only when the server closed the cursor as exhausted.
   *
   * @throws PluginError `incompleteRead` when the cursor is lost before its end
   */
  readBatches(namespace: Namespace, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Documents as the server's metadata counts them (`exact: false`) or as an index scan counts them (`exact: true`). */
  countDocuments(namespace: Namespace, exact: boolean): Promise<number>;
  /** The newest majority-committed oplog entry's place, or null without an oplog. */
  oplogTip(): Promise<OplogPosition | null>;
}

/** Where a restore writes: a server, or a directory in mongodump's layout. */
export interface Target extends AsyncDisposable {
  /** What it is, for the job log: `replica set rs0 at host:port` or `directory /x`. */
  readonly description: string;
  /** Whether a collection's documents must be written one call after another, in their order. */
  inOrder(collection: RestoredCollection): boolean;
  /** Those of the given collections that exist there and hold data. */
  findOccupied(collections: readonly RestoredCollection[]): Promise<Namespace[]>;
  /** Removes a collection and all that belongs to it. */
  drop(collection: RestoredCollection): Promise<void>;
  /** Makes the collection with its options, without indexes. */
  create(collection: RestoredCollection): Promise<void>;
  /** Adds whole documents, one after another in `documents`; resolves when the server has them. */
  write(collection: RestoredCollection, documents: Uint8Array): Promise<void>;
  /** Builds the collection's indexes, or whatever comes after the last document. */
  finish(collection: RestoredCollection): Promise<void>;
}

/** A collection as a manifest describes it. */
export type RestoredCollection = Pick<Collection, "namespace" | "kind" | "data" | "metadata">;

/** A piece of an object's bytes, at most a frame's payload; valid until the sink asks for the next one. */
export interface DataChunk {
  readonly bytes: Uint8Array;
  /** CRC32C of `bytes`, where it was taken on the way. */
  readonly crc32c?: number;
}

/** A virtual file's header. Times in Unix seconds. */
export interface FileHeader {
  readonly name: string;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
}

/** A restore object of Bacula: kept in the catalog and handed back before the first file of a restore. */
export interface RestoreObject {
  /** Bacula's file type: 25 comes back as it was, 27 is the form of restore options, 28 the filled form. */
  readonly objectType: 25 | 27 | 28;
  readonly index: number;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A restore object's header: what is known of it before its bytes. */
export interface RestoreObjectHeader extends Omit<RestoreObject, "bytes"> {
  readonly size: number;
  /** Job that saved it; 0 on backup. */
  readonly jobId: number;
  /** Plugin command that it was saved under, cut by Bacula at 1,000 bytes; "" on backup. */
  readonly command: string;
}

/** Where a backup's objects go, one at a time, in the order of the calls. Each call resolves when the bytes are out of the process. */
export interface ObjectSink {
  sendFile(header: FileHeader, body: Iterable<DataChunk> | AsyncIterable<DataChunk>): Promise<void>;
  sendRestoreObject(object: RestoreObject): Promise<void>;
}

/** Takes one object's bytes. A piece is a view that ends with its call. */
export interface ObjectWriter {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Where the objects of a backup arrive. */
export interface ObjectReceiver {
  file(header: FileHeader): Promise<ObjectWriter>;
  restoreObject(header: RestoreObjectHeader): Promise<ObjectWriter>;
  /** All is there and counted: makes it last. The backup is good only if this resolves. */
  commit(): Promise<void>;
}

/** One line of the job's log. Never given a secret. */
export interface JobLog {
  info(text: string): void;
  warning(text: string): void;
  error(text: string): void;
}

/** The wall clock. */
export interface Clock {
  now(): Date;
}
