/**
 * A plan as the operator reads it, and what is in its way in the target.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { OpenedManifest } from "../manifest/reader.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { isGathering } from "../oplog/scope.ts";
import type { JobLog, RestoredCollection, Target } from "../ports.ts";
import { compareTimestamps, describeTimestamp, type Timestamp } from "../timestamp.ts";
import { nameCollections, type RestorePlan } from "./restore_plan.ts";
import { mapNamespace, userNamespace } from "./selection.ts";
import { haveUsers } from "./users_restore.ts";
import { formatBytes, formatCount, formatDuration, formatNumberOf } from "./wording.ts";

/** What a restore's time is estimated with, said wherever an estimate is: bytes of documents and entries of the oplog, each second. */
const assumedBytesPerSecond = 20 << 20;
const assumedEntriesPerSecond = 20_000;

/** Namespaces that are named one by one. */
const shownMax = 50;

/** Says in short what is going to be done. */
export function reportPlan(plan: RestorePlan, target: Target, log: JobLog): void {
  const { collections, resource, jobs, limit } = plan;
  const documents = collections.reduce((sum, one) => sum + one.documents, 0);
  const bytes = collections.reduce((sum, one) => sum + one.bytes, 0);
  log.info(
    `Plan: ${formatNumberOf(collections.length, "collection")}, ${formatNumberOf(documents, "document")}, ${
      formatBytes(bytes)
    } ` +
      `of resource "${resource}" into ${target.description}`,
  );
  if (haveUsers(jobs)) {
    log.info(`Plan: users and roles ${plan.users ? "are restored too" : "are not restored"}`);
  }
  if (limit === null) return;
  const entries = [...plan.slices.values()].reduce((sum, slice) => sum + slice.entries, 0);
  log.info(
    `Plan: restore to ${describeTimestamp(limit)}, inclusive: ${formatNumberOf(jobs.length, "job")}, ` +
      `${formatNumberOf(plan.slices.size, "piece")} of the oplog with up to ${
        formatNumberOf(entries, "entry", "entries")
      }`,
  );
}

/** Says all of it, for an operator who only wants to know. */
export function reportDetails(
  plan: RestorePlan,
  inTheWay: readonly Namespace[],
  drop: boolean,
  log: JobLog,
): void {
  for (const one of plan.jobs) {
    const { manifest: { job, oplog, totals }, id } = one;
    const slice = oplog === null
      ? "no oplog"
      : `oplog ${describeTimestamp(oplog.from)} to ${describeTimestamp(oplog.to)}, ${
        formatNumberOf(oplog.entries, "entry", "entries")
      }, ` +
        `${formatBytes(oplog.bytes)} in ${formatNumberOf(oplog.segments.length, "piece")}`;
    log.info(
      `Plan: job ${job.name} (${job.level}), manifest ${id}: ${
        formatNumberOf(totals.documents, "document")
      }; ${slice}${isNeeded(one, plan.limit) ? "" : "; not needed, behind the instant"}`,
    );
  }
  const counts = countNamespaces(plan);
  for (const [name, { entries, bytes }] of counts.slice(0, shownMax)) {
    log.info(
      `Plan: ${name}: ${formatCount(entries)} oplog entries, ${
        formatBytes(bytes)
      }, in the jobs that are needed`,
    );
  }
  if (counts.length > shownMax) {
    log.info(`Plan: and ${formatCount(counts.length - shownMax)} further namespaces of the oplog`);
  }
  if (inTheWay.length === 0) log.info("Plan: nothing is in the way in the target");
  else if (drop) log.warning(`Plan: drop=yes would remove ${nameCollections(inTheWay)}`);
  else {log.warning(
      `Plan: ${nameCollections(inTheWay)} would be in the way: the restore would be refused without drop=yes`,
    );}
  const bytes = plan.collections.reduce((sum, one) => sum + one.bytes, 0);
  const entries = [...plan.slices.values()].reduce((sum, slice) => sum + slice.entries, 0);
  const seconds = bytes / assumedBytesPerSecond + entries / assumedEntriesPerSecond;
  log.info(
    `Plan: about ${formatDuration(Math.max(1, seconds))} and the time to build the indexes, assuming ${
      formatBytes(assumedBytesPerSecond)
    } of documents ` +
      `and ${formatCount(assumedEntriesPerSecond)} entries a second`,
  );
}

/** What would be written to: the Full's collections, and what the oplog makes besides. */
export function targetsOf(plan: RestorePlan): RestoredCollection[] {
  const targets = new Map<string, RestoredCollection>(
    plan.collections.filter(({ namespace }) => !isGathering(namespace))
      .map((one) => [formatNamespace(one.namespace), one]),
  );
  for (const { namespace } of touchedByOplog(plan)) {
    const to = userNamespace(mapNamespace(namespace, plan.selection));
    const name = formatNamespace(to);
    if (!targets.has(name)) {
      targets.set(name, { namespace: to, kind: "collection", data: to, metadata: "{}" });
    }
  }
  return [...targets.values()];
}

/**
 * Refuses a target in which something is in the way, unless that may be dropped.
 *
 * @throws PluginError `restoreTarget`
 */
export function refuseOccupied(inTheWay: readonly Namespace[], drop: boolean, target: Target): void {
  if (inTheWay.length === 0 || drop) return;
  throw new PluginError(
    "restoreTarget",
    `Cannot restore into ${target.description}: ${nameCollections(inTheWay)} ${
      inTheWay.length === 1 ? "is" : "are"
    } not empty`,
    {
      hint:
        "Drop or rename what is there, or say drop=yes: in bconsole at the restore's prompt with mod, Plugin Options, " +
        "or in the plugin command of a stand-alone restore.",
    },
  );
}

function countNamespaces(plan: RestorePlan): [string, { entries: number; bytes: number }][] {
  const counts = new Map<string, { entries: number; bytes: number }>();
  for (const { namespace, entries, bytes } of touchedByOplog(plan)) {
    const name = formatNamespace(namespace);
    const known = counts.get(name) ?? { entries: 0, bytes: 0 };
    counts.set(name, { entries: known.entries + entries, bytes: known.bytes + bytes });
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

function touchedByOplog({ jobs, limit, selection, slices }: RestorePlan) {
  if (limit === null || slices.size === 0) return [];
  return jobs.filter((job) => isNeeded(job, limit))
    .flatMap(({ manifest: { oplog } }) => oplog?.namespaces ?? [])
    .filter(({ collection }) => collection !== "" && !/^system\.(?!buckets\.|js$)/.test(collection))
    .map(({ database, collection, entries, bytes }) => ({
      namespace: { database, collection },
      entries,
      bytes,
    }))
    .filter(({ namespace }) => selection.accepts(userNamespace(namespace)));
}

/** Whether anything of a job lies before the instant: its data, or a piece of its slice, which begins behind `from`. */
function isNeeded({ manifest: { job, oplog } }: OpenedManifest, limit: Timestamp | null): boolean {
  return oplog === null || limit === null || job.level === "F" || compareTimestamps(oplog.from, limit) < 0;
}
