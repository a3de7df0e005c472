/**
 * Histories of resources as the backend would have recorded them, for tests and measurements of the exporter.
 *
 * @module
 */

import { type ErrorCode, errorTable } from "../../backend/errors.ts";
import { formatStats, type JobRecord } from "../../backend/state/job_record.ts";
import { addTip, formatTips, type Tip, type TipsFile } from "../../backend/state/tip.ts";
import { parseResource, type Resource } from "../../exporter/sidecar/resource.ts";

const hour = 3600;
const day = 24 * hour;

/** Where a history ends unless it is said: Unix seconds. */
export const historyEnd = Date.UTC(2026, 10, 27, 21) / 1000;

/** Jobs that follow one another; each call is a job at the history's clock. */
export class History {
  readonly resource: string;
  /** Newest first. */
  readonly jobs: JobRecord[] = [];
  tips: TipsFile | null = null;
  /** Unix seconds. */
  #now: number;
  #jobId = 0;
  /** The last good backup and the last good Full. */
  #last: JobRecord | null = null;
  #full: JobRecord | null = null;

  constructor(resource: string, startsAt: number) {
    this.resource = resource;
    this.#now = startsAt;
  }

  /** Lets time pass. */
  wait(seconds: number): this {
    this.#now += seconds;
    return this;
  }

  /** A backup that ends well, `seconds` later. An I continues the last good backup, a D the last good Full. */
  backup(level: "F" | "I" | "D", change: Partial<JobRecord> = {}, seconds = level === "F" ? 600 : 30): this {
    const parent = level === "I" ? this.#last : level === "D" ? this.#full : null;
    const startedAt = this.#now;
    this.#now += seconds;
    const end = { t: this.#now - 1, i: 1 + this.#jobId % 7, term: 3 };
    const record = this.#record({
      kind: "backup",
      level,
      // Bacula names an earlier job for a Full as well.
      previousJobName: (parent ?? this.#last)?.jobName ?? null,
      startedAt: instantOf(startedAt),
      durationSeconds: seconds,
      databases: 4,
      collections: level === "F" ? 37 : 0,
      documents: level === "F" ? 1_204_311 : 0,
      bytes: level === "F" ? 5_100_273_664 : 0,
      objects: level === "F" ? 341 : 2,
      oplog: { start: { ...parent?.oplog?.end ?? { ...end, t: startedAt } }, end },
      slice: { entries: level === "F" ? 3_120 : 8_420, bytes: level === "F" ? 1_200_345 : 21_340_160 },
      oplogWindow: {
        member: "db2.example:27017",
        seconds: 2 * day,
        expectedSeconds: 3 * day,
        longestSeconds: 4 * day,
      },
      lagSeconds: 1,
      verification: level === "F" ? { counted: 37, readTwice: 0 } : null,
      ...change,
    });
    this.#last = record;
    if (level === "F") this.#full = record;
    if (record.oplog !== null) {
      this.tips = addTip(this.tips, this.resource, tipOf(record, parent?.jobName ?? null));
    }
    return this;
  }

  /** A backup that fails. */
  failedBackup(level: "F" | "I" | "D", code: ErrorCode, text: string, change: Partial<JobRecord> = {}): this {
    const startedAt = this.#now;
    this.#now += 4;
    this.#record({
      kind: "backup",
      level,
      previousJobName: this.#last?.jobName ?? null,
      outcome: code === "canceled" ? "canceled" : "failed",
      error: { code: errorTable[code].number, text },
      startedAt: instantOf(startedAt),
      durationSeconds: 4,
      manifestId: null,
      keyId: null,
      ...change,
    });
    return this;
  }

  /** A restore of the last good backup, into a server. */
  restore(change: Partial<JobRecord> = {}, seconds = 900): this {
    const startedAt = this.#now;
    this.#now += seconds;
    this.#record({
      kind: "restore",
      startedAt: instantOf(startedAt),
      durationSeconds: seconds,
      ...whatIsIn(this.#last),
      ...change,
    });
    return this;
  }

  /** A rehearsal of the last good backup; with findings, it fails. */
  rehearsal(findings: readonly string[] = [], seconds = 1200): this {
    const isProven = findings.length === 0;
    return this.restore({
      kind: "rehearsal",
      outcome: isProven ? "success" : "failed",
      error: isProven ? null : {
        code: errorTable.restoreProof.number,
        text: "The rehearsal's server doesn't hold what the backup does",
      },
      rehearsal: {
        job: this.#last?.jobName ?? "none",
        mongodVersion: "6.0.5",
        proven: isProven,
        provenCollections: 37 - findings.length,
        findings: [...findings],
        unproven: [],
        findingsTotal: findings.length,
        unprovenTotal: 0,
      },
    }, seconds);
  }

  /** What stands in the stats file. */
  get statsText(): string {
    return formatStats({ format: "podheitor-mongodb-stats/1", resource: this.resource, jobs: this.jobs });
  }

  /** What stands in the tip file, or null where there is none. */
  get tipText(): string | null {
    return this.tips === null ? null : formatTips(this.tips);
  }

  /** As the exporter reads it. */
  get read(): Resource {
    const file = (kind: string, text: string) => ({
      file: `podheitor-mongodb-${this.resource}-${kind}.json`,
      content: { text },
    });
    return parseResource(
      this.resource,
      file("stats", this.statsText),
      this.tipText === null ? null : file("tip", this.tipText),
    );
  }

  /** Puts both files into a working directory. */
  async write(directory: string): Promise<void> {
    const texts = [["stats", this.statsText], ["tip", this.tipText]] as const;
    for (const [kind, text] of texts) {
      if (text === null) continue;
      await Deno.writeTextFile(`${directory}/podheitor-mongodb-${this.resource}-${kind}.json`, text, {
        mode: 0o640,
      });
    }
  }

  #record(change: Partial<JobRecord> & Pick<JobRecord, "kind" | "startedAt" | "durationSeconds">): JobRecord {
    this.#jobId++;
    const record: JobRecord = {
      level: null,
      jobId: this.#jobId,
      jobName: `mongo-${this.resource}.${
        change.startedAt.slice(0, 19).replace("T", "_").replaceAll(":", ".")
      }_${String(this.#jobId % 60).padStart(2, "0")}`,
      previousJobName: null,
      outcome: "success",
      error: null,
      endedAt: instantOf(this.#now),
      source: "db2.example:27017",
      serverVersion: "6.0.5",
      databases: 0,
      collections: 0,
      documents: 0,
      bytes: 0,
      objects: 0,
      manifestId: this.#jobId.toString(16).padStart(16, "0"),
      keyId: "5f3a9c0d1e2b4a67",
      oplog: null,
      warnings: 0,
      rehearsal: null,
      slice: null,
      oplogWindow: null,
      lagSeconds: null,
      verification: null,
      ...change,
    };
    this.jobs.unshift(record);
    this.jobs.length = Math.min(this.jobs.length, 400);
    return record;
  }
}

