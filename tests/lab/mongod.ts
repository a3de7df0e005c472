/**
 * Real MongoDB servers for tests: replica sets and single servers on 127.0.0.1 that live as long as the test.
 *
 * @module
 */

import { type Db, MongoClient, type MongoClientOptions } from "mongodb";
import { until } from "./condition.ts";
import { Daemon, freePort, ScratchFolder } from "./daemon.ts";
import { findMongod, type MongodBinary, type MongodSeries } from "./mongod_binary.ts";

/** What the servers of a test are to be. */
export interface ServerOptions {
  readonly binary?: MongodBinary;
  readonly version?: MongodSeries;
  /** The administrator to make (role `root`); with one, access control is on. */
  readonly auth?: { readonly user: string; readonly password: string };
  readonly oplogSizeMB?: number;
  /** Further arguments for each mongod. */
  readonly extraArgs?: readonly string[];
  /** Where the data goes; it then stays there. Without it, a folder that is removed at the end. */
  readonly dir?: string;
}

/** What a replica set is to be. */
export interface ReplicaSetOptions extends ServerOptions {
  /** The set's name; `rs0` by default. */
  readonly name?: string;
  /** Number of members, 3 by default; all that have data can become primary. */
  readonly members?: number;
  /** How many of them, the last ones, are arbiters; none by default. */
  readonly arbiters?: number;
}

/** One mongod of a test. */
export interface Member {
  readonly host: string;
  readonly port: number;
  /** Changes when it is restarted. */
  readonly pid: number;
  readonly dbpath: string;
  readonly logpath: string;
}

class Server implements Member {
  readonly host = "127.0.0.1";
  readonly port = freePort();
  readonly dbpath: string;
  readonly logpath: string;
  readonly #binary: MongodBinary;
  readonly #args: readonly string[];
  #daemon: Daemon | null = null;

  constructor(binary: MongodBinary, folder: string, args: readonly string[]) {
    this.#binary = binary;
    this.dbpath = folder;
    this.logpath = `${folder}.log`;
    // deno-fmt-ignore
    this.#args = [
      "--bind_ip", this.host, "--port", `${this.port}`, "--dbpath", folder, "--wiredTigerCacheSizeGB", "0.5", "--nounixsocket",
      // From 5.0 on, a primary that is told to end would first let its clients go on for 15 s.
      ...(binary.version.startsWith("4.") ? [] : ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"]),
      ...args,
    ];
  }

  get pid(): number {
    return this.daemon.pid;
  }

  get daemon(): Daemon {
    if (this.#daemon === null) throw new Error(`mongod ${this.port} was never started`);
    return this.#daemon;
  }

  async start(): Promise<void> {
    await Deno.mkdir(this.dbpath, { recursive: true });
    const { path: program, env } = this.#binary;
    this.#daemon = Daemon.start({ program, env, args: this.#args, logPath: this.logpath, port: this.port });
    await this.#daemon.listening();
  }
}

/** A running replica set, or a single server without one. */
export class ReplicaSet implements AsyncDisposable {
  /** The set's name, or null for a single server. */
  readonly name: string | null;
  readonly binary: MongodBinary;
  /** Connection string with all members and, where access control is on, the administrator's credentials. */
  readonly uri: string;
  readonly #servers: readonly Server[];
  readonly #options: ServerOptions;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    name: string | null,
    binary: MongodBinary,
    servers: readonly Server[],
    options: ServerOptions,
    resources: AsyncDisposableStack,
  ) {
    this.name = name;
    this.binary = binary;
    this.#servers = servers;
    this.#options = options;
    this.#resources = resources;
    const { auth } = options;
    const login = auth ? `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.password)}@` : "";
    const hosts = servers.map(({ host, port }) => `${host}:${port}`).join(",");
    const query = name === null ? "directConnection=true" : `replicaSet=${name}`;
    this.uri = `mongodb://${login}${hosts}/?${query}${auth ? "&authSource=admin" : ""}`;
  }

  /** Starts a replica set; resolves when it has a primary and all others are secondaries. */
  static async start(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
    const name = options.name ?? "rs0";
    const set = await ReplicaSet.#launch(name, options.members ?? 3, options);
    try {
      await set.#initiate(name, options.arbiters ?? 0);
      if (options.auth) await set.#createAdministrator(options.auth);
      await set.#settled();
      return set;
    } catch (cause) {
      await set.stop();
      throw cause;
    }
  }

  /** Starts one server that is in no replica set. */
  static async standalone(options: ServerOptions = {}): Promise<ReplicaSet> {
    const server = await ReplicaSet.#launch(null, 1, options);
    try {
      if (options.auth) await server.#createAdministrator(options.auth);
      return server;
    } catch (cause) {
      await server.stop();
      throw cause;
    }
  }

