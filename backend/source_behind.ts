import type { Namespace } from "./namespace.ts";
import type { Collection, Deployment, KeyRange, Oplog, Source, UserCollections } from "./ports.ts";

/** A source that is another one, but for what its heirs do otherwise. It closes the one behind it. */
export class SourceBehind implements Source {
  protected readonly behind: Source;

  constructor(behind: Source) {
    this.behind = behind;
  }

  get deployment(): Deployment {
    return this.behind.deployment;
  }

  get warnings(): readonly string[] {
    return this.behind.warnings;
  }

  get oplog(): Oplog | null {
    return this.behind.oplog;
  }

  get longestOplogSeconds(): number | null {
    return this.behind.longestOplogSeconds;
  }

  listDatabases(): Promise<string[]> {
    return this.behind.listDatabases();
  }

  listCollections(database: string): Promise<Collection[]> {
    return this.behind.listCollections(database);
  }

  listUserCollections(): Promise<UserCollections> {
    return this.behind.listUserCollections();
  }

  splitRanges(collection: Collection, parts: number): Promise<readonly KeyRange[]> {
    return this.behind.splitRanges(collection, parts);
  }

  readBatches(namespace: Namespace, signal: AbortSignal, range?: KeyRange): AsyncIterable<Uint8Array> {
    return this.behind.readBatches(namespace, signal, range);
  }

  countDocuments(namespace: Namespace, exact: boolean): Promise<number> {
    return this.behind.countDocuments(namespace, exact);
  }

  databaseSize(database: string): Promise<number> {
    return this.behind.databaseSize(database);
  }

  lagSeconds(): Promise<number | null> {
    return this.behind.lagSeconds();
  }

  otherOplogs(): AsyncIterable<Oplog> {
    return this.behind.otherOplogs();
  }

  get readsCommitted(): boolean {
    return this.behind.readsCommitted;
  }

  isLoss(cause: unknown): boolean {
    return this.behind.isLoss(cause);
  }

  isDrop(cause: unknown): boolean {
    return this.behind.isDrop(cause);
  }

  isReadable(): Promise<boolean> {
    return this.behind.isReadable();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.behind[Symbol.asyncDispose]();
  }
}
