/**
 * Connections. Every one is to a single member; which one, the caller says.
 *
 * @module
 */

import { MongoClient, type MongoClientOptions, ReadPreference } from "mongodb";
import type { Secret } from "../secret.ts";
import { driverError } from "./driver_error.ts";

const common: MongoClientOptions = {
  appName: "podheitor-mongodb",
  serverSelectionTimeoutMS: 15_000,
  connectTimeoutMS: 10_000,
  monitorCommands: false,
  // Several cursors at a time, each on a connection of its own.
  maxPoolSize: 40,
  retryReads: false,
  retryWrites: false,
};

/** Connects to a deployment as its connection string says, to find its members. */
export async function connectDeployment(uri: Secret): Promise<MongoClient> {
  return await connect(uri, { ...common, readPreference: ReadPreference.PRIMARY_PREFERRED });
}

/** Connects to one member of a deployment, and to no other, with the credentials and TLS settings of its connection string. */
export async function connectMember(uri: Secret, host: string): Promise<MongoClient> {
  return await connect(uri, {
    ...common,
    // `host` replaces the seed list; the set's name must not be asked for on a direct connection to a hidden member.
    ...memberAddress(host),
    readPreference: ReadPreference.SECONDARY_PREFERRED,
  });
}

async function connect(uri: Secret, options: MongoClientOptions & { memberHost?: string }): Promise<MongoClient> {
  const { memberHost, ...driverOptions } = options;
  try {
    const text = memberHost === undefined ? uri.reveal() : replaceHosts(uri.reveal(), memberHost);
    return await new MongoClient(text, driverOptions).connect();
  } catch (cause) {
    throw driverError("connect to MongoDB", cause);
  }
}

function memberAddress(host: string): { memberHost: string; directConnection: true } {
  return { memberHost: host, directConnection: true };
}

/** A connection string for one host: seed list, SRV and the settings that only make sense with several members are gone. */
export function replaceHosts(uri: string, host: string): string {
  const match = /^mongodb(\+srv)?:\/\/(?:([^/?]*)@)?([^/?]*)(\/[^?]*)?(?:\?(.*))?$/s.exec(uri);
  if (match === null) return uri;
  const [, srv, userinfo, , path, query] = match;
  const settings = new URLSearchParams(query ?? "");
  // SRV means TLS unless the connection string says otherwise.
  if (srv !== undefined && !settings.has("tls") && !settings.has("ssl")) settings.set("tls", "true");
  for (const name of ["replicaSet", "directConnection", "readPreference", "readPreferenceTags", "maxStalenessSeconds", "loadBalanced", "srvServiceName", "srvMaxHosts"]) {
    settings.delete(name);
  }
  const user = userinfo === undefined ? "" : `${userinfo}@`;
  return `mongodb://${user}${host}${path ?? "/"}${settings.size > 0 ? `?${settings}` : ""}`;
}
