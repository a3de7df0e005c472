/** What the primary's writes cost while a Full is read from a secondary, or from the primary itself. */

import { type Collection, MongoClient } from "mongodb";
import { ReplicaSet } from "../lab/mongod.ts";
import { loadDataset } from "./dataset.ts";
import { ours } from "./programs.ts";
import { makeRows, type Table } from "./report.ts";
import { percentile } from "./statistics.ts";
import { type Bench, measureInTurn, type Subject } from "./turns.ts";

/** One write begins each so many milliseconds, whether the one before is done or not. */
const intervalMs = 5;

/** How long writes are measured without a backup. */
const quietMs = 4_000;

/** Times how long writes take until it is disposed of. */
class Pulse implements AsyncDisposable {
  readonly #counters: Collection<{ _id: number }>;
  readonly #latenciesMs: number[];
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #pending = new Set<Promise<unknown>>();
  #writes = 0;

  /** @param latenciesMs takes how long each write took */
  constructor(client: MongoClient, latenciesMs: number[]) {
    this.#counters = client.db("bench_load").collection("pulse");
    this.#latenciesMs = latenciesMs;
    this.#timer = setInterval(() => this.#beat(), intervalMs);
  }

  #beat(): void {
    const startedAt = performance.now();
    const write = this.#counters.updateOne(
      { _id: this.#writes++ % 100 },
      { $inc: { n: 1 } },
      { upsert: true, writeConcern: { w: 1 } },
    ).then(() => this.#latenciesMs.push(performance.now() - startedAt)).finally(() =>
      this.#pending.delete(write)
    );
    this.#pending.add(write);
  }

  /** @throws what a write failed with */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }
}

/** Fulls by turns, all while somebody writes to the primary. */
export async function measureWrites(bench: Bench, sizeBytes: number): Promise<Table> {
  bench.say(`loading ${(sizeBytes / 1e6).toFixed(0)} MB into a replica set of three`);
  await using set = await ReplicaSet.start();
  const dataset = await loadDataset(set.uri, sizeBytes);
  await using client = new MongoClient(set.uri);
  const { host, port } = await set.primary();
  const latencies = new Map<string, number[]>();
  const underWrites = (name: string, program: Subject["program"]): Subject => {
    const latenciesMs: number[] = [];
    latencies.set(name, latenciesMs);
    return { name, program, during: () => Promise.resolve(new Pulse(client, latenciesMs)) };
  };
  const backup = (name: string, options: string) =>
    underWrites(name, ours(bench, ["backup", "--to", "/dev/null"], `${options} uri=${set.uri}`));
  const rate = Math.max(Math.round(sizeBytes / 8e6), 1);
  const subjects = [
    underWrites("no backup", waitQuietly),
    backup("from a secondary", "readPreference=secondary"),
    backup(
      `from a secondary, max_rate=${rate}M max_lag=5`,
      `readPreference=secondary max_rate=${rate}M max_lag=5`,
    ),
    backup("from the primary", `source=${host}:${port}`),
    backup(`from the primary, max_rate=${rate}M`, `source=${host}:${port} max_rate=${rate}M`),
  ];
  const rows = makeRows(await measureInTurn(subjects, bench, set));
  return {
    about: `The primary's writes during Fulls: replica set of three on one machine; ${
      (dataset.bytes / 1e6).toFixed(0)
    } MB, a write each ${intervalMs} ms`,
    entries: null,
    bytes: dataset.bytes,
    rows,
    notes: [...latencies].map(([name, all]) =>
      `writes with ${name}: median ${percentile(all, 50).toFixed(1)} ms, 99 of 100 within ${
        percentile(all, 99).toFixed(1)
      } ms, ${all.length.toLocaleString("en")} of them`
    ),
  };
}

/** A stretch of time in which nothing else is done. */
async function waitQuietly() {
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  return { wallSeconds: quietMs / 1000, cpuSeconds: NaN, peakRssBytes: NaN, output: "" };
}