/** Histories that tests name, each ending some minutes before `end` (Unix seconds). */
export const histories = {
  /** A file without a job. */
  empty: (resource, end) => new History(resource, end),
  oneJob: (resource, end) => new History(resource, end - hour).backup("F"),
  /** A Full each Sunday, a Differential on Wednesdays, Incrementals on all other days, a rehearsal each month, a restore each quarter. */
  year: (resource, end) => {
    const history = new History(resource, end - 365 * day - hour);
    for (let at = 0; at <= 365; at++) {
      const before = new Date((end - (365 - at) * day) * 1000);
      const weekday = before.getUTCDay();
      const level = at === 0 || weekday === 0 ? "F" : weekday === 3 ? "D" : "I";
      const seconds = level === "F" ? 600 : 30;
      history.backup(level, {}, seconds);
      let left = day - seconds;
      if (before.getUTCDate() === 15 && at < 365) {
        history.rehearsal([], 1200);
        left -= 1200;
      }
      if (before.getUTCDate() === 20 && before.getUTCMonth() % 3 === 0) {
        history.restore({}, 900);
        left -= 900;
      }
      history.wait(left);
    }
    return history;
  },
  /** Incrementals, then one whose oplog has lost the chain's end, and a Full that begins anew; the instants in between are lost. */
  gap: (resource, end) =>
    new History(resource, end - 8 * day).backup("F").wait(day).backup("I").wait(day).backup("I").wait(4 * day)
      .failedBackup(
        "I",
        "oplogGap",
        "Cannot continue the oplog chain: the previous job ended at 1795381200.3, the oldest entry is 1795546800.1",
      ).wait(hour).backup("F").wait(day).backup("I"),
  /** A good chain of which every Incremental of the last two days failed. */
  failingChain: (resource, end) => {
    const history = new History(resource, end - 3 * day).backup("F").wait(hour).backup("I").wait(20 * hour);
    for (let hours = 0; hours < 50; hours += 5) {
      history.failedBackup("I", "connect", "Cannot reach the source: no member of rs0 answers").wait(
        5 * hour - 4,
      );
    }
    return history;
  },
  /** A good chain, and a rehearsal that found something. */
  failingRehearsal: (resource, end) =>
    new History(resource, end - day).backup("F").wait(hour).backup("I").wait(hour).rehearsal([
      "shop.orders: 12 documents differ from what the backup says",
      "shop.customers: the index email_1 is missing",
    ]).wait(hour).backup("I"),
} as const satisfies Record<string, (resource: string, end: number) => History>;

function tipOf({ jobName, jobId, level, endedAt, oplog, source }: JobRecord, parentName: string | null): Tip {
  return {
    jobName,
    jobId,
    level: level!,
    parentName,
    endedAt,
    setName: "rs0",
    setId: "65f0c0ffee65f0c0ffee65f0",
    member: source!,
    scope: { databases: ["*"], include: [], exclude: [], users: true },
    position: oplog!.end,
    manifestDigest: jobId.toString(16).padStart(64, "0"),
  };
}

function whatIsIn(backup: JobRecord | null): Partial<JobRecord> {
  if (backup === null) return {};
  const { databases, collections, documents, bytes, objects, manifestId, keyId, oplog } = backup;
  return { databases, collections, documents, bytes, objects, manifestId, keyId, oplog };
}

function instantOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
