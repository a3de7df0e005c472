/**
 * What a backup would make, told without reading a document.
 *
 * @module
 */

import type { FileHeader } from "../objects.ts";
import type { Collection, JobLog, Source } from "../ports.ts";
import { describeTimestamp, type Timestamp } from "../timestamp.ts";
import { manifestPath, metadataPath, oplogPath, segmentPath } from "./object_path.ts";
import { formatBytes, formatNumberOf } from "./wording.ts";

/** What an estimate needs. */
export interface EstimateContext {
  /** As the backup sees it. */
  readonly source: Source;
  readonly resource: string;
  /** Bytes of a whole segment. */
  readonly segmentSize: number;
  readonly log: JobLog;
  announce(file: FileHeader): Promise<void>;
  /** Unix seconds that every file carries as its times. */
  readonly timeSeconds: number;
}

/** In the names of files that no job has made. */
const estimatedJob = "estimate";

/** What stands in a manifest besides names and metadata, as manifests were found to be. */
const manifestBytes = { fixed: 1200, perCollection: 160, perFile: 110 };

/** Names the piece of the oplog that an incremental would make since a position, with its share of the oplog's size. */
export async function runIncrementalEstimate(
  { source, resource, log, announce, timeSeconds }: EstimateContext,
  since: Timestamp,
): Promise<void> {
  if (source.oplog === null) return;
  const { oldest, newest, size } = await source.oplog.window();
  const share = (newest.t - since.t) / Math.max(newest.t - oldest.t, 1);
  const bytes = Math.round((size?.bytes ?? 0) * Math.min(Math.max(share, 0), 1));
  await announce(virtualFile(oplogPath(resource, estimatedJob, since, newest), bytes, timeSeconds));
  log.info(
    `Estimate of resource "${resource}": oplog since ${describeTimestamp(since)}, at most ${
      formatBytes(bytes)
    }`,
  );
}

/**
 * Names the files that a Full would make, with the sizes of the server's own counts: each collection's metadata and whole segments, and the
 * manifest. Where several readers share a collection, its last segments are smaller and one or two more; the Full's slice of the oplog comes on top.
 */
export async function runEstimate(context: EstimateContext): Promise<void> {
  const { source, resource, log, announce, timeSeconds } = context;
  let manifestSize = manifestBytes.fixed;
  let collections = 0;
  let bytes = 0;
  for (const database of await source.listDatabases()) {
    for (const collection of await source.listCollections(database)) {
      const files = filesOf(collection, context);
      for (const file of files) {
        await announce(file);
        manifestSize += manifestBytes.perFile + file.name.length;
      }
      collections++;
      bytes += collection.sizeHintBytes;
      // A text within a text.
      manifestSize += manifestBytes.perCollection + JSON.stringify(collection.metadata).length;
    }
  }
  await announce(virtualFile(manifestPath(resource, estimatedJob), manifestSize, timeSeconds));
  log.info(
    `Estimate of resource "${resource}": ${formatNumberOf(collections, "collection")}, ${formatBytes(bytes)}`,
  );
}

function filesOf(
  { namespace, metadata, sizeHintBytes }: Collection,
  { resource, segmentSize, timeSeconds }: EstimateContext,
): FileHeader[] {
  const files = [virtualFile(metadataPath(resource, namespace), metadataSize(metadata), timeSeconds)];
  for (let at = 0; at < sizeHintBytes; at += segmentSize) {
    const name = segmentPath(resource, namespace, at / segmentSize);
    files.push(virtualFile(name, Math.min(segmentSize, sizeHintBytes - at), timeSeconds));
  }
  return files;
}

/** Bytes of a collection's metadata file. */
export function metadataSize(metadata: string): number {
  return new TextEncoder().encode(metadata).length;
}

/** The header of a file that isn't there. */
export function virtualFile(name: string, size: number, timeSeconds: number): FileHeader {
  return { name, size, mode: 0o600, atime: timeSeconds, mtime: timeSeconds, ctime: timeSeconds };
}
