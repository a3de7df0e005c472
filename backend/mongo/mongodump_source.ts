/**
 * A source whose documents stock mongodump reads. Catalog, counts and oplog are the source's own, and mongodump reads the very member that they are of.
 *
 * @module
 */

import type { Namespace } from "../namespace.ts";
import type { JobLog, KeyRange, Source } from "../ports.ts";
import { Secret } from "../secret.ts";
import { SourceBehind } from "../source_behind.ts";
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

class MongodumpSource extends SourceBehind {
  readonly #settings: MongodumpSettings;

  constructor(source: Source, settings: MongodumpSettings) {
    super(source);
    this.#settings = settings;
  }

  /** One process reads a whole collection. */
  override splitRanges(): Promise<KeyRange[]> {
    return Promise.resolve([{ min: null, max: null }]);
  }

  /** It isn't told to. */
  override get readsCommitted(): boolean {
    return false;
  }

  override readBatches(namespace: Namespace, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return readByMongodump(namespace, this.#settings, signal);
  }
}