  static async #launch(name: string | null, count: number, options: ServerOptions): Promise<ReplicaSet> {
    const binary = options.binary ?? await findMongod(options.version);
    await using resources = new AsyncDisposableStack();
    const folder = options.dir ?? resources.use(await ScratchFolder.make("mongod")).path;
    const args = [...options.extraArgs ?? []];
    if (name !== null) args.push("--replSet", name, "--oplogSize", `${options.oplogSizeMB ?? 990}`);
    if (options.auth) args.push("--auth");
    if (options.auth && name !== null) args.push("--keyFile", await writeKeyFile(folder));
    const servers = Array.from(
      { length: count },
      (_, at) => new Server(binary, `${folder}/member-${at}`, args),
    );
    const patienceMs = options.dir === undefined ? 0 : 30_000;
    resources.defer(() => endAll(servers, patienceMs));
    await Promise.all(servers.map((server) => server.start()));
    return new ReplicaSet(name, binary, servers, options, resources.move());
  }

  get members(): readonly Member[] {
    return this.#servers;
  }

  /** The member that takes writes; waits for one to be elected. */
  async primary(): Promise<Member> {
    return await until("a primary", 60_000, () => this.#findPrimary());
  }

  /** Makes the primary step down; resolves to the new one when the whole set has settled. */
  async stepDown(): Promise<Member> {
    const old = await this.primary();
    await this.command(old, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 10 });
    return await this.#settled();
  }

  /** Sends a signal to a member's process; resolves when it is gone, unless the signal is SIGSTOP or SIGCONT. */
  async kill(member: Member, signal: Deno.Signal): Promise<void> {
    await this.#server(member).daemon.kill(signal);
  }

  /** Starts a member again, after ending it if it is running; resolves when the whole set has settled. */
  async restart(member: Member): Promise<void> {
    const server = this.#server(member);
    await server.daemon.stop(30_000);
    await server.start();
    if (this.name !== null) await this.#settled();
  }

  /** Runs an admin command on one member, with the administrator's credentials where there are some. */
  async command(member: Member, command: Record<string, unknown>): Promise<Record<string, unknown>> {
    return await withAdmin(member, this.#options.auth, (admin) => admin.command(command));
  }

  /** Ends all servers and removes their data, unless that is in a folder of the caller. */
  async stop(): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #server(member: Member): Server {
    const server = this.#servers.find(({ port }) => port === member.port);
    if (server === undefined) throw new Error(`${member.host}:${member.port} is no member of this set`);
    return server;
  }

  async #initiate(name: string, arbiters: number): Promise<void> {
    const members = this.#servers.map(({ host, port }, _id) => ({
      _id,
      host: `${host}:${port}`,
      arbiterOnly: _id >= this.#servers.length - arbiters,
    }));
    const settings = { electionTimeoutMillis: 3000, heartbeatIntervalMillis: 500 };
    await withAdmin(this.#first, undefined, async (admin) => {
      await admin.command({ replSetInitiate: { _id: name, members, settings } });
      // Calls the first election early; refused until the others have heard of the set, and always where access control is on.
      const stepUp = () => admin.command({ replSetStepUp: 1 }).catch(() => this.#findPrimary());
      await until("the first election", 60_000, stepUp);
    });
  }

  /** Makes the first user, which a server without any lets its own host do. */
  async #createAdministrator({ user, password }: { user: string; password: string }): Promise<void> {
    const create = { createUser: user, pwd: password, roles: ["root"] };
    const primary = this.name === null ? this.#first : await this.primary();
    await withAdmin(
      primary,
      undefined,
      (admin) => admin.command({ ...create, writeConcern: { w: "majority" } }),
    );
  }

  get #first(): Server {
    const [first] = this.#servers;
    if (first === undefined) throw new Error("A replica set needs at least one member");
    return first;
  }

  async #findPrimary(): Promise<Server | null> {
    for (const server of this.#servers) {
      if (server.daemon.isRunning && (await hello(server))?.isWritablePrimary === true) return server;
    }
    return null;
  }

  /** Resolves to the primary when every running member is either that or a secondary. */
  async #settled(): Promise<Server> {
    return await until("a primary and secondaries", 90_000, async () => {
      const running = this.#servers.filter(({ daemon }) => daemon.isRunning);
      const replies = await Promise.all(running.map(hello));
      const isReady = (reply: Hello | null) =>
        reply?.isWritablePrimary === true || reply?.secondary === true || reply?.arbiterOnly === true;
      if (!replies.every(isReady)) {
        return null;
      }
      const primaries = running.filter((_, at) => replies[at]?.isWritablePrimary === true);
      return primaries.length === 1 ? primaries[0] : null;
    });
  }
}

interface Hello {
  readonly isWritablePrimary?: boolean;
  readonly secondary?: boolean;
  readonly arbiterOnly?: boolean;
}

/** A member's view of itself; null while it can't be asked. `hello` needs no credentials. */
async function hello(server: Server): Promise<Hello | null> {
  return await withAdmin(server, undefined, (admin) => admin.command({ hello: 1 })).catch(() => null);
}

async function withAdmin<T>(
  { host, port }: Member,
  auth: ServerOptions["auth"],
  work: (admin: Db) => Promise<T>,
): Promise<T> {
  const options: MongoClientOptions = {
    directConnection: true,
    serverSelectionTimeoutMS: 2000,
    maxPoolSize: 1,
  };
  if (auth) options.auth = { username: auth.user, password: auth.password };
  const client = new MongoClient(`mongodb://${host}:${port}/`, options);
  try {
    return await work(client.db("admin"));
  } finally {
    await client.close();
  }
}

async function writeKeyFile(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/keyfile`;
  await Deno.writeTextFile(path, crypto.getRandomValues(new Uint8Array(96)).toBase64(), { mode: 0o600 });
  return path;
}

async function endAll(servers: readonly Server[], patienceMs: number): Promise<void> {
  await Promise.all(servers.map(({ daemon }) => daemon.stop(patienceMs)));
}
