/**
 * A built product, a replica set and a Bacula, for one file of tests.
 *
 * @module
 */

import { MongoClient, type Timestamp } from "mongodb";
import { type Build, build } from "../../packaging/build.ts";
import { BaculaLab, type BaculaLabOptions } from "../lab/bacula.ts";
import { canary } from "../lab/canary.ts";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet, type ReplicaSetOptions } from "../lab/mongod.ts";

/** The key that the tests sign with. */
export const { signingKey } = canary;

/** How a system is started. */
export interface SystemOptions {
  readonly set?: ReplicaSetOptions;
  readonly lab?: Omit<BaculaLabOptions, "plugin" | "pluginCommands">;
  /** Plugin lines by job name, given the set's connection string, and the path of a file with it for `uri_file=`. */
  readonly commands?: (uri: string, uriFile: string) => Record<string, string | string[]>;
}

/** Everything that a test of the whole way needs. */
export class System implements AsyncDisposable {
  readonly built: Build;
  readonly set: ReplicaSet;
  readonly lab: BaculaLab;
  readonly client: MongoClient;
  /** The server's version as a number to compare with: 6 for 6.0.5, 4.4 for 4.4.2. */
  readonly serverVersion: number;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Pick<System, "built" | "set" | "lab" | "client" | "serverVersion">,
    resources: AsyncDisposableStack,
  ) {
    this.built = parts.built;
    this.set = parts.set;
    this.lab = parts.lab;
    this.client = parts.client;
    this.serverVersion = parts.serverVersion;
    this.#resources = resources;
  }

  static async start(options: SystemOptions = {}): Promise<System> {
    await using resources = new AsyncDisposableStack();
    const built = await build();
    const set = resources.use(await ReplicaSet.start(options.set));
    const client = await new MongoClient(set.uri).connect();
    resources.defer(() => client.close());
    const commands = options.commands ??
      ((uri) => ({ Mongo: `podheitor-mongodb: mode=dump uri=${uri} segment_size=1M` }));
    const env = {
      PODHEITOR_MONGODB_BACKEND: built.backend,
      PODHEITOR_MONGODB_SIGNING_KEY: signingKey,
      // For connection strings that name a user alone.
      PODHEITOR_MONGODB_PASSWORD: canary.password,
      ...options.lab?.env,
    };
    const { path: secrets } = resources.use(await ScratchFolder.make("secrets"));
    await Deno.writeTextFile(`${secrets}/uri`, set.uri, { mode: 0o600 });
    const pluginCommands = commands(set.uri, `${secrets}/uri`);
    const lab = resources.use(
      await BaculaLab.start({ ...options.lab, plugin: built.plugin, pluginCommands, env }),
    );
    const { version } = await client.db("admin").command({ buildInfo: 1 });
    const serverVersion = Number.parseFloat(version);
    return new System({ built, set, lab, client, serverVersion }, resources.move());
  }

  /** Runs the built backend from the command line. */
  async backend(
    args: string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code, stdout, stderr } = await this.startBackend(args, env).output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  /** Starts the built backend from the command line. */
  startBackend(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
    return new Deno.Command(this.built.backend, {
      args,
      env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey, PODHEITOR_MONGODB_USER: "root", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** The newest place in the oplog, once a majority of the set has it. */
export async function newestPosition(client: MongoClient): Promise<{ t: number; i: number }> {
  const ask = async () => (await client.db("admin").command({ hello: 1 }))["lastWrite"];
  const newest: Timestamp = (await ask()).opTime.ts;
  await until(
    "a majority to have the newest entry",
    30_000,
    async () => newest.lessThanOrEqual((await ask()).majorityOpTime.ts),
  );
  return { t: newest.t, i: newest.i };
}

/** Names of the processes that run the backend. */
export async function backendProcesses(backend: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (command.includes(`${backend}.js`) && command.includes("\0job\0")) found.push(name);
  }
  return found;
}
