/**
 * Connections. Every one is to a single member; which one, the caller says.
 *
 * @module
 */

import { type Document, MongoClient, type MongoClientOptions, ReadPreference } from "mongodb";
import { PluginError } from "../errors.ts";
import { maskUri } from "../options/credentials.ts";
import { Secret } from "../secret.ts";
import { driverError } from "./driver_error.ts";
import { choosingSettings } from "./source_rules.ts";

/** What a connection string may set otherwise. */
const defaults: MongoClientOptions = {
  appName: "podheitor-mongodb",
  serverSelectionTimeoutMS: 15_000,
  connectTimeoutMS: 10_000,
};

const fixed: MongoClientOptions = {
  // Several cursors at a time, each on a connection of its own.
  maxPoolSize: 40,
  retryReads: false,
  retryWrites: false,
};

/** Connects to a deployment as its connection string says, to find its members. */
export async function connectDeployment(uri: Secret): Promise<MongoClient> {
  return await connect(uri, { ...fixed, readPreference: ReadPreference.PRIMARY_PREFERRED });
}

/** A server that answers nothing for so long while it is read is taken for dead. Writing has no such limit: building an index may take hours. */
export const readTimeoutMs = 300_000;

/** How long a connection may take to close in good order: a server that doesn't answer must not hold up the end of a job. */
const closeTimeoutMs = 2_000;

/** Closes a connection, politely for a moment. */
export async function closeClient(client: MongoClient): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, closeTimeoutMs);
  await Promise.race([client.close().catch(() => {}), promise]);
  clearTimeout(timer);
}

/**
 * Connects to one member of a deployment, and to no other, with the credentials and TLS settings of its connection string.
 *
 * @param socketTimeoutMS longest wait for an answer; 0: none
 */
export async function connectMember(
  uri: Secret,
  host: string,
  socketTimeoutMS: number,
): Promise<MongoClient> {
  const memberUri = new Secret(replaceHosts(uri.reveal(), host));
  return await connect(memberUri, {
    ...fixed,
    socketTimeoutMS,
    directConnection: true,
    readPreference: ReadPreference.SECONDARY_PREFERRED,
  });
}

/** Where a connection string leads, and how: as the driver understands it, before anything is asked of anybody. */
export interface Address {
  /** `host:port`; names of sockets of this machine are left out. */
  readonly hosts: readonly { readonly hostname: string; readonly port: number }[];
  /** Name of the DNS record that names the hosts in their place, or null. */
  readonly record: string | null;
  readonly tls: boolean;
  /** File of the client's own certificate and key, or null. */
  readonly certificateFile: string | null;
  /** Whether it logs in. */
  readonly hasLogin: boolean;
}

/** Takes a connection string apart. */
export function readAddress(uri: Secret): Address {
  const { hosts, srvHost, srvServiceName, tls, credentials, tlsCertificateKeyFile } =
    makeClient(uri, fixed).options;
  return {
    hosts: srvHost
      ? []
      : hosts.flatMap(({ host, port }) =>
        host === undefined || port === undefined ? [] : [{ hostname: host, port }]
      ),
    record: srvHost ? `_${srvServiceName ?? "mongodb"}._tcp.${srvHost}` : null,
    tls: tls === true,
    certificateFile: tlsCertificateKeyFile ?? null,
    hasLogin: credentials !== undefined,
  };
}

/** How long one host may take to greet. */
const greetingTimeoutMs = 5_000;

/** What a host says of itself to somebody who hasn't logged in, with the TLS settings of the connection string. */
export async function greetHost(uri: Secret, host: string): Promise<Document> {
  const client = await connect(withoutLogin(uri, host), {
    ...fixed,
    directConnection: true,
    serverSelectionTimeoutMS: greetingTimeoutMs,
    connectTimeoutMS: greetingTimeoutMs,
  });
  try {
    return await client.db("admin").command({ hello: 1 });
  } catch (cause) {
    throw driverError(`greet ${host}`, cause, "connect");
  } finally {
    await closeClient(client);
  }
}

