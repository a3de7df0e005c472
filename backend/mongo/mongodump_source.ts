/**
 * A source whose documents stock mongodump reads. Catalog, counts and oplog are the source's own, and mongodump reads the very member that they are of.
 *
 * @module
 */

import type { Namespace } from "../namespace.ts";
import type { Collection, Deployment, JobLog, KeyRange, Oplog, Source, UserCollections } from "../ports.ts";
import { Secret } from "../secret.ts";
import { replaceHosts } from "./client.ts";
import { findMongodump, type MongodumpSettings, readByMongodump } from "./mongodump.ts";

/** What an engine of the machine's own needs. */
interface MongodumpEnvironment {
  /** Folder of the tools, as this machine's operator named it. */
  readonly tools: string | undefined;
  readonly workingDirectory: string;
  readonly log: JobLog;
  readonly silenceMs?: number;
}

/** The same source, read by mongodump; it closes the one that it is made of. */
export async function readThroughMongodump(
  source: Source,
  uri: Secret,
  { tools, workingDirectory, ...more }: MongodumpEnvironment,
): Promise<Source> {
  const program = await findMongodump(tools);
  const memberUri = new Secret(memberUriFor(uri.reveal(), source.deployment.source));
  return new MongodumpSource(source, { program, uri: memberUri, directory: workingDirectory, ...more });
}

/**
 * A connection string that leads mongodump to one member and no other. It takes no database beside --db: what that says of the user's own database is
 * said by authSource.
 */
export function memberUriFor(uri: string, host: string): string {
  const [address, query = ""] = replaceHosts(uri, host).split("?", 2) as [string, string?];
  const [, base, database = ""] = /^(mongodb:\/\/[^/]*)\/?(.*)$/s.exec(address) ?? [];
  const settings = new URLSearchParams(query);
  if (database !== "" && !settings.has("authSource") && base!.includes("@")) {
    settings.set("authSource", decodeURIComponent(database));
  }
  settings.set("directConnection", "true");
  return `${base}/?${settings}`;
}

class MongodumpSource implements Source {
  readonly deployment: Deployment;
  readonly warnings: readonly string[];
  readonly oplog: Oplog | null;
  readonly #source: Source;
  readonly #settings: MongodumpSettings;

  constructor(source: Source, settings: MongodumpSettings) {
    this.#source = source;
    this.#settings = settings;
    this.deployment = source.deployment;
    this.warnings = source.warnings;
    this.oplog = source.oplog;
  }

  listDatabases(): Promise<string[]> {
    return this.#source.listDatabases();
  }

  listCollections(database: string): Promise<Collection[]> {
    return this.#source.listCollections(database);
  }

  listUserCollections(): Promise<UserCollections> {
    return this.#source.listUserCollections();
  }

  /** One process reads a whole collection. */
  splitRanges(): Promise<KeyRange[]> {
    return Promise.resolve([{ min: null, max: null }]);
  }

  readBatches(namespace: Namespace, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return readByMongodump(namespace, this.#settings, signal);
  }

  countDocuments(namespace: Namespace, exact: boolean): Promise<number> {
    return this.#source.countDocuments(namespace, exact);
  }

  databaseSize(database: string): Promise<number> {
    return this.#source.databaseSize(database);
  }

  lagSeconds(): Promise<number | null> {
    return this.#source.lagSeconds();
  }

  otherOplogs(): AsyncIterable<Oplog> {
    return this.#source.otherOplogs();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]();
  }
}
