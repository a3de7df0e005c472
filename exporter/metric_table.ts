/**
 * Every metric of the exporter: one table for what is served, REFERENCE.md and the tests. Metrics of a resource are made of its jobs' records alone: they
 * change when a job ends.
 *
 * @module
 */

import { type Assessment, judge, states, unixSeconds } from "./assessment.ts";
import { byLevel, type MetricRow, ofResource, ofTotals } from "./metric_row.ts";

/** The table, by name. */
export const metricTable = {
  podheitor_mongodb_last_success_timestamp: ofResource({
    help: "When the last backup ended that ended well.",
    unit: "unix seconds",
    from: "the newest good backup's `endedAt`",
    value: ({ last }) => last.goodBackup && unixSeconds(last.goodBackup.endedAt),
  }),
  podheitor_mongodb_backup_duration_seconds: ofResource({
    help: "How long the last backup took that ended well.",
    unit: "seconds",
    from: "the newest good backup's `durationSeconds`",
    value: ({ last }) => last.goodBackup?.durationSeconds,
  }),
  podheitor_mongodb_oplog_lag_seconds: {
    type: "gauge",
    help: "How far behind now the chain of backups ends: what is lost if the source is lost now.",
    labels: ["resource"],
    unit: "seconds",
    from: "the clock, and the end of the last good backup's slice of the oplog",
    moves: true,
    samples: (assessment, now) => {
      const end = chainEnd(assessment);
      return end === null ? [] : [{ labels: [], value: Math.max(0, Math.floor(now) - end) }];
    },
  },
  podheitor_mongodb_resource_success: ofResource({
    help: "Whether all of the resource's sidecars could be read.",
    unit: "0 or 1",
    from: "the files",
    value: ({ problems }) => Number(problems.length === 0),
  }),
  podheitor_mongodb_resource_state: {
    type: "gauge",
    help: "The resource's state: 1 for the one that it is in, 0 for the others.",
    labels: ["resource", "state"],
    unit: "0 or 1",
    from: "all records, and the clock",
    samples: (assessment, now) => {
      const { state } = judge(assessment, now);
      return states.map((one) => ({ labels: [one], value: Number(one === state) }));
    },
  },
  podheitor_mongodb_last_backup_success: ofResource({
    help: "Whether the last backup ended well, of whatever level.",
    unit: "0 or 1",
    from: "the newest backup's `outcome`",
    value: ({ last }) => last.backup && Number(last.backup.outcome === "success"),
  }),
  podheitor_mongodb_last_backup_error: {
    type: "gauge",
    help: "1, labelled with the number of its error, where the last backup failed or was cancelled.",
    labels: ["resource", "code"],
    unit: "0 or 1",
    from: "the newest backup's `error.code`",
    samples: ({ last }) => {
      const error = last.backup?.error;
      return error ? [{ labels: [String(error.code)], value: 1 }] : [];
    },
  },
  podheitor_mongodb_last_backup_warnings: ofResource({
    help: "Warnings in the last backup's log.",
    unit: "",
    from: "the newest backup's `warnings`",
    value: ({ last }) => last.backup?.warnings,
  }),
  podheitor_mongodb_last_failure_timestamp_seconds: ofResource({
    help: "When the last backup ended that failed.",
    unit: "unix seconds",
    from: "the newest failed backup's `endedAt`",
    value: ({ last }) => last.failedBackup && unixSeconds(last.failedBackup.endedAt),
  }),
  podheitor_mongodb_last_backup_timestamp_seconds: byLevel({
    help: "When the last backup of this level ended that ended well.",
    unit: "unix seconds",
    from: "`endedAt` of the newest good backup of each level",
    value: ({ endedAt }) => unixSeconds(endedAt),
  }),
  podheitor_mongodb_last_backup_duration_seconds: byLevel({
    help: "How long the last backup of this level took that ended well.",
    unit: "seconds",
    from: "its `durationSeconds`",
    value: ({ durationSeconds }) => durationSeconds,
  }),
  podheitor_mongodb_last_backup_bytes: byLevel({
    help: "What the last backup of this level saved of collections, as BSON; an incremental has none.",
    unit: "bytes",
    from: "its `bytes`",
    value: ({ bytes }) => bytes,
  }),
  podheitor_mongodb_last_backup_documents: byLevel({
    help: "Documents that the last backup of this level saved; an incremental has none.",
    unit: "documents",
    from: "its `documents`",
    value: ({ documents }) => documents,
  }),
  podheitor_mongodb_last_backup_oplog_bytes: byLevel({
    help: "What the last backup of this level saved of the oplog, as BSON.",
    unit: "bytes",
    from: "its `slice.bytes`",
    value: ({ slice }) => slice?.bytes,
  }),
  podheitor_mongodb_last_backup_oplog_entries: byLevel({
    help: "Entries of the oplog that the last backup of this level saved.",
    unit: "entries",
    from: "its `slice.entries`",
    value: ({ slice }) => slice?.entries,
  }),
  podheitor_mongodb_recorded_jobs: ofTotals({
    help: "Jobs in the resource's record, which keeps the last 400.",
    unit: "jobs",
    from: "all records",
    value: ({ jobs }) => jobs,
  }),
  podheitor_mongodb_recorded_bytes: ofTotals({
    help: "What the jobs in the resource's record saved or restored, with the backups' slices of the oplog.",
    unit: "bytes",
    from: "their `bytes` and `slice.bytes`",
    value: ({ bytes }) => bytes,
  }),
  podheitor_mongodb_recorded_documents: ofTotals({
    help: "Documents that the jobs in the resource's record saved or restored.",
    unit: "documents",
    from: "their `documents`",
    value: ({ documents }) => documents,
  }),
  podheitor_mongodb_recorded_failures: {
    type: "gauge",
    help:
      "Failed jobs in the resource's record by the number of their error; 402 is a gap or a rollback of the oplog.",
    labels: ["resource", "code"],
    unit: "jobs",
    from: "their `error.code`",
    samples: ({ failures }) =>
      [...failures].sort(([a], [b]) => a - b).map(([code, value]) => ({ labels: [String(code)], value })),
  },
  podheitor_mongodb_chain_jobs: ofResource({
    help: "Backups in the chain of the last good backup.",
    unit: "jobs",
    from: "records and tips",
    value: ({ coverage }) => coverage.current?.jobs ?? 0,
  }),
  podheitor_mongodb_chain_start_timestamp_seconds: ofResource({
    help: "First instant that the chain of the last good backup can be restored to.",
    unit: "unix seconds",
    from: "the end of its Full's slice of the oplog",
    value: ({ coverage }) => coverage.current?.covered?.from.t,
  }),
  podheitor_mongodb_chain_end_timestamp_seconds: ofResource({
    help: "Last instant that the chain of the last good backup can be restored to.",
    unit: "unix seconds",
    from: "the end of its last slice of the oplog",
    value: chainEnd,
  }),
  podheitor_mongodb_chain_deadline_timestamp_seconds: ofResource({
    help:
      "When the source's oplog will have lost the end of the chain: an Incremental that comes later is refused, and a Full is needed.",
    unit: "unix seconds",
    from: "the end of the chain, and the longest `oplogWindow` of the newest good backup",
    value: ({ deadline }) => deadline,
  }),
  podheitor_mongodb_coverage_gaps: ofResource({
    help: "Times between recorded chains to which nothing can be restored.",
    unit: "",
    from: "records and tips",
    value: ({ coverage }) => coverage.gaps.length,
  }),
  podheitor_mongodb_source_oplog_window_seconds: {
    type: "gauge",
    help:
      "How far back the oplog reached when the last good backup had read it: of the member that was read, what that one will hold when it is full, and the longest of the set's members.",
    labels: ["resource", "of"],
    unit: "seconds",
    from: "the newest good backup's `oplogWindow`",
    samples: ({ last }) => {
      const window = last.goodBackup?.oplogWindow;
      if (!window) return [];
      const { seconds, expectedSeconds, longestSeconds } = window;
      return [
        { labels: ["member"], value: seconds },
        ...expectedSeconds === null ? [] : [{ labels: ["member_when_full"], value: expectedSeconds }],
        { labels: ["set"], value: longestSeconds },
      ];
    },
  },
  podheitor_mongodb_source_lag_seconds: ofResource({
    help: "How far the member that was read was behind its primary when the last good backup picked it.",
    unit: "seconds",
    from: "the newest good backup's `lagSeconds`",
    value: ({ last }) => last.goodBackup?.lagSeconds,
  }),
  podheitor_mongodb_last_verification_timestamp_seconds: ofResource({
    help:
      "When the last good backup ended whose documents were held against the server's count, or read twice.",
    unit: "unix seconds",
    from: "`endedAt` of the newest good backup with a `verification`",
    value: ({ last }) => last.verified && unixSeconds(last.verified.endedAt),
  }),
  podheitor_mongodb_last_verification_collections: {
    type: "gauge",
    help: "Collections that were verified in that backup, by how.",
    labels: ["resource", "how"],
    unit: "collections",
    from: "its `verification`",
    samples: ({ last }) => {
      const verification = last.verified?.verification;
      if (!verification) return [];
      return [
        { labels: ["counted"], value: verification.counted },
        { labels: ["read_twice"], value: verification.readTwice },
      ];
    },
  },
  podheitor_mongodb_last_rehearsal_timestamp_seconds: ofResource({
    help: "When the last rehearsal of a restore ended, however it did.",
    unit: "unix seconds",
    from: "the newest rehearsal's `endedAt`",
    value: ({ last }) => last.rehearsal && unixSeconds(last.rehearsal.endedAt),
  }),
  podheitor_mongodb_last_rehearsal_success: ofResource({
    help: "Whether the last rehearsal read everything back and found nothing.",
    unit: "0 or 1",
    from: "its `outcome` and `rehearsal.proven`",
    value: ({ last }) =>
      last.rehearsal &&
      Number(last.rehearsal.outcome === "success" && last.rehearsal.rehearsal?.proven === true),
  }),
  podheitor_mongodb_last_rehearsal_findings: ofResource({
    help: "What the last rehearsal found that isn't as the backup says.",
    unit: "",
    from: "its `rehearsal.findingsTotal`",
    value: ({ last }) => last.rehearsal?.rehearsal?.findingsTotal,
  }),
  podheitor_mongodb_last_rehearsal_duration_seconds: ofResource({
    help: "How long the last rehearsal took, from the first byte to the last comparison.",
    unit: "seconds",
    from: "its `durationSeconds`",
    value: ({ last }) => last.rehearsal?.durationSeconds,
  }),
  podheitor_mongodb_last_proven_rehearsal_timestamp_seconds: ofResource({
    help: "When the last rehearsal ended that read everything back and found nothing.",
    unit: "unix seconds",
    from: "`endedAt` of the newest proven rehearsal",
    value: ({ last }) => last.provenRehearsal && unixSeconds(last.provenRehearsal.endedAt),
  }),
  podheitor_mongodb_last_restore_timestamp_seconds: ofResource({
    help: "When the last restore ended, however it did.",
    unit: "unix seconds",
    from: "the newest restore's `endedAt`",
    value: ({ last }) => last.restore && unixSeconds(last.restore.endedAt),
  }),
  podheitor_mongodb_last_restore_success: ofResource({
    help: "Whether the last restore ended well.",
    unit: "0 or 1",
    from: "its `outcome`",
    value: ({ last }) => last.restore && Number(last.restore.outcome === "success"),
  }),
  podheitor_mongodb_last_restore_duration_seconds: ofResource({
    help: "How long the last restore took.",
    unit: "seconds",
    from: "its `durationSeconds`",
    value: ({ last }) => last.restore?.durationSeconds,
  }),
  podheitor_mongodb_exporter_scrapes_total: {
    type: "counter",
    help: "Scrapes of this exporter since it was started, this one included.",
    labels: [],
    unit: "",
    from: "the exporter",
  },
  podheitor_mongodb_exporter_scrape_duration_seconds: {
    type: "gauge",
    help: "How long this scrape took to look at the working directory and to read what changed.",
    labels: [],
    unit: "seconds",
    from: "the exporter",
  },
  podheitor_mongodb_exporter_scrape_success: {
    type: "gauge",
    help: "Whether the working directory could be read.",
    labels: [],
    unit: "0 or 1",
    from: "the exporter",
  },
  podheitor_mongodb_exporter_resources: {
    type: "gauge",
    help: "Resources that have a sidecar in the working directory.",
    labels: [],
    unit: "",
    from: "the exporter",
  },
  podheitor_mongodb_exporter_start_timestamp_seconds: {
    type: "gauge",
    help: "When this exporter was started.",
    labels: [],
    unit: "unix seconds",
    from: "the exporter",
  },
  podheitor_mongodb_exporter_build_info: {
    type: "gauge",
    help: "1, labelled with the version of this exporter and of Deno.",
    labels: ["version", "deno_version"],
    unit: "",
    from: "the exporter",
  },
} as const satisfies Record<string, MetricRow>;

/** Name of a metric. */
export type MetricName = keyof typeof metricTable;

/** The table's rows with their names, in its order. */
export const metricRows = Object.entries<MetricRow>(metricTable) as [MetricName, MetricRow][];

function chainEnd({ coverage }: Assessment): number | null {
  return coverage.current?.covered?.to.t ?? null;
}
