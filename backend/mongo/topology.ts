/**
 * Which server is read: a healthy secondary where there is one.
 *
 * @module
 */

import type { Document, MongoClient } from "mongodb";
import { PluginError } from "../errors.ts";
import type { Deployment, Member } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { closeClient, connectDeployment, connectMember, readTimeoutMs } from "./client.ts";
import { driverError, unknownReply } from "./driver_error.ts";

/** A connection to the member that is to be read or written, and what is known of its deployment. */
export interface Connection {
  readonly client: MongoClient;
  readonly deployment: Deployment;
  /** Things that the operator should know of the choice. */
  readonly warnings: readonly string[];
}

/** A member with what decides whether it is taken. */
interface Candidate extends Member {
  /** Why it isn't taken, or null. */
  readonly refusal: string | null;
}

const oldestVersion = [4, 4] as const;
const newestVersion = [8, 99] as const;

/**
 * Opens a connection to read from: a hidden secondary rather than a visible one, the one that lags least, the primary only in need. A member that
 * can't be used when it is tried gives way to the next.
 */
export async function openForReading(uri: Secret): Promise<Connection> {
  const seed = await connectDeployment(uri);
  try {
    const hello = await greet(seed);
    if (!isSetMember(hello)) {
      return { client: seed, deployment: await describe(seed, hello, []), warnings: [standaloneWarning] };
    }
    const connection = await openFirstUsable(
      uri,
      await listCandidates(seed, hello),
      String(hello["setName"]),
    );
    await closeClient(seed);
    return connection;
  } catch (cause) {
    await closeClient(seed);
    throw driverError("choose a member to read from", cause);
  }
}

/** Opens a connection to write to: the primary, or the standalone server. */
export async function openForWriting(uri: Secret): Promise<Connection> {
  const seed = await connectDeployment(uri);
  try {
    const hello = await greet(seed);
    if (!isSetMember(hello)) {
      return { client: seed, deployment: await describe(seed, hello, []), warnings: [] };
    }
    const primary: unknown = hello["primary"];
    if (typeof primary !== "string") throw noPrimary(hello["setName"]);
    const connection = await openMember(
      uri,
      primary,
      0,
      [],
      (member) => member["isWritablePrimary"] === true ? null : noPrimary(hello["setName"]),
    );
    await closeClient(seed);
    return connection;
  } catch (cause) {
    await closeClient(seed);
    throw driverError("connect to the server to restore to", cause);
  }
}

/** Opens a connection to a given member, to read what only it may have. */
export async function openForReadingAt(uri: Secret, host: string): Promise<MongoClient> {
  return (await openMember(uri, host, readTimeoutMs, [], unusableNow)).client;
}

function noPrimary(setName: unknown): PluginError {
  return new PluginError(
    "restoreTarget",
    `Cannot restore into replica set ${setName}: it has no primary now`,
    {
      hint: "Wait until a primary is elected, then start the restore again.",
    },
  );
}

/** Connects to one member, unless its own word for itself is a fault. */
async function openMember(
  uri: Secret,
  host: string,
  socketTimeoutMs: number,
  members: readonly Member[],
  faultOf: (hello: Document) => Error | null,
): Promise<Connection> {
  const client = await connectMember(uri, host, socketTimeoutMs);
  try {
    const hello = await greet(client);
    const fault = faultOf(hello);
    if (fault !== null) throw fault;
    return { client, deployment: { ...await describe(client, hello, members), source: host }, warnings: [] };
  } catch (cause) {
    await closeClient(client);
    throw cause;
  }
}

const standaloneWarning =
  "This is a standalone server: it has no oplog, so that collections that change while they are read may not fit together. " +
  "A replica set of one member has one";

async function greet(client: MongoClient): Promise<Document> {
  const hello = await client.db("admin").command({ hello: 1 });
  if (hello["msg"] === "isdbgrid") {
    throw new PluginError(
      "unsupportedServer",
      "Cannot use a mongos: the data of a sharded cluster has to be read from each shard",
      {
        hint: "Give the connection string of a replica set; mode=sharded comes in a later version.",
      },
    );
  }
  if (hello["configsvr"] !== undefined) {
    throw new PluginError(
      "unsupportedServer",
      "Cannot use a config server: it is one part of a sharded cluster",
      {
        hint:
          "Give the connection string of a replica set that holds data; mode=sharded comes in a later version.",
      },
    );
  }
  return hello;
}

/** The members as the seed sees them. Without the privilege to ask, what `hello` says of them has to do. */
async function listCandidates(seed: MongoClient, hello: Document): Promise<Candidate[]> {
  const admin = seed.db("admin");
  const [status, config] = await Promise.all([
    admin.command({ replSetGetStatus: 1 }).catch(() => null),
    admin.command({ replSetGetConfig: 1 }).then((reply) => reply["config"], () => null),
  ]);
  if (status === null) return membersOfHello(hello);
  const members: Document[] = status["members"];
  const configured = new Map<unknown, Document>(
    (config?.["members"] ?? []).map((member: Document) => [member["_id"], member]),
  );
  if (
    members.some((member) => typeof member["name"] !== "string" || typeof member["stateStr"] !== "string")
  ) {
    throw unknownReply("list the members of the replica set");
  }
  const newest = Math.max(...members.map((member) => optime(member)));
  return members.map((member) => {
    const settings = configured.get(member["_id"]) ?? {};
    const state = String(member["stateStr"]);
    const healthy = member["health"] === 1;
    const lag = optime(member);
    return {
      host: String(member["name"]),
      state,
      healthy,
      hidden: settings["hidden"] === true,
      lagSeconds: Number.isFinite(lag) && Number.isFinite(newest)
        ? Math.max(0, Math.round((newest - lag) / 1000))
        : null,
      refusal: refusal(state, healthy, settings),
    };
  });
}

