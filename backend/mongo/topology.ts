/**
 * Which server is read: a healthy secondary where there is one.
 *
 * @module
 */

import type { Document, MongoClient } from "mongodb";
import { PluginError } from "../errors.ts";
import type { Deployment, Member } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { connectDeployment, connectMember } from "./client.ts";
import { driverError } from "./driver_error.ts";

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

/** Opens a connection to read from: a hidden secondary rather than a visible one, the one that lags least, the primary only in need. */
export async function openForReading(uri: Secret): Promise<Connection> {
  const seed = await connectDeployment(uri);
  try {
    const hello = await greet(seed);
    if (typeof hello["setName"] !== "string") return { ...await describe(seed, hello, [], address(hello, seed)), warnings: [standaloneWarning] };
    const candidates = await listCandidates(seed, hello);
    const { picked, warnings } = pick(candidates, hello);
    const client = await connectMember(uri, picked.host);
    await seed.close();
    try {
      return { ...await describe(client, await greet(client), candidates, picked.host), warnings };
    } catch (cause) {
      await client.close();
      throw cause;
    }
  } catch (cause) {
    await seed.close();
    throw driverError("choose a member to read from", cause);
  }
}

/** Opens a connection to write to: the primary, or the standalone server. */
export async function openForWriting(uri: Secret): Promise<Connection> {
  const seed = await connectDeployment(uri);
  try {
    const hello = await greet(seed);
    if (typeof hello["setName"] !== "string") return { ...await describe(seed, hello, [], address(hello, seed)), warnings: [] };
    const primary: unknown = hello["primary"];
    if (typeof primary !== "string") {
      throw new PluginError("restoreTarget", `Cannot restore into replica set ${hello["setName"]}: it has no primary now`, {
        hint: "Wait until a primary is elected, then start the restore again.",
      });
    }
    const client = await connectMember(uri, primary);
    await seed.close();
    return { ...await describe(client, await greet(client), [], primary), warnings: [] };
  } catch (cause) {
    await seed.close();
    throw driverError("connect to the server to restore to", cause);
  }
}

const standaloneWarning = "This is a standalone server: it has no oplog, so that collections that change while they are read may not fit together. " +
  "A replica set of one member has one";

async function greet(client: MongoClient): Promise<Document> {
  const hello = await client.db("admin").command({ hello: 1 });
  if (hello["msg"] === "isdbgrid") {
    throw new PluginError("unsupportedServer", "Cannot use a mongos: the data of a sharded cluster has to be read from each shard", {
      hint: "Give the connection string of a replica set; mode=sharded comes in a later version.",
    });
  }
  if (hello["configsvr"] !== undefined) {
    throw new PluginError("unsupportedServer", "Cannot use a config server: it is one part of a sharded cluster", {
      hint: "Give the connection string of a replica set that holds data; mode=sharded comes in a later version.",
    });
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
  const configured = new Map<unknown, Document>((config?.["members"] ?? []).map((member: Document) => [member["_id"], member]));
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
      lagSeconds: Number.isFinite(lag) && Number.isFinite(newest) ? Math.max(0, Math.round((newest - lag) / 1000)) : null,
      refusal: refusal(state, healthy, settings),
    };
  });
}

function refusal(state: string, healthy: boolean, settings: Document): string | null {
  if (!healthy) return "it is not reachable";
  if (state !== "SECONDARY" && state !== "PRIMARY") return `it is in state ${state}`;
  const delay = Number(settings["secondaryDelaySecs"] ?? settings["slaveDelay"] ?? 0);
  return delay > 0 ? `it is delayed by ${delay} s` : null;
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

function pick(candidates: readonly Candidate[], hello: Document): { picked: Candidate; warnings: string[] } {
  const usable = candidates.filter(({ refusal }) => refusal === null);
  const secondaries = usable.filter(({ state }) => state === "SECONDARY").sort((a, b) =>
    Number(b.hidden) - Number(a.hidden) || (a.lagSeconds ?? Infinity) - (b.lagSeconds ?? Infinity)
  );
  const [secondary] = secondaries;
  if (secondary !== undefined) return { picked: secondary, warnings: [] };
  const reasons = candidates.filter(({ state }) => state !== "PRIMARY").map(({ host, refusal }) => `${host}: ${refusal ?? "not taken"}`);
  const because = reasons.length > 0 ? reasons.join("; ") : "the set has no other member";
  const primary = usable.find(({ state }) => state === "PRIMARY");
  if (primary === undefined) {
    throw new PluginError("connect", `Cannot choose a member of ${hello["setName"]} to read from: it has neither a usable secondary nor a primary (${because})`, {
      hint: "Bring a secondary or the primary back, then run the job again.",
    });
  }
  return { picked: primary, warnings: [`Reading from the primary ${primary.host}: no secondary is usable (${because})`] };
}

async function describe(client: MongoClient, hello: Document, members: readonly Member[], source: string): Promise<Omit<Connection, "warnings">> {
  const admin = client.db("admin");
  const { version } = await admin.command({ buildInfo: 1 });
  refuseVersion(String(version));
  const compatibility = await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })
    .then((reply) => String(reply["featureCompatibilityVersion"]?.version ?? ""), () => "");
  const setName: unknown = hello["setName"];
  const set = typeof setName === "string";
  const deployment: Deployment = {
    kind: set ? "replicaSet" : "standalone",
    setName: set ? setName : null,
    serverVersion: String(version),
    featureCompatibilityVersion: compatibility,
    source,
    sourceState: !set ? "STANDALONE" : hello["isWritablePrimary"] === true ? "PRIMARY" : hello["secondary"] === true ? "SECONDARY" : "OTHER",
    members: members.map(({ host, state, healthy, hidden, lagSeconds }) => ({ host, state, healthy, hidden, lagSeconds })),
  };
  if (deployment.sourceState === "OTHER") {
    throw new PluginError("connect", `Cannot use ${source}: it is neither primary nor secondary any more`, { hint: "Run the job again." });
  }
  return { client, deployment };
}

function refuseVersion(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const tooOld = major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
  if (!tooOld && (major < newestVersion[0] || (major === newestVersion[0] && minor <= newestVersion[1]))) return;
  throw new PluginError("unsupportedServer", `Cannot use MongoDB ${version}: this version of the plugin knows 4.4 to 8.x`, {
    hint: "Update the server or the plugin.",
  });
}

function address(hello: Document, client: MongoClient): string {
  return typeof hello["me"] === "string" ? hello["me"] : client.options.hosts.join(",");
}