function withoutLogin(uri: Secret, host: string): Secret {
  const text = replaceHosts(uri.reveal(), host).replace(/^(mongodb:\/\/)[^/?]*@/, "$1");
  const [address, query] = text.split("?", 2) as [string, string?];
  const kept = query?.split("&").filter((setting) =>
    !/^auth(Source|Mechanism|MechanismProperties)=/i.test(setting)
  );
  return new Secret(kept === undefined || kept.length === 0 ? address : `${address}?${kept.join("&")}`);
}

async function connect(uri: Secret, options: MongoClientOptions): Promise<MongoClient> {
  const client = makeClient(uri, options);
  try {
    return await client.connect();
  } catch (cause) {
    await client.close();
    throw driverError("connect to MongoDB", cause, "connect");
  }
}

/** Scheme, user and password, hosts. What fits is not taken apart in the driver's error texts, which quote what they can't read. */
const properUri =
  /^mongodb(\+srv)?:\/\/([^/?@\s]*@)?([\w.%-]+|\[[\da-f:.]+\])(:\d{1,5})?(,([\w.%-]+|\[[\da-f:.]+\])(:\d{1,5})?)*([/?]|$)/i;

function makeClient(uri: Secret, options: MongoClientOptions): MongoClient {
  const text = uri.reveal();
  if (!properUri.test(text)) {
    throw unusable("its user, password or hosts are not of the form USER:PASSWORD@HOST:PORT");
  }
  if (/[?&]tlsCRLFile=/i.test(text)) {
    throw new PluginError(
      "optionUnavailable",
      "Cannot look for revoked certificates: tlsCRLFile= would be ignored",
      {
        hint:
          "Leave tlsCRLFile out of the connection string, and name an authority with tlsCAFile= that vouches for none of the revoked.",
      },
    );
  }
  try {
    return new MongoClient(withoutChoice(text), { ...defaultsFor(text), ...options });
  } catch (cause) {
    throw unusable(maskUri(cause instanceof Error ? cause.message : String(cause)));
  }
}

/** Which member is read isn't for the driver to say. */
function withoutChoice(uri: string): string {
  const [address, query] = uri.split("?", 2) as [string, string?];
  const kept = query?.split("&").filter((setting) =>
    !choosingSettings.has(setting.split("=", 1)[0]!.toLowerCase())
  );
  return kept === undefined || kept.length === 0 ? address : `${address}?${kept.join("&")}`;
}

function defaultsFor(uri: string): MongoClientOptions {
  const [, query = ""] = uri.split("?", 2);
  const given = new Set([...new URLSearchParams(query).keys()].map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase())));
}

function unusable(reason: string): PluginError {
  return new PluginError("optionInvalid", `Cannot use the connection string: ${reason}`, {
    hint:
      "Correct uri= or the file of uri_file=; special characters of user and password have to be percent-encoded.",
  });
}

/**
 * A connection string for one host: seed list, SRV and the settings that only make sense with several members are gone; a set's name must not be
 * asked for on a direct connection to a hidden member.
 */
export function replaceHosts(uri: string, host: string): string {
  const match = /^mongodb(\+srv)?:\/\/(?:([^/?]*)@)?([^/?]*)(\/[^?]*)?(?:\?(.*))?$/s.exec(uri);
  if (match === null) return uri;
  const [, srv, userinfo, , path, query] = match;
  const settings = new URLSearchParams(query ?? "");
  // SRV means TLS unless the connection string says otherwise.
  if (srv !== undefined && !settings.has("tls") && !settings.has("ssl")) settings.set("tls", "true");
  for (
    const name of [
      "replicaSet",
      "directConnection",
      "readPreference",
      "readPreferenceTags",
      "maxStalenessSeconds",
      "loadBalanced",
      "srvServiceName",
      "srvMaxHosts",
    ]
  ) {
    settings.delete(name);
  }
  const user = userinfo === undefined ? "" : `${userinfo}@`;
  return `mongodb://${user}${host}${path ?? "/"}${settings.size > 0 ? `?${settings}` : ""}`;
}
