/**
 * A source whose documents stock mongodump reads. Catalog, counts and oplog are the source's own, and mongodump reads the very member that they are of.
 *
 * @module
 */

import type { Namespace } from "../namespace.ts";
import type { KeyRange, Source } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { SourceBehind } from "../source_behind.ts";
import { findTool, type ToolEnvironment, type ToolSettings } from "./database_tool.ts";
import { toolUri } from "./member_uri.ts";
import { readByMongodump } from "./mongodump.ts";

/** The same source, read by mongodump; it closes the one that it is made of. */
export async function readThroughMongodump(
  source: Source,
  uri: Secret,
  { tools, workingDirectory, ...more }: ToolEnvironment,
): Promise<Source> {
  const program = await findTool("mongodump", tools);
  return new MongodumpSource(source, {
    program,
    uri: await toolUri(uri, source.deployment.source),
    directory: workingDirectory,
    ...more,
  });
}

class MongodumpSource extends SourceBehind {
  readonly #settings: ToolSettings;

  constructor(source: Source, settings: ToolSettings) {
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
