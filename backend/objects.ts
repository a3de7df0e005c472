/**
 * The objects of a job, as Bacula knows them, and where they go to and come from.
 *
 * @module
 */

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
