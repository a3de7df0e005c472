/**
 * What a job leaves behind for the exporter: `podheitor-mongodb-<resource>-stats.json`.
 *
 * @module
 */

import * as z from "zod";
import { describeIssue, lenientParser } from "./lenient_parsing.ts";

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

/** What a backup has of the oplog. */
const slice = z.strictObject({ entries: count, bytes: count });

/** How far back the oplog reached when a backup had read its slice. */
const oplogWindow = z.strictObject({
  /** `host:port` whose oplog was read. */
  member: z.string(),
  seconds: count,
  /** How far it will reach when it is full, at the rate of now; null where the member doesn't say. */
  expectedSeconds: count.nullable(),
  /** The longest one of all members whose reach is known, this one's included. */
  longestSeconds: count,
});

/** What was read again, or counted, and found as it should be; what isn't, fails the job. */
const verification = z.strictObject({
  /** Collections whose documents were held against the server's count. */
  counted: count,
  /** Collections that were read twice. */
  readTwice: count,
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
  /** Null where there is no oplog; of a restore and a rehearsal, too. Records of older versions have none of these four. */
  slice: slice.nullable().default(null),
  /** Of a backup that ended well. */
  oplogWindow: oplogWindow.nullable().default(null),
  /** Seconds that the picked member was behind its primary when it was picked. */
  lagSeconds: count.nullable().default(null),
  verification: verification.nullable().default(null),
});

const statsFile = z.strictObject({
  format: z.literal(statsFormat),
  resource: z.string(),
  jobs: z.array(jobRecord),
});

const looseStatsFile = z.object({
  format: z.literal(statsFormat),
  resource: z.string(),
  jobs: z.array(z.unknown()),
});

const parseLooseFile = lenientParser(looseStatsFile);
const parseRecord = lenientParser(jobRecord);

/** One job. */
export type JobRecord = z.infer<typeof jobRecord>;

/** The content of a stats file: the newest job first. */
export type StatsFile = z.infer<typeof statsFile>;

/** Reads a stats file's text; throws an Error that says what is wrong with it. */
export function parseStats(text: string): StatsFile {
  const parsed = statsFile.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(describeIssue(parsed.error.issues[0]!));
}

/** As {@linkcode parseStats}, for a reader that needn't be as new as the writer: unknown fields are left out, and so are jobs that can't be read, each with a problem. */
export function parseStatsLeniently(text: string): StatsFile & { readonly problems: readonly string[] } {
  const { format, resource, jobs: all } = parseLooseFile(JSON.parse(text));
  const problems: string[] = [];
  const jobs = all.flatMap((job, at) => {
    try {
      return [parseRecord(job)];
    } catch (cause) {
      problems.push(`jobs.${at}.${cause instanceof Error ? cause.message : cause}`);
      return [];
    }
  });
  return { format, resource, jobs, problems };
}

/** The text of a stats file. */
export function formatStats(stats: StatsFile): string {
  return `${JSON.stringify(stats, null, 1)}\n`;
}

/** The file with one more job, the oldest ones forgotten. */
export function addRecord(stats: StatsFile | null, resource: string, record: JobRecord): StatsFile {
  return { format: statsFormat, resource, jobs: [record, ...(stats?.jobs ?? [])].slice(0, recordsMax) };
}
