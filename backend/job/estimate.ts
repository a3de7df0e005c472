import type { FileHeader } from "../objects.ts";
import type { JobLog, Source } from "../ports.ts";
import { describeTimestamp, type Timestamp } from "../timestamp.ts";
import { metadataPath, oplogPath, segmentPath } from "./object_path.ts";
import { formatBytes, formatNumberOf } from "./wording.ts";

/** What an estimate needs. */
export interface EstimateContext {
  readonly source: Source;
  readonly resource: string;
  readonly databases: readonly string[];
  readonly log: JobLog;
  announce(file: FileHeader): Promise<void>;
  /** Unix seconds that every file carries as its times. */
  readonly timeSeconds: number;
}

/** Names the piece of the oplog that an incremental would make since a position, with its share of the oplog's size. */
export async function runIncrementalEstimate(
  { source, resource, log, announce, timeSeconds }: EstimateContext,
  since: Timestamp,
): Promise<void> {
  if (source.oplog === null) return;
  const { oldest, newest, size } = await source.oplog.window();
  const share = (newest.t - since.t) / Math.max(newest.t - oldest.t, 1);
  const bytes = Math.round((size?.bytes ?? 0) * Math.min(Math.max(share, 0), 1));
  const name = oplogPath(resource, "estimate", since, newest);
  await announce({
    name,
    size: bytes,
    mode: 0o600,
    atime: timeSeconds,
    mtime: timeSeconds,
    ctime: timeSeconds,
  });
  log.info(
    `Estimate of resource "${resource}": oplog since ${describeTimestamp(since)}, at most ${
      formatBytes(bytes)
    }`,
  );
}

/** Names the files that a backup would make, a collection's documents as one, with the sizes of the server's statistics. */
export async function runEstimate(
  { source, resource, databases, log, announce, timeSeconds }: EstimateContext,
): Promise<void> {
  let bytes = 0;
  let files = 0;
  const header = (name: string, size: number) => ({
    name,
    size,
    mode: 0o600,
    atime: timeSeconds,
    mtime: timeSeconds,
    ctime: timeSeconds,
  });
  for (const name of await source.listDatabases()) {
    if (!databases.includes("*") && !databases.includes(name)) continue;
    for (const { namespace, metadata, sizeHintBytes } of await source.listCollections(name)) {
      await announce(header(metadataPath(resource, namespace), new TextEncoder().encode(metadata).length));
      if (sizeHintBytes > 0) await announce(header(segmentPath(resource, namespace, 0), sizeHintBytes));
      bytes += sizeHintBytes;
      files++;
    }
  }
  log.info(
    `Estimate of resource "${resource}": ${formatNumberOf(files, "collection")}, ${formatBytes(bytes)}`,
  );
}
