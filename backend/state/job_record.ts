/**
 * What a job leaves behind for the exporter: `podheitor-mongodb-<resource>-stats.json`.
 *
 * @module
 */

import * as z from "zod";

const statsFormat = "podheitor-mongodb-stats/1";

/** Records that are kept of a resource. */
const recordsMax = 400;

const count = z.int().nonnegative();
const instant = z.iso.datetime();
const oplogPosition = z.strictObject({ t: count, i: count, term: z.int() });

/** What a rehearsal proved, and what not. */
const rehearsal = z.strictObject({
  /** The last job of the chain that was restored; its manifest is the record's `manifestId`. */
  job: z.string(),
  /** Version of the server that it was restored into. */
  mongodVersion: z.string(),
  /** Whether everything was read back and nothing found; false also where it didn't come to that. */
  proven: z.boolean(),
  /** Collections that were compared whole, without a finding. */
  provenCollections: count,
  /** What isn't as it should be, and what could not be compared: collection and sentence, the first ones of each. */
  findings: z.array(z.string()),
  unproven: z.array(z.string()),
  /** How many there are of each in all. */
  findingsTotal: count,
  unprovenTotal: count,
});

const jobRecord = z.strictObject({
  kind: z.enum(["backup", "restore", "rehearsal"]),
  /** Null for a restore and a rehearsal. */
  level: z.enum(["F", "I", "D"]).nullable(),
  jobId: count,
  jobName: z.string(),
  previousJobName: z.string().nullable(),
  outcome: z.enum(["success", "failed", "canceled"]),
  error: z.strictObject({ code: count, text: z.string() }).nullable(),
  startedAt: instant,
  endedAt: instant,
  durationSeconds: z.number().nonnegative(),
  /** `host:port` that was read or written, null where none was reached. */
  source: z.string().nullable(),
  serverVersion: z.string().nullable(),
  databases: count,
  collections: count,
  documents: count,
  bytes: count,
  objects: count,
  manifestId: z.string().nullable(),
  keyId: z.string().nullable(),
  oplog: z.strictObject({ start: oplogPosition, end: oplogPosition }).nullable(),
  /** Warnings in the job's log. */
  warnings: count,
  /** Null unless it was a rehearsal; records of older versions have none. */
  rehearsal: rehearsal.nullable().default(null),
});

const statsFile = z.strictObject({
  format: z.literal(statsFormat),
  resource: z.string(),
  jobs: z.array(jobRecord),
});

/** One job. */
export type JobRecord = z.infer<typeof jobRecord>;

/** The content of a stats file: the newest job first. */
export type StatsFile = z.infer<typeof statsFile>;

/** Reads a stats file's text; throws an Error that says what is wrong with it. */
export function parseStats(text: string): StatsFile {
  const parsed = statsFile.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new Error(`${path.join(".")}: ${message}`);
}

/** The text of a stats file. */
export function formatStats(stats: StatsFile): string {
  return `${JSON.stringify(stats, null, 1)}\n`;
}

/** The file with one more job, the oldest ones forgotten. */
export function addRecord(stats: StatsFile | null, resource: string, record: JobRecord): StatsFile {
  return { format: statsFormat, resource, jobs: [record, ...(stats?.jobs ?? [])].slice(0, recordsMax) };
}
