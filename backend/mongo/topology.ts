/**
 * Which server is read, and which is written.
 *
 * @module
 */

import type { Document, MongoClient } from "mongodb";
import { PluginError } from "../errors.ts";
import type { Deployment, Member } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { closeClient, connectDeployment, connectMember, readTimeoutMs } from "./client.ts";
import { driverError, unknownReply } from "./driver_error.ts";
import { probeMembers, stateOf } from "./member_probe.ts";
import { judgeMembers } from "./source_choice.ts";
import { anySource, type SourceOptions, type SourceRules, sourceRules } from "./source_rules.ts";

/** A connection to the member that is to be read or written, and what is known of its deployment. */
export interface Connection {
  readonly client: MongoClient;
  readonly deployment: Deployment;
  /** By how much the member is behind on purpose. */
  readonly delaySeconds: number;
  /** How far the longest oplog reaches of the members that were asked; null where none was. */
  readonly longestOplogSeconds: number | null;
  /** Things that the operator should know of the choice. */
  readonly warnings: readonly string[];
}

/** A server that nobody chose among others. */
const unasked = { delaySeconds: 0, longestOplogSeconds: null } as const;

const oldestVersion = [4, 4] as const;
const newestVersion = [8, 99] as const;

/** Opens a connection to the member that the rules and the members' own state make the best one to read, or to a standalone server. */
export async function openForReading(
  uri: Secret,
  options: SourceOptions = anySource,
): Promise<Connection> {
  const rules = sourceRules(options, uri);
  const seed = await connectDeployment(uri);
  try {
    const hello = await greet(seed);
    if (!isSetMember(hello)) {
      const deployment = await describe(seed, hello, []);
      refuseUnnamed(deployment.source.toLowerCase(), rules);
      return { client: seed, deployment, ...unasked, warnings: [standaloneWarning] };
    }
    const connection = await openBest(uri, seed, hello, rules);
    await closeClient(seed);
    return connection;
  } catch (cause) {
    await closeClient(seed);
    throw driverError("choose a member to read from", cause);
  }
}

/** A standalone server is no set's member, but it is the one that is named, or isn't. */
function refuseUnnamed(host: string, { source, avoid }: SourceRules): void {
  if (!avoid.includes(host) && (source === null || source === host)) return;
  throw new PluginError(
    "connect",
    `Cannot read from ${host}: ${source === null ? "avoid= names it" : `source= names ${source}`}`,
    { hint: "Correct source= or avoid= in the FileSet's Plugin line, or the connection string." },
  );
}

