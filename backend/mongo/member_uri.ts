/**
 * Connection strings that lead to one member of a deployment, made of the one that leads to the deployment.
 *
 * @module
 */

import { resolveTxt } from "node:dns/promises";
import { Secret } from "../secret.ts";
import { driverError } from "./driver_error.ts";

const form = /^mongodb(\+srv)?:\/\/(?:([^/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s;

/** Settings that only make sense with several members; a set's name must not be asked for on a direct connection to a hidden member. */
const settingsOfMany = [
  "replicaSet",
  "directConnection",
  "readPreference",
  "readPreferenceTags",
  "maxStalenessSeconds",
  "loadBalanced",
  "srvServiceName",
  "srvMaxHosts",
];

/** Mechanisms whose users are no database's. */
const externalMechanisms: readonly (string | null)[] = [
  "GSSAPI",
  "MONGODB-AWS",
  "MONGODB-OIDC",
  "MONGODB-X509",
];

/**
 * The connection string for one member, for the driver. Where an SRV name stands for the members, what its TXT record says of the user's database
 * is in it.
 *
 * @throws PluginError `connect` when the resolver doesn't answer
 */
export async function memberUri(uri: Secret, host: string): Promise<Secret> {
  return new Secret(replaceHosts(uri.reveal(), host, await publishedAuthSource(uri.reveal())));
}

/** The same for somebody who doesn't log in. */
export function guestUri(uri: Secret, host: string): Secret {
  const text = replaceHosts(uri.reveal(), host).replace(/^(mongodb:\/\/)[^/?]*@/, "$1");
  const [address, query] = text.split("?", 2) as [string, string?];
  const kept = query?.split("&").filter((setting) =>
    !/^auth(Source|Mechanism|MechanismProperties)=/i.test(setting)
  );
  return new Secret(kept === undefined || kept.length === 0 ? address : `${address}?${kept.join("&")}`);
}

/**
 * The same for one of MongoDB's tools, which take no database beside --db: what the connection string says of the user's own database is said by
 * authSource.
 *
 * @throws PluginError `connect` when the resolver doesn't answer
 */
export async function toolUri(uri: Secret, host: string): Promise<Secret> {
  return new Secret(withoutDatabase((await memberUri(uri, host)).reveal()));
}

/**
 * A connection string for one host: seed list and SRV are gone.
 *
 * @param published the user's database as the SRV name's TXT record has it; the connection string's own `authSource` comes before it
 */
export function replaceHosts(uri: string, host: string, published: string | null = null): string {
  const match = form.exec(uri);
  if (match === null) return uri;
  const [, srv, userinfo, , database = "", query = ""] = match;
  const settings = new URLSearchParams(query);
  // SRV means TLS unless the connection string says otherwise.
  if (srv !== undefined && !settings.has("tls") && !settings.has("ssl")) settings.set("tls", "true");
  if (published !== null && !settings.has("authSource")) settings.set("authSource", published);
  for (const name of settingsOfMany) settings.delete(name);
  const user = userinfo === undefined ? "" : `${userinfo}@`;
  return `mongodb://${user}${host}/${database}${settings.size > 0 ? `?${settings}` : ""}`;
}

/** A connection string for one host, without a database. */
export function withoutDatabase(uri: string): string {
  const [, , userinfo, host, database = "", query = ""] = form.exec(uri)!;
  const settings = new URLSearchParams(query);
  if (database !== "" && userinfo !== undefined && !settings.has("authSource")) {
    settings.set("authSource", decodeURIComponent(database));
  }
  settings.set("directConnection", "true");
  return `mongodb://${userinfo === undefined ? "" : `${userinfo}@`}${host}/?${settings}`;
}

/** The driver heeds a TXT record where it resolves an SRV name, which it doesn't on the way to one member. */
async function publishedAuthSource(uri: string): Promise<string | null> {
  const [, srv, userinfo, name, , query = ""] = form.exec(uri) ?? [];
  if (srv === undefined || userinfo === undefined) return null;
  const settings = new URLSearchParams(query);
  if (settings.has("authSource") || externalMechanisms.includes(settings.get("authMechanism"))) return null;
  try {
    const records = await resolveTxt(name!);
    return new URLSearchParams(records.flat().join("")).get("authSource");
  } catch (cause) {
    if (["ENODATA", "ENOTFOUND"].includes((cause as { code?: string }).code ?? "")) return null;
    throw driverError(`look up the TXT record of ${name}`, cause, "connect");
  }
}
