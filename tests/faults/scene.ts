/**
 * A Bacula and a server with enough data that a job can be struck at a chosen moment, and what must be true after the blow.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { MongoClient } from "mongodb";
import { System, type SystemOptions } from "../e2e/system.ts";
import type { BaculaLab, DaemonName, JobResult } from "../lab/bacula.ts";
import { canary } from "../lab/canary.ts";
import { until } from "../lab/condition.ts";
import type { Member } from "../lab/mongod.ts";
import { Backends } from "./backends.ts";
import { loadMuch, untilWritten, volumeBytes } from "./load.ts";

/** After how many seconds of silence the plugin takes a backend of the scene for dead. */
export const silenceSeconds = 3;

/** What a blow may need to know. */
export interface Moment {
  readonly jobId: number;
  /** Process id of the job's backend. */
  readonly pid: number;
}

type Blow = (moment: Moment) => unknown;

/** A job that was struck. */
export interface Struck extends JobResult {
  /** From the blow to the job's end. */
  readonly endedAfterMs: number;
}

/** Bytes on the volumes after which a backup counts as being in the middle of its data. */
const middleBytes = 16 << 20;

/** Longest time from a blow to the job's end. The slowest is a server that is gone: the driver looks 15 s for it, and the job waits besides. */
const endsWithinMs = 60_000;

/** The job `Much` with more data than fits into any buffer, and the job `Small`. */
export class Scene implements AsyncDisposable {
  readonly lab: BaculaLab;
  readonly client: MongoClient;
  readonly #system: System;
  readonly #mebibytes: number;
  readonly #backends: Backends;

  private constructor(system: System, mebibytes: number) {
    this.#system = system;
    this.lab = system.lab;
    this.client = system.client;
    this.#mebibytes = mebibytes;
    this.#backends = new Backends(system.lab);
  }

  /** @param mebibytes data of the job `Much` */
  static async start(mebibytes: number, lab: SystemOptions["lab"] = {}): Promise<Scene> {
    const system = await System.start({
      set: { members: 1, auth: { user: "operator", password: canary.password } },
      lab: { ...lab, env: { PODHEITOR_MONGODB_SILENCE_SECONDS: String(silenceSeconds) } },
      commands: (_, uriFile) => ({
        Much:
          `podheitor-mongodb: uri_file=${uriFile} database=much,more segment_size=1M parallel_restore=8 drop=yes resource=much max_source_absence=20`,
        Small: `podheitor-mongodb: uri_file=${uriFile} database=small resource=small`,
      }),
    });
    const scene = new Scene(system, mebibytes);
    await scene.client.db("small").collection("a").insertMany([{ a: 1 }, { a: 2 }]);
    await loadMuch(scene.client, mebibytes);
    return scene;
  }

  /** The only member of the source's set. */
  get member(): Member {
    return this.#system.set.members[0]!;
  }

  /** Sends a signal to the server; after one that ends it, `reviveServer()` brings it back. */
  async strikeServer(signal: Deno.Signal): Promise<void> {
    await this.#system.set.kill(this.member, signal);
  }

  async reviveServer(): Promise<void> {
    await this.#system.set.restart(this.member);
  }

  /** Kills one of Bacula's daemons, which gets no chance to say anything. */
  async killDaemon(name: DaemonName): Promise<void> {
    await this.lab.signalDaemon(name, "SIGKILL");
  }

  /** Starts `Much` and resolves when its backend runs and the volumes have grown by so many bytes. */
  async untilBackup(bytes = middleBytes): Promise<Moment> {
    const from = volumeBytes(this.lab);
    const jobId = await this.lab.start("Much", "Full");
    if (bytes > 0) await untilWritten(this.lab, from, bytes);
    return { jobId, pid: await this.#backends.one() };
  }

  /** Strikes `Much` after so many bytes and waits for its end, which must not be a good one. */
  async strikeBackup(blow: Blow, bytes = middleBytes): Promise<Struck> {
    return await this.#strike(await this.untilBackup(bytes), blow);
  }

  /** Strikes `Much`, which goes on. */
  async strikeForNothing(blow: Blow): Promise<JobResult> {
    const moment = await this.untilBackup();
    await blow(moment);
    return await this.lab.wait(moment.jobId, 2 * endsWithinMs);
  }

  /** Strikes a restore of `Much` as soon as documents have come. */
  async strikeRestore(full: JobResult, blow: Blow): Promise<Struck> {
    return await this.#strike(await this.untilRestore(full), blow);
  }

  async untilRestore(full: JobResult): Promise<Moment> {
    for (const name of ["much", "more"]) await this.client.db(name).dropDatabase();
    const jobId = await this.lab.startRestore({ from: [full.jobId] });
    await until("the first documents", 30_000, async () => await this.documents() > 4);
    assert.ok(await this.documents() < this.#mebibytes, "the restore was done before it could be struck");
    return { jobId, pid: await this.#backends.one() };
  }

  /** The server's own hashes of what `Much` saves. */
  async hashes(): Promise<unknown[]> {
    return await Promise.all(
      ["much", "more"].map(async (name) => (await this.client.db(name).command({ dbHash: 1 }))["md5"]),
    );
  }

  /** Documents of the databases that `Much` saves. */
  async documents(): Promise<number> {
    const counts = ["much", "more"].map((name) => this.client.db(name).collection("blobs").countDocuments());
    return (await Promise.all(counts)).reduce((sum, count) => sum + count);
  }

  async #strike(moment: Moment, blow: Blow): Promise<Struck> {
    const struckAt = performance.now();
    await blow(moment);
    const job = await this.lab.wait(moment.jobId, endsWithinMs + silenceSeconds * 1000);
    const endedAfterMs = performance.now() - struckAt;
    assert.ok(!["T", "W"].includes(job.status), job.log);
    assert.match(job.log, /podheitor-mongodb: (MONGO|Manifest|Full)|cancell?ed/i);
    await this.assertNothingStays();
    return { ...job, endedAfterMs };
  }

  /** No backend runs, and no unfinished file of ours is left. */
  async assertNothingStays(): Promise<void> {
    await this.#backends.assertNothingStays();
  }

  /** The next job of the same Bacula is a good one. */
  async assertNextJobWorks(): Promise<JobResult> {
    const job = await this.lab.run("Small", "Full");
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
    return job;
  }

  /** How the newest recorded job of `Much` ended, and what its record says of the reason. */
  async lastRecord(): Promise<{ jobId: number; kind: string; outcome: string; code: number; text: string }> {
    const path = `${this.lab.folder}/work/podheitor-mongodb-much-stats.json`;
    const [{ jobId, kind, outcome, error }] = JSON.parse(await Deno.readTextFile(path)).jobs;
    return { jobId, kind, outcome, code: error?.code ?? 0, text: error?.text ?? "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#system[Symbol.asyncDispose]();
  }
}
