/**
 * A set of one whose only member's address is a proxy's, so that all of a job goes through a network that can be made to fail.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Document, MongoClient } from "mongodb";
import { makeCertificates, tlsArguments } from "../contract/certificates.ts";
import { FolderJobs } from "../contract/folder_jobs.ts";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { type Fault, FaultProxy } from "../lab/fault_proxy.ts";
import { ReplicaSet } from "../lab/mongod.ts";

const databases = ["app", "shop"] as const;
const collections = ["a", "b"] as const;

/** The driver notices soon what a network does. */
const impatience = "serverSelectionTimeoutMS=1500&heartbeatFrequencyMS=1000&connectTimeoutMS=1500";

/** How a job through a network ended. */
export interface Ended {
  /** What failed it, or null where it ended well. */
  readonly failure: string | null;
  /** Bytes that passed through the network. */
  readonly bytes: number;
}

/** The set, its network, and a Full of it to restore. */
export class NetworkSite implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack;
  readonly #proxy: FaultProxy;
  readonly #jobs: FolderJobs;
  readonly #tls: string;
  #count = 0;
  #documents = "";

  private constructor(resources: AsyncDisposableStack, proxy: FaultProxy, jobs: FolderJobs, tls: string) {
    this.#resources = resources;
    this.#proxy = proxy;
    this.#jobs = jobs;
    this.#tls = tls;
  }

  static async start(): Promise<NetworkSite> {
    await using resources = new AsyncDisposableStack();
    const { path: folder } = resources.use(await ScratchFolder.make("network"));
    await makeCertificates(folder);
    const set = resources.use(
      await ReplicaSet.start({ members: 1, extraArgs: tlsArguments(folder, "server", "allowTLS") }),
    );
    const proxy = resources.use(FaultProxy.start(set.members[0]!.port));
    await using client = new MongoClient(set.uri);
    for (const database of databases) {
      for (const name of collections) {
        await client.db(database).collection(name).insertMany(
          Array.from({ length: 2_500 }, (_, at) => ({ at, text: `${at} `.repeat(at % 40) })),
        );
      }
    }
    const admin = client.db("admin");
    const { config } = await admin.command({ replSetGetConfig: 1 });
    config.members[0].host = `127.0.0.1:${proxy.port}`;
    await admin.command({ replSetReconfig: { ...config, version: config.version + 1 }, force: true });
    const jobs = resources.use(await FolderJobs.make());
    const site = new NetworkSite(resources.move(), proxy, jobs, `tls=true&tlsCAFile=${folder}/ca.pem`);
    await site.#untilPrimary();
    site.#documents = await site.#describe();
    await jobs.backUp("F", "kept", `uri=${site.#uri("")} users=no`);
    return site;
  }

  /** A Full through a network with a fault. One that ends well has every document; one that fails leaves nothing. */
  async backUp(fault: Fault | null, tls: boolean): Promise<Ended> {
    const job = `full${this.#count++}`;
    const ended = await this.#run(
      fault,
      () =>
        this.#jobs.backUp("F", job, `uri=${this.#uri(tls ? this.#tls : "")} users=no max_source_absence=2`),
    );
    const folder = `${this.#jobs.folder}/backups/${job}`;
    if (ended.failure === null) {
      assert.equal(
        await describeFiles(folder),
        await describeFiles(`${this.#jobs.folder}/backups/kept`),
        "the job ended well, without all documents",
      );
      await Deno.remove(folder, { recursive: true });
    } else {
      await assert.rejects(Deno.stat(folder), Deno.errors.NotFound, "a failed job left a backup");
    }
    return ended;
  }

  /** A restore over the same data through a network with a fault. One that ends well has brought every document. */
  async restore(fault: Fault | null, tls: boolean): Promise<Ended> {
    const ended = await this.#run(
      fault,
      () => this.#jobs.restore(`uri=${this.#uri(tls ? this.#tls : "")} drop=yes`, { job: "kept" }),
    );
    if (ended.failure === null) {
      assert.equal(await this.#describe(), this.#documents, "the restore ended well, without all documents");
    }
    return ended;
  }

  async #run(fault: Fault | null, job: () => Promise<unknown>): Promise<Ended> {
    this.#proxy.prepare(fault);
    const failure = await job().then(() => null, (cause) => String(cause.message));
    const { bytes } = this.#proxy;
    this.#proxy.prepare(null);
    return { failure, bytes };
  }

  #uri(query: string): string {
    return `mongodb://127.0.0.1:${this.#proxy.port}/?replicaSet=rs0&${impatience}&${query}`;
  }

  /** The server's own hashes of all documents, whatever their order. */
  async #describe(): Promise<string> {
    await using client = new MongoClient(this.#uri(""));
    const hashes = databases.map(async (name) => {
      const { collections } = await client.db(name).command({ dbHash: 1 });
      return `${name} ${JSON.stringify(collections)}`;
    });
    return (await Promise.all(hashes)).join("\n");
  }

  /** Resolves when the member is the primary under its new name, and has something that a majority has. */
  async #untilPrimary(): Promise<void> {
    const uri = `mongodb://127.0.0.1:${this.#proxy.port}/?directConnection=true`;
    await until("the primary behind the proxy", 60_000, async () => {
      await using client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000 });
      const hello: Document | null = await client.db("admin").command({ hello: 1 }).catch(() => null);
      return hello?.["isWritablePrimary"] === true && hello["lastWrite"]?.majorityOpTime?.t > 0;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Sizes and digests of all documents' files of a backup. */
async function describeFiles(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const path of databases.flatMap((database) => collections.map((name) => `${database}/${name}.bson`))) {
    const bytes = await Deno.readFile(`${folder}/@mongodb/r/${path}`);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    lines.push(`${path} ${bytes.length} ${new Uint8Array(digest).toHex()}`);
  }
  return lines.join("\n");
}