/** Opens a connection to write to: the primary, or the standalone server. */
export async function openForWriting(uri: Secret): Promise<Connection> {
  const seed = await connectDeployment(uri);
  try {
    const hello = await greet(seed);
    if (!isSetMember(hello)) {
      return { client: seed, deployment: await describe(seed, hello, []), ...unasked, warnings: [] };
    }
    const primary: unknown = hello["primary"];
    if (typeof primary !== "string") throw noPrimary(hello["setName"]);
    const connection = await openMember(
      uri,
      primary,
      0,
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
  return (await openMember(uri, host, readTimeoutMs, unusableNow)).client;
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
  faultOf: (hello: Document) => Error | null,
): Promise<Connection> {
  const client = await connectMember(uri, host, socketTimeoutMs);
  try {
    const hello = await greet(client);
    const fault = faultOf(hello);
    if (fault !== null) throw fault;
    return {
      client,
      deployment: { ...await describe(client, hello, []), source: host },
      ...unasked,
      warnings: [],
    };
  } catch (cause) {
    await closeClient(client);
    throw cause;
  }
}

const standaloneWarning =
  "This is a standalone server: it has no oplog, so that collections that change while they are read may not fit together, and Incrementals and " +
  "Differentials are refused. A replica set of one member has one";

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

/** The best of a set's members, with everything that is known of all of them. */
async function openBest(
  uri: Secret,
  seed: MongoClient,
  hello: Document,
  rules: SourceRules,
): Promise<Connection> {
  const probed = await probeMembers(uri, seed, hello, rules);
  let taken: MongoClient | null = null;
  try {
    const members = judgeMembers(probed.map(({ facts }) => facts), rules);
    const best = members.find(({ score }) => score !== null);
    const found = probed.find(({ facts }) => facts.host === best?.host);
    if (best === undefined || found === undefined || found.client === null) {
      throw noSource(String(hello["setName"]), members, rules);
    }
    const { client, facts: { delaySeconds } } = found;
    const deployment = await describe(client, await greet(client), members);
    taken = client;
    return {
      client,
      deployment: { ...deployment, source: best.host, sourceState: best.state, chosenBy: rules.text },
      delaySeconds,
      longestOplogSeconds: longestOf(probed.flatMap(({ facts }) => facts.oplogSeconds ?? [])),
      warnings: warningsOf(best, delaySeconds, members, rules),
    };
  } finally {
    await Promise.all(probed.map(async ({ client }) => {
      if (client !== null && client !== taken) await closeClient(client);
    }));
  }
}

function longestOf(seconds: readonly number[]): number | null {
  return seconds.length === 0 ? null : Math.max(...seconds);
}

function warningsOf(
  best: Member,
  delaySeconds: number,
  members: readonly Member[],
  rules: SourceRules,
): string[] {
  const warnings: string[] = [];
  const others = members.filter(({ host }) => host !== best.host);
  if (best.state === "PRIMARY" && rules.readPreference === "secondaryPreferred") {
    const because = rules.source === null
      ? `no secondary is usable (${others.length === 0 ? "the set has no other member" : reasonsOf(others)})`
      : "source= names it";
    warnings.push(`Reading from the primary ${best.host}: ${because}`);
  }
  if (delaySeconds > 0) {
    warnings.push(`${best.host} is delayed on purpose: the backup is of a time ${delaySeconds} s ago`);
  }
  const hosts = new Set(members.map(({ host }) => host.toLowerCase()));
  for (const host of rules.avoid.filter((host) => !hosts.has(host))) {
    warnings.push(`avoid= names ${host}, which the set doesn't have`);
  }
  return warnings;
}

function reasonsOf(members: readonly Member[]): string {
  return members.map(({ host, reason }) => `${host}: ${reason}`).join("; ");
}

function noSource(setName: string, members: readonly Member[], rules: SourceRules): PluginError {
  return new PluginError(
    "connect",
    `Cannot choose a member of ${setName} to read from: none is usable by ${rules.text} (${
      reasonsOf(members)
    })`,
    {
      hint:
        "Bring a member back or loosen what the Plugin line or the connection string asks for, then run the job again.",
    },
  );
}

/** A member that is in another state than its set said. */
function unusableNow(hello: Document): PluginError | null {
  return stateOf(hello) !== null
    ? null
    : new PluginError("connect", "It is neither primary nor secondary now", {
      hint: "Run the job again.",
    });
}

function isSetMember(hello: Document): boolean {
  return typeof hello["setName"] === "string";
}

/** Far more than any set's name has. */
const setNameMaxCharacters = 1_000;

async function describe(
  client: MongoClient,
  hello: Document,
  members: readonly Member[],
): Promise<Deployment> {
  const admin = client.db("admin");
  const { version } = await admin.command({ buildInfo: 1 });
  if (typeof version !== "string") throw unknownReply("read the server's version");
  refuseVersion(version);
  const setName = isSetMember(hello) ? String(hello["setName"]) : null;
  if (setName !== null && setName.length > setNameMaxCharacters) throw unknownReply("read the set's name");
  const compatibility = await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })
    .then((reply) => String(reply["featureCompatibilityVersion"]?.version ?? ""), () => "");
  return {
    kind: setName === null ? "standalone" : "replicaSet",
    setName,
    setId: setName === null ? null : await findSetId(client),
    serverVersion: version,
    featureCompatibilityVersion: compatibility,
    source: client.options.hosts.join(","),
    sourceState: setName === null ? "STANDALONE" : stateOf(hello) ?? "OTHER",
    chosenBy: "",
    members,
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
