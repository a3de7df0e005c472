/**
 * A mongod of our own, for as long as a rehearsal takes: nobody else can log in, and nothing of it is left.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { Secret } from "../secret.ts";
import { closeClient, connectMember } from "./client.ts";
import { driverError } from "./driver_error.ts";

const prefix = "podheitor-mongodb-rehearsal-";
const setName = "rehearsal";
const startMs = 120_000;
const pollMs = 100;

/** A mongod program that runs. */
export interface MongodProgram {
  readonly path: string;
  /** As it says itself: `6.0.5`. */
  readonly version: string;
}

/**
 * Asks a mongod for its version.
 *
 * @throws PluginError `restoreTarget` when there is none
 */
export async function findProgram(path: string | undefined): Promise<MongodProgram> {
  const hint =
    "Install the server package of the backup's series on this machine (mongodb-org-server or percona-server-mongodb-server), " +
    "or name its mongod in MONGOD_BIN. It needs no configuration and need not be running.";
  if (path === undefined) {
    throw new PluginError("restoreTarget", "Cannot rehearse: there is no mongod on PATH", { hint });
  }
  const command = new Deno.Command(path, { args: ["--version"], stdin: "null", clearEnv: true });
  const said = await command.output().then(({ stdout }) => new TextDecoder().decode(stdout), (cause) => {
    throw new PluginError("restoreTarget", `Cannot rehearse: ${path} doesn't start`, { hint, cause });
  });
  const version = /db version v(\S+)/.exec(said)?.[1];
  if (version !== undefined) return { path, version };
  throw new PluginError("restoreTarget", `Cannot rehearse: ${path} doesn't say that it is a mongod`, {
    hint,
  });
}

