/**
 * The way to the server, and what the login may do there.
 *
 * @module
 */

import { scopeOf } from "../../job/backup_scope.ts";
import { type Address, readAddress } from "../../mongo/client.ts";
import { findMissing, type Need, type Purpose } from "../../mongo/privileges.ts";
import {
  examineLogin,
  findHosts,
  greet,
  knock,
  type LoginFacts,
  resolveHost,
} from "../../mongo/server_examination.ts";
import type { Options } from "../../options/table.ts";
import type { Deployment } from "../../ports.ts";
import type { Secret } from "../../secret.ts";
import type { CheckName, Findings } from "./check.ts";

/** Points in time that an operator names are the server's. */
const clockToleranceMs = 5_000;

type Host = Address["hosts"][number];

/** Goes the way to the server one step after another; resolves to what the login is told, or null where the way ends before. */
export async function examineConnection(uri: Secret, findings: Findings): Promise<LoginFacts | null> {
  const address = readAddress(uri);
  const hosts = await findings.attempt("address", () => findHosts(address));
  const steps: readonly [CheckName, (host: Host) => Promise<string>][] = [
    ["address", async (host) => `${host.hostname} is ${(await resolveHost(host)).join(", ")}`],
    ["port", async (host) => {
      await knock(host);
      return `${host.hostname}:${host.port} takes connections`;
    }],
    ["tls", async (host) => {
      await greet(uri, host);
      const way = address.tls ? "over TLS, its certificate is good" : "without TLS";
      return `${host.hostname}:${host.port} is a MongoDB, ${way}`;
    }],
  ];
  let left = hosts ?? [];
  // A socket of this machine has neither name nor port.
  const isNetwork = hosts === null || hosts.length > 0;
  for (const [check, step] of steps) {
    if (left.length > 0) left = await takeStep(check, left, step, findings);
    else findings.skip([check], "There is no host to look at");
  }
  if (!address.tls && left.some(({ hostname }) => !/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(hostname))) {
    findings.warn(
      "tls",
      "Without TLS, whoever is between this machine and the server can read and change everything",
      "Say tls=true in the connection string, and tlsCAFile= where its authority is your own.",
    );
  }
  if (isNetwork && left.length === 0) {
    findings.skip(["login", "clock"], "No server can be asked");
    return null;
  }
  return await examineLoginOf(uri, address, findings);
}

/** Does a step for every host. While one is left, a job goes on without the others. */
async function takeStep(
  check: CheckName,
  hosts: readonly Host[],
  step: (host: Host) => Promise<string>,
  findings: Findings,
): Promise<Host[]> {
  const results = await Promise.allSettled(hosts.map(step));
  const good = hosts.filter((_, at) => results[at]!.status === "fulfilled");
  // Hosts of one name have one address.
  const texts = new Set(results.flatMap((one) => one.status === "fulfilled" ? [one.value] : []));
  for (const text of texts) findings.ok(check, text);
  for (const one of results) {
    if (one.status === "fulfilled") continue;
    findings.failure(check, one.reason, good.length > 0 ? "warning" : "error");
  }
  return good;
}

async function examineLoginOf(
  uri: Secret,
  { hasLogin }: Address,
  findings: Findings,
): Promise<LoginFacts | null> {
  const facts = await findings.attempt("login", () => examineLogin(uri));
  if (facts === null) {
    findings.skip(["clock"], "No server can be asked");
    return null;
  }
  const { users, isOpen, clockAheadMs } = facts;
  if (users.length > 0) findings.ok("login", `Logged in as ${users.join(", ")}`);
  else if (isOpen) {
    findings.warn(
      "login",
      "The server asks nobody for a login: whoever reaches it can read and change everything",
      "Turn on access control (security.authorization), and make the users of packaging/roles/.",
    );
  } else {
    findings.fail(
      "login",
      hasLogin
        ? "The server took no login"
        : "The connection string names no user, and the server asks for one",
      "Write the connection string as mongodb://USER:PASSWORD@HOST:PORT/?authSource=admin.",
    );
  }
  examineClock(clockAheadMs, findings);
  return facts;
}

function examineClock(aheadMs: number, findings: Findings): void {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1);
  const text = `The server's clock is ${seconds} s ${aheadMs < 0 ? "behind" : "ahead of"} this machine's`;
  if (Math.abs(aheadMs) <= clockToleranceMs) findings.ok("clock", text);
  else {
    findings.warn(
      "clock",
      text,
      "Have both follow the same time (NTP): a point in time is read on the server's clock, job logs are written on this one's.",
    );
  }
}

const consequences: Readonly<Record<Exclude<Need, "advised">, string>> = {
  always: "every job fails without",
  oplog: "jobs of a replica set fail without",
  users: "jobs with users and roles fail without",
  storedFunctions: "jobs fail without where a database has stored functions (system.js)",
  timeSeries: "jobs fail without where there is a time series",
};

/** Holds what the login may do against what its jobs take. */
export function examinePrivileges(
  { users, privileges, isOpen }: LoginFacts,
  { serverVersion, kind }: Pick<Deployment, "serverVersion" | "kind">,
  { purpose, options, databases }: { purpose: Purpose; options: Options; databases: readonly string[] },
  findings: Findings,
): void {
  if (isOpen) {
    findings.ok("privileges", "Without access control, everything is allowed");
    return;
  }
  if (users.length === 0) return findings.skip(["privileges"], "Nobody is logged in");
  const takesUsers = purpose === "backup" ? scopeOf(options).users : options.users !== "no";
  const missing = findMissing(privileges, purpose, Number.parseFloat(serverVersion), databases)
    .filter(({ need }) => (need !== "users" || takesUsers) && (need !== "oplog" || kind === "replicaSet"));
  if (missing.length === 0) {
    findings.ok("privileges", `The login may do all that a ${purpose} takes`);
    return;
  }
  const role = `packaging/roles/${purpose}.js`;
  for (const [need, lacking] of Map.groupBy(missing, ({ need }) => need)) {
    const text = `The login lacks ${lacking.map(({ text }) => text).join("; ")}`;
    if (need === "advised") {
      findings.warn(
        "privileges",
        `${text}: no job fails for it, but hidden members, lag and rollbacks can't be told`,
        `Grant it, or the role that ${role} makes.`,
      );
    } else if (need === "storedFunctions" || need === "timeSeries") {
      findings.warn("privileges", `${text}: ${consequences[need]}`, `Grant the role that ${role} makes.`);
    } else {findings.fail(
        "privileges",
        `${text}: ${consequences[need]}`,
        `Grant the role that ${role} makes.`,
      );}
  }
}
