/**
 * A chain of jobs that are struck at each of their steps, and what must be true of the chain after the blow.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Binary, type Document, type MongoClient } from "mongodb";
import { type JobRecord, parseStats } from "../../backend/state/job_record.ts";
import type { Tip } from "../../backend/state/tip.ts";
import { readTips } from "../../backend/state/tip_store.ts";
import { fingerprint } from "../e2e/dataset.ts";
import { System, type SystemOptions } from "../e2e/system.ts";
import type { BackupLevel, BaculaLab, JobResult } from "../lab/bacula.ts";
import { canary } from "../lab/canary.ts";
import { until } from "../lab/condition.ts";
import { Backends } from "./backends.ts";
import { untilWritten, volumeBytes } from "./load.ts";

/** Which step a job is struck at: its backend has just started, it sends data, or it has done all that it has to do and Bacula hasn't. */
export type Step = "at its start" | "amid the data" | "when the backend is done";

/** What a blow may need to know. */
export interface Struck {
  readonly jobId: number;
  /** Process id of the job's backend, which may have ended. */
  readonly pid: number;
}

/** What became of a struck job. */
type Outcome = Pick<JobResult, "status" | "log">;

/** A blow that is dealt while the Storage Daemon is stopped, which takes nothing and confirms nothing then. */
export type Blow = (struck: Struck) => unknown;

const daemonNames = { "the File Daemon": "fd", "the Storage Daemon": "sd", "the Director": "dir" } as const;

/** Who takes part in a job. */
export type Participant = "the backend" | "the server" | keyof typeof daemonNames;

/** Bytes of the slice of a job that is struck amid its data: more than what is on its way between the daemons. */
const sliceBytes = 24 << 20;

/** What the job `Chain` saves. */
const database = "chain";
const resource = "chain";

/** The job `Chain`, whose Full there is. */
export class ChainScene implements AsyncDisposable {
  readonly lab: BaculaLab;
  readonly client: MongoClient;
  readonly backends: Backends;
  readonly #system: System;

  private constructor(system: System) {
    this.#system = system;
    this.lab = system.lab;
    this.client = system.client;
    this.backends = new Backends(system.lab);
  }

  static async start(lab: SystemOptions["lab"] = {}): Promise<ChainScene> {
    const system = await System.start({
      set: { members: 1, auth: { user: "operator", password: canary.password } },
      lab,
      commands: (_, uriFile) => ({
        Chain:
          `podheitor-mongodb: uri_file=${uriFile} database=${database} resource=${resource} segment_size=1M drop=yes`,
      }),
    });
    const scene = new ChainScene(system);
    await scene.client.db(database).createCollection("log", { capped: true, size: 1 << 20 });
    await scene.write("before the Full");
    await scene.runGood("Full");
    return scene;
  }

  /** Makes documents that no later write touches, and changes those that each one changes. */
  async write(text: string): Promise<void> {
    const db = this.client.db(database);
    await db.collection("marks").insertMany(Array.from({ length: 10 }, (_, at) => ({ text, at })));
    await db.collection("log").insertOne({ text });
    await db.collection("marks").updateMany({ at: 3 }, { $push: { seen: text } } as Document, {
      hint: "_id_",
    });
    await db.collection("marks").deleteMany({ text, at: 7 });
    await db.collection<{ _id: string }>("sum").updateOne({ _id: "sum" }, { $inc: { n: 1 } }, {
      upsert: true,
    });
  }

  /** Writes so much that its slice of the oplog can be struck in its middle; `keep`: a Full's data as well, until this is called again. */
  async writeMuch(keep = false): Promise<void> {
    const blobs = this.client.db(database).collection<{ _id: number; bytes: Binary }>("blobs");
    await blobs.deleteMany({});
    for (let at = 0; at < sliceBytes >> 20; at++) {
      const bytes = new Uint8Array(1 << 20);
      for (let from = 0; from < bytes.length; from += 65536) {
        crypto.getRandomValues(bytes.subarray(from, from + 65536));
      }
      await blobs.insertOne({ _id: at, bytes: new Binary(bytes) });
    }
    // The data itself stays small, so that a Full's fits into what is on its way.
    if (!keep) await blobs.deleteMany({});
  }

  /** Does something amid the data of `Chain`, which goes on and must be good. */
  async disturb(level: BackupLevel, blow: Blow): Promise<void> {
    await this.write("before the disturbance");
    await this.writeMuch(level === "Full");
    let struck: Struck;
    try {
      struck = await this.#untilStep("amid the data", level);
      await this.write("amid the disturbance");
      await blow(struck);
    } finally {
      await this.lab.signalDaemon("sd", "SIGCONT");
    }
    await this.takeGood(await this.lab.wait(struck.jobId), level);
    await this.backends.assertNothingStays();
  }