function refusal(state: string, healthy: boolean, settings: Document): string | null {
  if (!healthy) return "it is not reachable";
  if (state !== "SECONDARY" && state !== "PRIMARY") return `it is in state ${state}`;
  return unfitness(settings);
}

/** What its configuration, or what `hello` shows of it, has against a member as a source. */
function unfitness(settings: Document): string | null {
  const delay = Number(settings["secondaryDelaySecs"] ?? settings["slaveDelay"] ?? 0);
  if (delay > 0) return `it is delayed by ${delay} s`;
  return settings["buildIndexes"] === false ? "it has no indexes to back up (buildIndexes: false)" : null;
}

function membersOfHello(hello: Document): Candidate[] {
  const hosts: string[] = [...(hello["hosts"] ?? []), ...(hello["passives"] ?? [])];
  return hosts.map((host) => ({
    host,
    state: host === hello["primary"] ? "PRIMARY" : "SECONDARY",
    healthy: true,
    hidden: false,
    lagSeconds: null,
    refusal: null,
  }));
}

function optime(member: Document): number {
  const date: unknown = member["optimeDate"];
  return date instanceof Date ? date.getTime() : Number.NaN;
}

/** The usable ones, best first. */
function rank(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ refusal }) => refusal === null).sort((a, b) =>
    Number(a.state === "PRIMARY") - Number(b.state === "PRIMARY") || Number(b.hidden) - Number(a.hidden) ||
    (a.lagSeconds ?? Infinity) - (b.lagSeconds ?? Infinity) || 0
  );
}

async function openFirstUsable(
  uri: Secret,
  candidates: readonly Candidate[],
  setName: string,
): Promise<Connection> {
  const reasons = candidates.flatMap(({ host, refusal }) => refusal === null ? [] : [`${host}: ${refusal}`]);
  for (const { host } of rank(candidates)) {
    try {
      const connection = await openMember(uri, host, readTimeoutMs, candidates, unusableNow);
      const because = reasons.length > 0 ? reasons.join("; ") : "the set has no other member";
      const { sourceState } = connection.deployment;
      return sourceState === "SECONDARY" ? connection : {
        ...connection,
        warnings: [`Reading from the primary ${host}: no secondary is usable (${because})`],
      };
    } catch (cause) {
      const fault = driverError(`use ${host}`, cause);
      // Credentials and versions are wrong everywhere alike: only a member out of order gives way to the next.
      if (fault.code !== "connect") throw fault;
      reasons.push(`${host}: ${fault.message}`);
    }
  }
  throw new PluginError(
    "connect",
    `Cannot choose a member of ${setName} to read from: none is a usable secondary or primary (${
      reasons.join("; ")
    })`,
    {
      hint: "Bring a secondary or the primary back, then run the job again.",
    },
  );
}

/** A member that is in another state than its set said, or is what only itself may tell. */
function unusableNow(hello: Document): PluginError | null {
  const state = stateOf(hello);
  const reason = state === "OTHER" ? "it is neither primary nor secondary" : unfitness(hello);
  return reason === null ? null : new PluginError("connect", reason, { hint: "Run the job again." });
}

function stateOf(hello: Document): string {
  if (!isSetMember(hello)) return "STANDALONE";
  return hello["isWritablePrimary"] === true
    ? "PRIMARY"
    : hello["secondary"] === true
    ? "SECONDARY"
    : "OTHER";
}

function isSetMember(hello: Document): boolean {
  return typeof hello["setName"] === "string";
}

async function describe(
  client: MongoClient,
  hello: Document,
  members: readonly Member[],
): Promise<Deployment> {
  const admin = client.db("admin");
  const { version } = await admin.command({ buildInfo: 1 });
  if (typeof version !== "string") throw unknownReply("read the server's version");
  refuseVersion(version);
  const compatibility = await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })
    .then((reply) => String(reply["featureCompatibilityVersion"]?.version ?? ""), () => "");
  return {
    kind: isSetMember(hello) ? "replicaSet" : "standalone",
    setName: isSetMember(hello) ? String(hello["setName"]) : null,
    setId: isSetMember(hello) ? await findSetId(client) : null,
    serverVersion: version,
    featureCompatibilityVersion: compatibility,
    source: client.options.hosts.join(","),
    sourceState: stateOf(hello),
    members: members.map(({ host, state, healthy, hidden, lagSeconds }) => ({
      host,
      state,
      healthy,
      hidden,
      lagSeconds,
    })),
  };
}

async function findSetId(client: MongoClient): Promise<string | null> {
  return await client.db("admin").command({ replSetGetConfig: 1 }).then(
    ({ config }) => config.settings?.replicaSetId?.toHexString() ?? null,
    () => null,
  );
}

function refuseVersion(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const tooOld = major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
  if (!tooOld && (major < newestVersion[0] || (major === newestVersion[0] && minor <= newestVersion[1]))) {
    return;
  }
  throw new PluginError(
    "unsupportedServer",
    `Cannot use MongoDB ${version}: this version of the plugin knows 4.4 to 8.x`,
    {
      hint: "Update the server or the plugin.",
    },
  );
}
