/**
 * Connections. Every one is to a single member; which one, the caller says.
 *
 * @module
 */

import { MongoClient, type MongoClientOptions, ReadPreference } from "mongodb";
import { PluginError } from "../errors.ts";
import { maskUri } from "../options/credentials.ts";
import { Secret } from "../secret.ts";
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
  const memberUri = new Secret(replaceHosts(uri.reveal(), host));
  return await connect(memberUri, {
    ...common,
    directConnection: true,
    readPreference: ReadPreference.SECONDARY_PREFERRED,
  });
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

function makeClient(uri: Secret, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(uri.reveal(), options);
  } catch (cause) {
    throw new PluginError(
      "optionInvalid",
      `Cannot use the connection string: ${maskUri(cause instanceof Error ? cause.message : String(cause))}`,
      {
        hint: "Correct uri= or the file of uri_file=.",
        cause,
      },
    );
  }
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
