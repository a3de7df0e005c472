/**
 * Prometheus' own file for TLS and basic authentication, as its programs share it: what of it this exporter can do. The rest is refused and never left out in
 * silence, since it would be missed as protection.
 *
 * @module
 */

import { parse } from "yaml";
import * as z from "zod";

/** Where certificate and key are, as the file says it: relative paths are from the file's own folder. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What the file says. */
export interface WebConfig {
  readonly tls: TlsFiles | null;
  /** Hashes of bcrypt by user; empty where nobody has to log in. */
  readonly users: ReadonlyMap<string, string>;
}

/** A hash takes twice as long for each further step, and this many take seconds. */
const costMax = 12;

/** The versions that the runtime speaks; it can't be told to leave out one of them. */
const lowestVersion = z.literal("TLS12", "wanted TLS12: TLS 1.2 and 1.3 are both spoken");
const highestVersion = z.literal("TLS13", "wanted TLS13: TLS 1.2 and 1.3 are both spoken");
const path = z.string().min(1);

const tlsConfig = z.strictObject({
  cert_file: path,
  key_file: path,
  client_auth_type: z.literal("NoClientCert", "wanted NoClientCert: no certificates can be asked of clients")
    .optional(),
  min_version: lowestVersion.optional(),
  max_version: highestVersion.optional(),
});

const hash = z.string().regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/, "it is no hash of bcrypt")
  .refine((text) => Number(text.slice(4, 6)) <= costMax, `its cost is above ${costMax}`);

const webConfig = z.strictObject({
  tls_server_config: tlsConfig.optional(),
  basic_auth_users: z.record(z.string().min(1).regex(/^[^:]*$/, "it has a colon"), hash).optional(),
});

/**
 * Reads the file's text.
 *
 * @throws Error that says what is wrong with it, or what of it can't be done; never with a hash in it
 */
export function parseWebConfig(text: string): WebConfig {
  const parsed = webConfig.safeParse(parseYaml(text) ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const where = issue.path.join(".");
    throw new Error(
      issue.code === "unrecognized_keys"
        ? `${where === "" ? "" : `${where}: `}${issue.keys.join(", ")} can't be done by this exporter`
        : `${where === "" ? "it" : where}: ${issue.message}`,
    );
  }
  const { tls_server_config: tls, basic_auth_users: users } = parsed.data;
  return {
    tls: tls === undefined ? null : { certFile: tls.cert_file, keyFile: tls.key_file },
    users: new Map(Object.entries(users ?? {})),
  };
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { prettyErrors: false, logLevel: "error", maxAliasCount: 0 });
  } catch {
    // What it is about may be a hash.
    throw new Error("it is no YAML");
  }
}
