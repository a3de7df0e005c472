/**
 * What a set and its members say of themselves.
 *
 * @module
 */

import type { Document, MongoClient } from "mongodb";
import type { TagSet } from "../options/tag_sets.ts";
import type { Secret } from "../secret.ts";
import { closeClient, connectMember, readTimeoutMs } from "./client.ts";
import { driverError, unknownReply } from "./driver_error.ts";
import { MemberOplog } from "./oplog.ts";
import { judgeMembers, type MemberFacts } from "./source_choice.ts";
import type { SourceRules } from "./source_rules.ts";

/** A name of 253 characters and a port. */
const addressMaxCharacters = 260;

/** A member that was asked, and the connection to it where there is one. */
export interface ProbedMember {
  readonly facts: MemberFacts;
  readonly client: MongoClient | null;
}

/** Asks every member that the rules leave, each over a connection of its own. The caller closes those. */
export async function probeMembers(
  uri: Secret,
  seed: MongoClient,
  hello: Document,
  rules: SourceRules,
): Promise<ProbedMember[]> {
  const known = await listMembers(seed, hello, rules);
  // Tags are known for sure when the members have been asked.
  const worth = new Set(
    judgeMembers(known, { ...rules, tagSets: null }).filter(({ score }) => score !== null).map(({ host }) =>
      host
    ),
  );
  const setName = String(hello["setName"]);
  const probed = await Promise.all(
    known.map((facts) => worth.has(facts.host) ? probeMember(uri, facts, setName) : { facts, client: null }),
  );
  // A member that isn't listed under the name by which it was reached may be there twice.
  const unique = new Map<string, ProbedMember>();
  for (const one of probed) {
    const { host } = one.facts;
    if (!unique.has(host)) unique.set(host, one);
    else if (one.client !== null) await closeClient(one.client);
  }
  return [...unique.values()];
}

/** The members as the seed sees them. Without the privilege to ask, what `hello` and the connection string say of them has to do. */
async function listMembers(
  seed: MongoClient,
  hello: Document,
  { source }: SourceRules,
): Promise<MemberFacts[]> {
  const admin = seed.db("admin");
  const [status, config] = await Promise.all([
    admin.command({ replSetGetStatus: 1 }).catch(() => null),
    admin.command({ replSetGetConfig: 1 }).then((reply) => reply["config"], () => null),
  ]);
  if (status === null) {
    const arbiters: string[] = hello["arbiters"] ?? [];
    const seeds = seed.options.hosts.map((address) => address.toString());
    const hosts = new Set<string>([...hello["hosts"] ?? [], ...hello["passives"] ?? [], ...seeds]);
    if (source !== null) hosts.add(source);
    return [...hosts.union(new Set(arbiters))].map((host) => ({
      ...blank,
      host,
      state: arbiters.includes(host) ? "ARBITER" : host === hello["primary"] ? "PRIMARY" : "SECONDARY",
    }));
  }
  const settings = new Map<unknown, Document>(
    (config?.["members"] ?? []).map((member: Document) => [member["_id"], member]),
  );
  const members: Document[] = status["members"];
  if (
    members.some((member) => typeof member["name"] !== "string" || typeof member["stateStr"] !== "string")
  ) {
    throw unknownReply("list the members of the replica set");
  }
  return members.map((member) => ({
    ...blank,
    ...settingsOf(settings.get(member["_id"]) ?? {}),
    host: String(member["name"]),
    state: String(member["stateStr"]),
    trouble: member["health"] === 1 ? null : "it is not reachable",
    writtenAtMs: timeOf(member["optimeDate"]),
  }));
}

const blank = {
  trouble: null,
  hidden: false,
  delaySeconds: 0,
  hasIndexes: true,
  tags: null,
  writtenAtMs: null,
  oplogSeconds: null,
  answerMs: null,
} satisfies Omit<MemberFacts, "host" | "state">;

/** What a configuration says of a member, or the member itself in its `hello`. */
function settingsOf(
  settings: Document,
): Pick<MemberFacts, "hidden" | "delaySeconds" | "hasIndexes" | "tags"> {
  return {
    hidden: settings["hidden"] === true,
    delaySeconds: Number(settings["secondaryDelaySecs"] ?? settings["slaveDelay"] ?? 0),
    hasIndexes: settings["buildIndexes"] !== false,
    tags: tagsOf(settings["tags"]),
  };
}

function tagsOf(tags: unknown): TagSet {
  return new Map(Object.entries(tags ?? {}).map(([name, value]) => [name, String(value)]));
}

function timeOf(date: unknown): number | null {
  return date instanceof Date ? date.getTime() : null;
}

/** A member's own word for itself, which is newer than what others say of it. */
async function probeMember(uri: Secret, facts: MemberFacts, setName: string): Promise<ProbedMember> {
  let client: MongoClient | null = null;
  try {
    client = await connectMember(uri, facts.host, readTimeoutMs);
    const askedAt = performance.now();
    const hello = await client.db("admin").command({ hello: 1 });
    const answerMs = performance.now() - askedAt;
    if (hello["setName"] !== setName) {
      throw new Error(`it is of ${hello["setName"] ?? "no replica set"}, not of ${setName}`);
    }
    const me: unknown = hello["me"] ?? facts.host;
    if (typeof me !== "string" || me.length > addressMaxCharacters) {
      throw unknownReply(`ask ${facts.host} for its name`);
    }
    // There is one primary, so that its oplog decides nothing, and it is to be spared.
    const oplogSeconds = stateOf(hello) === "PRIMARY"
      ? null
      : await new MemberOplog(client, facts.host).window().then(
        ({ oldest, newest }) => newest.t - oldest.t,
        () => null,
      );
    return {
      client,
      facts: {
        ...facts,
        ...settingsOf(hello),
        host: me,
        state: stateOf(hello) ?? facts.state,
        trouble: stateOf(hello) === null ? "it is neither primary nor secondary now" : null,
        writtenAtMs: facts.writtenAtMs ?? timeOf(hello["lastWrite"]?.["lastWriteDate"]),
        oplogSeconds,
        answerMs,
      },
    };
  } catch (cause) {
    if (client !== null) await closeClient(client);
    return {
      client: null,
      facts: { ...facts, trouble: driverError(`use ${facts.host}`, cause, "connect").message },
    };
  }
}

/** Whether a member of a set takes writes or follows, by its `hello`; null for one that does neither. */
export function stateOf(hello: Document): "PRIMARY" | "SECONDARY" | null {
  return hello["isWritablePrimary"] === true ? "PRIMARY" : hello["secondary"] === true ? "SECONDARY" : null;
}
