/**
 * Where a slice of the oplog begins and ends, and which member it is read from.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { JobLog, Oplog, OplogWindow, Source } from "../ports.ts";
import type { JobRecord } from "../state/job_record.ts";
import { compareTimestamps, describeTimestamp, type OplogPosition } from "../timestamp.ts";
import { formatDuration } from "./wording.ts";

/** How long the majority may take to have what was read. */
const commitPatienceMs = 60_000;
const commitIntervalMs = 200;

/**
 * The newest entry that the member has applied, once a majority has it: it is at or behind everything that was read from the member so far.
 *
 * @param newest that entry, where it is known
 * @throws PluginError `oplogUnavailable` when no majority has it in time
 */
export async function awaitCommitted(
  oplog: Oplog,
  signal: AbortSignal,
  newest?: OplogPosition,
): Promise<OplogPosition> {
  const read = newest ?? await oplog.newest();
  const deadline = performance.now() + commitPatienceMs;
  for (;;) {
    signal.throwIfAborted();
    const committed = await oplog.committed();
    if (compareTimestamps(committed, read) >= 0) {
      await refuseRollback(oplog, read);
      return read;
    }
    if (performance.now() > deadline) {
      throw new PluginError(
        "oplogUnavailable",
        `Cannot end the slice: ${oplog.host} has entries up to ${
          describeTimestamp(read)
        }, a majority of the set only up to ${describeTimestamp(committed)}`,
        { hint: "Too few members are up or they lag far behind. Mend the set, then run the job again." },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, commitIntervalMs));
  }
}

/**
 * The entry behind which a Full's slice begins: everything up to there was applied before anything is read. What a transaction wrote that is still open
 * belongs to the slice.
 */
export async function findStart(oplog: Oplog, signal: AbortSignal): Promise<OplogPosition> {
  const applied = await awaitCommitted(oplog, signal);
  const open = await oplog.oldestOpenTransaction(applied);
  return open === null ? applied : await oplog.before(open);
}

async function refuseRollback(oplog: Oplog, read: OplogPosition): Promise<void> {
  const found = await oplog.find(read);
  if (found?.term === read.term) return;
  throw rolledBack(oplog);
}

/** The failure for a member that took back what was read from it. */
export function rolledBack({ host }: Oplog): PluginError {
  return new PluginError(
    "incompleteRead",
    `Cannot vouch for the backup: ${host} rolled back while it was read`,
    {
      hint: "Run the job again.",
    },
  );
}

/** An oplog that has a position, and who had to be asked. */
export interface ChosenOplog {
  readonly oplog: Oplog;
  /** Whether it is the picked member's, which is closed with the source. */
  readonly isPicked: boolean;
}

/**
 * The oplog of a member that has the very entry at which a chain ended: the picked one's, or another one's that reaches back further.
 *
 * @throws PluginError `oplogGap` when none has it
 */
export async function findOplogWith(
  position: OplogPosition,
  picked: Oplog,
  source: Source,
  log: JobLog,
): Promise<ChosenOplog> {
  const misses: { host: string; window: OplogWindow }[] = [];
  const has = async (oplog: Oplog) => {
    const found = await oplog.find(position);
    if (found?.term === position.term) return true;
    misses.push({ host: oplog.host, window: await oplog.window() });
    return false;
  };
  if (await has(picked)) return { oplog: picked, isPicked: true };
  for await (const oplog of source.otherOplogs()) {
    if (await has(oplog).catch(() => false)) {
      log.warning(
        `The oplog of ${picked.host} doesn't have ${
          describeTimestamp(position)
        }: reading that of ${oplog.host}`,
      );
      return { oplog, isPicked: false };
    }
    await oplog[Symbol.asyncDispose]();
  }
  const windows = misses.map(({ host, window: { oldest, newest } }) =>
    `${host} has ${describeTimestamp(oldest)} to ${describeTimestamp(newest)}`
  );
  // A member whose oplog reaches over it, and doesn't have it, took it back; one that ends before it only lags behind.
  const isRollback = misses.some(({ window: { oldest, newest } }) =>
    compareTimestamps(oldest, position) <= 0 && compareTimestamps(newest, position) >= 0
  );
  const oldest = misses.map(({ window }) => window.oldest).sort(compareTimestamps)[0]!;
  throw new PluginError(
    "oplogGap",
    isRollback
      ? `Cannot continue the oplog chain: its last entry, ${
        describeTimestamp(position)
      } of term ${position.term}, was rolled back or is of another timeline (${windows.join("; ")})`
      : `Cannot continue the oplog chain: the previous job ended at ${
        describeTimestamp(position)
      }, the oldest entry is ${describeTimestamp(oldest)} (${windows.join("; ")})`,
    {
      hint: isRollback
        ? "Run a Full: what was backed up since the rollback's point isn't what the set has now."
        : "Run a Full, and enlarge the oplog (replSetResizeOplog) so that it covers several backup intervals.",
    },
  );
}

/** Says how far back the oplog reaches, and warns where that is less than three times the jobs' interval; what it has found is for the job's record. */
export async function reportWindow(
  oplog: Oplog,
  { longestOplogSeconds }: Source,
  intervalSeconds: number | null,
  log: JobLog,
): Promise<NonNullable<JobRecord["oplogWindow"]>> {
  const { oldest, newest, size } = await oplog.window();
  const seconds = newest.t - oldest.t;
  // One that isn't full yet drops nothing: what counts is how far it will reach at this rate.
  const expected = size === null
    ? seconds
    : Math.round(seconds * Math.max(1, size.maxBytes / Math.max(size.bytes, 1)));
  const reach =
    `The oplog of ${oplog.host} reaches back ${formatDuration(seconds)}, to ${describeTimestamp(oldest)}` +
    (expected > seconds ? `, and will hold ${formatDuration(expected)} when it is full` : "");
  if (intervalSeconds !== null && expected < 3 * intervalSeconds) {
    log.warning(
      `${reach}: that is less than three times the ${formatDuration(intervalSeconds)} since the last job. ` +
        "Enlarge it (replSetResizeOplog) or run Incrementals more often, or the chain will break",
    );
  } else log.info(reach);
  return {
    member: oplog.host,
    seconds,
    expectedSeconds: size === null ? null : expected,
    longestSeconds: Math.max(seconds, longestOplogSeconds ?? 0),
  };
}
