/**
 * How far a replay is. Bacula shows the last file of a restore meanwhile, and that all of it is done.
 *
 * @module
 */

import type { JobLog } from "../ports.ts";
import { describeTimestamp, type OplogPosition, type Timestamp } from "../timestamp.ts";
import { formatDuration, formatNumberOf } from "./wording.ts";

const reportEveryMs = 60_000;

/** What has been applied so far. */
export interface ReplayProgress {
  readonly operations: number;
  readonly commands: number;
  /** Null where nothing was applied. */
  readonly last: OplogPosition | null;
}

/** Knows how far it is. */
export interface Progressing {
  readonly progress: ReplayProgress;
}

/** Says how far a replay is, again and again, until it is disposed of. */
export function reportReplay(
  replay: Progressing,
  limit: Timestamp,
  log: JobLog,
  everyMs = reportEveryMs,
): Disposable {
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const { operations, commands, last } = replay.progress;
    log.info(
      `Replaying the oplog: ${formatNumberOf(operations, "operation")} and ${
        formatNumberOf(commands, "command")
      } in ${formatDuration((performance.now() - startedAt) / 1000)}, ${
        last === null ? "" : `from ${describeTimestamp(last)} `
      }on to ${describeTimestamp(limit)}`,
    );
  }, everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