  /** Runs `Chain`, which must be good and continue the last good job. */
  async runGood(level: BackupLevel): Promise<void> {
    await this.takeGood(await this.lab.run("Chain", level), level);
  }

  /** Holds a job of `Chain` to be good, and to begin where the last one ended that the Director calls good, or to be a Full. */
  async takeGood(job: JobResult, level: BackupLevel = "Incremental"): Promise<void> {
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    const tips = new Map((await this.tips()).map((tip) => [tip.jobName, tip]));
    if (level === "Full") return assert.equal(tips.get(job.name)?.level, "F");
    const before = `Name='Chain' and JobStatus in ('T', 'W') and JobId < ${job.jobId}`;
    const [[parent] = []] = await this.lab.query(
      `select Job from Job where ${before} order by JobId desc limit 1`,
    );
    assert.ok(parent !== undefined && tips.get(job.name)?.parentName === parent, job.log);
    const record = (await this.records()).find(({ jobId }) => jobId === job.jobId);
    assert.deepEqual(record?.oplog?.start, tips.get(parent)?.position);
  }

  /**
   * Strikes `Chain` and waits for its end, which must not be a good one; then the next Incremental must be, and begin where the last good job
   * ended.
   *
   * @param isLost whether the blow ends the Director, which then writes no last words into the job's log
   */
  async strike(step: Step, level: BackupLevel, blow: Blow, isLost = false): Promise<Outcome> {
    const name = crypto.randomUUID();
    await this.write(`${name}: before`);
    if (step === "amid the data") await this.writeMuch();
    let struck: Struck;
    try {
      struck = await this.#untilStep(step, level);
      await this.write(`${name}: meanwhile`);
      await blow(struck);
    } finally {
      await this.lab.signalDaemon("sd", "SIGCONT");
    }
    const outcome = isLost ? await this.#lost(struck) : await this.lab.wait(struck.jobId, 120_000);
    assert.ok(!["T", "W"].includes(outcome.status), `${outcome.status}\n${outcome.log}`);
    await this.backends.assertNothingStays();
    // A File Daemon whose Director is gone goes on to the end of the job.
    const hasTip = (await this.tips()).some(({ jobId }) => jobId === struck.jobId);
    if (!isLost) assert.equal(hasTip, step === "when the backend is done", "the struck job's tip");
    await this.write(`${name}: after`);
    await this.runGood("Incremental");
    return outcome;
  }

  /** Resolves at the step of a new job, with the Storage Daemon stopped: it takes nothing and confirms nothing. */
  async #untilStep(step: Step, level: BackupLevel): Promise<Struck> {
    const from = volumeBytes(this.lab);
    const jobId = await this.lab.start("Chain", level);
    const pid = await this.backends.one();
    if (step === "amid the data") await untilWritten(this.lab, from, 2 << 20);
    await this.lab.signalDaemon("sd", "SIGSTOP");
    if (step === "when the backend is done") {
      // Its tip is the last thing that a backend does; from here on, Bacula alone can fail the job.
      await until("the job's tip", 20_000, async () => (await this.tips())[0]?.jobId === jobId);
    }
    return { jobId, pid };
  }

  async #lost({ jobId }: Struck): Promise<Outcome> {
    const [[status = ""] = []] = await this.lab.query(`select JobStatus from Job where JobId=${jobId}`);
    return { status, log: "" };
  }

  /** Sends a signal that stops a process of a job or lets it go on; `pid` is the backend's. */
  async signal(who: Participant, pid: number, signal: "SIGSTOP" | "SIGCONT"): Promise<void> {
    if (who === "the backend") return Deno.kill(-pid, signal);
    if (who === "the server") return await this.#system.set.kill(this.#system.set.members[0]!, signal);
    await this.lab.signalDaemon(daemonNames[who], signal);
  }

  async tips(): Promise<readonly Tip[]> {
    return (await readTips(`${this.lab.folder}/work`, resource))?.tips ?? [];
  }

  /** What all jobs have recorded, the newest first. */
  async records(): Promise<readonly JobRecord[]> {
    const path = `${this.lab.folder}/work/podheitor-mongodb-${resource}-stats.json`;
    return parseStats(await Deno.readTextFile(path)).jobs;
  }

  /** The servers' own hashes of what is saved. */
  async print(client = this.client): Promise<Record<string, unknown>> {
    return await fingerprint(client, [database]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#system[Symbol.asyncDispose]();
  }
}
