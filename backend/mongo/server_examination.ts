/**
 * Looks at the way to a server step by step, so that the step that fails can be named. Nothing is written.
 *
 * @module
 */

import { lookup, resolveSrv } from "node:dns/promises";
import type { Document, MongoClient } from "mongodb";
import { PluginError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { type Address, closeClient, connectDeployment, greetHost } from "./client.ts";
import { driverError, isUnauthorized, reasonOf } from "./driver_error.ts";
import type { Privilege } from "./privileges.ts";

const portTimeoutMs = 5_000;

type Host = Address["hosts"][number];

/** The hosts of a connection string, those of its DNS record too. */
export async function findHosts({ hosts, record }: Address): Promise<readonly Host[]> {
  if (record === null) return hosts;
  try {
    return (await resolveSrv(record)).map(({ name, port }) => ({ hostname: name, port }));
  } catch (cause) {
    throw unreachable(
      `find the hosts of ${record}`,
      cause,
      "Correct the connection string, or the DNS record.",
    );
  }
}

/** The addresses of a host, as this machine's own settings give them. */
export async function resolveHost({ hostname }: Host): Promise<string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw unreachable(
      `resolve ${hostname}`,
      cause,
      "Correct the name, or make this machine know it (DNS, /etc/hosts).",
    );
  }
}

/** Opens a connection to a port and closes it. */
export async function knock({ hostname, port }: Host): Promise<void> {
  try {
    const signal = AbortSignal.timeout(portTimeoutMs);
    (await Deno.connect({ hostname, port, signal })).close();
  } catch (cause) {
    throw unreachable(
      `reach ${hostname}:${port}`,
      cause,
      "Check that the server runs and listens on that address (bindIp), and that no firewall is between.",
    );
  }
}

/** Greets a host under the connection string's TLS settings, without a login. */
export async function greet(uri: Secret, { hostname, port }: Host): Promise<void> {
  await greetHost(uri, hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`);
}

/** What a server says of a login. */
export interface LoginFacts {
  /** `database.user`; none where nobody is logged in. */
  readonly users: readonly string[];
  readonly privileges: readonly Privilege[];
  /** Whether it lets everybody do everything. */
  readonly isOpen: boolean;
  /** The member's clock less this machine's, in milliseconds. */
  readonly clockAheadMs: number;
}

/** Logs in, and asks what the login may do. */
export async function examineLogin(uri: Secret): Promise<LoginFacts> {
  const client = await connectDeployment(uri);
  try {
    const admin = client.db("admin");
    const clockAheadMs = await readClock(client);
    const { authInfo } = await admin.command({ connectionStatus: 1, showPrivileges: true });
    const users = authInfo.authenticatedUsers.map(({ user, db }: Document) => `${db}.${user}`);
    return {
      users,
      privileges: authInfo.authenticatedUserPrivileges,
      isOpen: users.length === 0 && await isOpen(client),
      clockAheadMs,
    };
  } catch (cause) {
    throw driverError("ask the server what the login may do", cause);
  } finally {
    await closeClient(client);
  }
}

/** Against the middle of the time that the answer takes. */
async function readClock(client: MongoClient): Promise<number> {
  const askedAt = Date.now();
  const { localTime } = await client.db("admin").command({ hello: 1 });
  return localTime.getTime() - (askedAt + Date.now()) / 2;
}

async function isOpen(client: MongoClient): Promise<boolean> {
  try {
    await client.db("admin").command({ listDatabases: 1, nameOnly: true });
    return true;
  } catch (cause) {
    if (isUnauthorized(cause)) return false;
    throw cause;
  }
}

function unreachable(action: string, cause: unknown, hint: string): PluginError {
  return new PluginError("connect", `Cannot ${action}: ${reasonOf(cause)}`, { hint, cause });
}