/** A replica set of one member on the loopback, below a folder of mode 0700. Its key is the only way in. */
export class ThrowawayServer implements AsyncDisposable {
  /** Logs in as the server's own user, who may do everything. */
  readonly uri: Secret;
  readonly folder: string;
  readonly #host: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(uri: Secret, folder: string, host: string, resources: AsyncDisposableStack) {
    this.uri = uri;
    this.folder = folder;
    this.#host = host;
    this.#resources = resources;
  }

  /** Removes what killed rehearsals left in a directory, then starts a server there. */
  static async start(
    directory: string,
    program: MongodProgram,
    signal: AbortSignal,
  ): Promise<ThrowawayServer> {
    // A directory that can't be read is said below, by what can't be made in it.
    const leftovers = await listLeftovers(directory).catch(() => []);
    for (const folder of leftovers) await removeLeftover(folder);
    await using resources = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ dir: directory, prefix }).catch((cause) => {
      throw new PluginError("stateWrite", `Cannot make a folder in ${directory}: ${reason(cause)}`, {
        hint: "Name a folder with room for the restored data by --working-dir.",
        cause,
      });
    });
    resources.defer(() => Deno.remove(folder, { recursive: true }));
    // Held as long as this process lives: who can take it knows that nobody rehearses here any more.
    const lock = resources.use(await Deno.open(`${folder}/lock`, { create: true, write: true, mode: 0o600 }));
    await lock.lock(true);
    const key = crypto.getRandomValues(new Uint8Array(96)).toBase64({ alphabet: "base64url" }).replaceAll(
      /[-_=]/g,
      "x",
    );
    await Deno.writeTextFile(`${folder}/key`, key, { mode: 0o600 });
    const port = freePort();
    const host = `127.0.0.1:${port}`;
    const uri = new Secret(
      `mongodb://__system:${key}@${host}/?authSource=local&authMechanism=SCRAM-SHA-256&directConnection=true`,
    );
    await Deno.writeTextFile(`${folder}/uri`, uri.reveal(), { mode: 0o600 });
    await Deno.mkdir(`${folder}/db`, { mode: 0o700 });
    // deno-fmt-ignore
    const child = new Deno.Command(program.path, {
      args: [
        "--dbpath", `${folder}/db`, "--logpath", `${folder}/log`, "--bind_ip", "127.0.0.1", "--port", `${port}`, "--nounixsocket",
        "--replSet", setName, "--oplogSize", "990", "--keyFile", `${folder}/key`, "--setParameter", "enableLocalhostAuthBypass=false",
        // What has expired since the backup is in it all the same.
        "--setParameter", "ttlMonitorEnabled=false",
      ],
      stdin: "null", stdout: "null", stderr: "null", clearEnv: true,
    }).spawn();
    let running = true;
    const ended = child.status.then(() => {
      running = false;
    });
    resources.defer(async () => {
      // Its data is thrown away: it need not end in good order.
      if (running) child.kill("SIGKILL");
      await ended;
    });
    await becomePrimary(uri, host, `${folder}/log`, () => running, signal);
    return new ThrowawayServer(uri, folder, host, resources.move());
  }

  /** Problems that a full validation of a collection finds, one sentence each. */
  async validate(namespace: Namespace): Promise<string[]> {
    const client = await connectMember(this.uri, this.#host, 0);
    try {
      const { valid, errors } = await client.db(namespace.database).command({
        validate: namespace.collection,
        full: true,
      });
      if (valid === true) return [];
      return errors?.length > 0 ? errors.map(String) : ["validate finds it damaged"];
    } catch (cause) {
      throw driverError(`validate ${formatNamespace(namespace)}`, cause);
    } finally {
      await closeClient(client);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Makes the server a set of one, and waits until it takes writes. */
async function becomePrimary(
  uri: Secret,
  host: string,
  logPath: string,
  isRunning: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + startMs;
  let initiated = false;
  while (performance.now() < deadline && isRunning()) {
    signal.throwIfAborted();
    const client = await connectMember(uri, host, startMs).catch(() => null);
    try {
      const admin = client?.db("admin");
      if (admin !== undefined && !initiated) {
        await admin.command({ replSetInitiate: { _id: setName, members: [{ _id: 0, host }] } });
        initiated = true;
      }
      if ((await admin?.command({ hello: 1 }))?.["isWritablePrimary"] === true) return;
    } catch (cause) {
      throw driverError("start a server for the rehearsal", cause);
    } finally {
      if (client !== null) await closeClient(client);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const last = (await Deno.readTextFile(logPath).catch(() => "")).trimEnd().split("\n").at(-1);
  throw new PluginError(
    "restoreTarget",
    `Cannot rehearse: mongod didn't come up; the last line of its log: ${last}`,
    {
      hint:
        "The working directory needs room and must be one that mongod can use; --working-dir names another.",
    },
  );
}

async function listLeftovers(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.filter(({ name, isDirectory }) => isDirectory && name.startsWith(prefix))
    .map(({ name }) => `${directory}/${name}`);
}

/** Ends the server that a killed rehearsal left, and removes its folder; one that still runs holds the lock. */
async function removeLeftover(folder: string): Promise<void> {
  const lock = await Deno.open(`${folder}/lock`, { create: true, write: true, mode: 0o600 });
  try {
    if (!await lock.tryLock(true)) return;
    await endServer(`${folder}/uri`);
    await Deno.remove(folder, { recursive: true });
  } finally {
    lock.close();
  }
}

/** A server whose key we have is ours. One that doesn't answer is gone. */
async function endServer(uriPath: string): Promise<void> {
  const text = await Deno.readTextFile(uriPath).catch(() => null);
  const host = /@([\d.:]+)\//.exec(text ?? "")?.[1];
  if (text === null || host === undefined) return;
  const client = await connectMember(new Secret(text), host, startMs).catch(() => null);
  if (client === null) return;
  // It closes the connection instead of answering.
  await client.db("admin").command({ shutdown: 1, force: true }).catch(() => {});
  await closeClient(client);
}

/**
 * A port that nobody listens on now, below those that a system gives to outgoing connections: one of them could take it before the server does.
 */
function freePort(): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const [random] = crypto.getRandomValues(new Uint16Array(1));
    try {
      // Closed by hand: the bundler inlines a "using" whose value is used once, and leaves it open.
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 20_000 + random! % 12_000 });
      listener.close();
      return (listener.addr as Deno.NetAddr).port;
    } catch (cause) {
      if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    }
  }
  throw new PluginError(
    "restoreTarget",
    "Cannot rehearse: no free port between 20000 and 31999 on 127.0.0.1",
    {
      hint: "See with ss -ltn what listens there.",
    },
  );
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
