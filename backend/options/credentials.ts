/**
 * Connection strings and the secrets that belong to them.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { Options } from "./table.ts";

/** A file that should hold a secret: its text and permission bits. */
export interface SecretFile {
  readonly text: string;
  /** Permission bits, as in `stat`. */
  readonly mode: number;
}

/** Reads a file that should hold a secret. */
export type SecretReader = (path: string) => Promise<SecretFile>;

/** Where a machine keeps secrets that no option names. */
export interface MachineSecrets {
  readonly read: SecretReader;
  /** `PODHEITOR_MONGODB_URI` and `PODHEITOR_MONGODB_PASSWORD` of the File Daemon's environment. */
  readonly uri?: string | undefined;
  readonly password?: string | undefined;
  /** Folder of the credentials that systemd gave the File Daemon. */
  readonly credentials?: string | undefined;
}

/** Names of systemd's credentials. */
const uriCredential = "podheitor-mongodb-uri";
const passwordCredential = "podheitor-mongodb-password";

/** Scheme, userinfo (up to the last "@" before the path), and all that follows. */
const uriParts = /^(mongodb(?:\+srv)?:\/\/)(?:([^/?\s]*)@)?(\S*)$/;

/** What is secret in a connection string: the user's password, and some of its options. */
const uriSecrets = [
  /(mongodb(?:\+srv)?:\/\/[^:@/\s]*:)\S*(?=@)/gi,
  /([?&](?:tlsCertificateKeyFilePassword|proxyPassword)=)[^&\s]+/gi,
  /(AWS_SESSION_TOKEN(?::|%3A))[^&\s]+/gi,
];

/** A text in which every secret of a connection string reads `***`. */
export function maskUri(text: string): string {
  return uriSecrets.reduce((masked, secret) => masked.replace(secret, "$1***"), text);
}

/** A sentence for a plugin command that carries a secret, or null. */
export function passwordWarning({ uri }: Pick<Options, "uri">): string | null {
  if (uri === null || maskUri(uri) === uri) return null;
  return "The plugin command holds a secret. Bacula stores that command on the volume and in the catalog: move a password to password_file=, " +
    "or the whole connection string to uri_file=, and change the secret";
}

/** A sentence for each setting of a connection string with which a server could be somebody else's. */
export function transportWarnings(uri: Secret): string[] {
  const [, query = ""] = uri.reveal().split("?", 2);
  const settings = new Map(
    [...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]),
  );
  const lax = ["tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames", "tlsInsecure"]
    .filter((name) => settings.get(name.toLowerCase()) === "true");
  return lax.map((name) =>
    `${name}=true in the connection string: whoever is between this machine and the server can read and change everything; ` +
    "give the server a certificate that its name is in, and name its authority with tlsCAFile="
  );
}

/**
 * The connection string to use, with the password where it is kept elsewhere. What an option names comes before the environment, and that before
 * systemd's credentials; a password in the connection string itself is the one.
 *
 * @throws PluginError `secretUnreadable` or `optionInvalid`; never with a secret in its text
 */
export async function resolveUri(
  options: Pick<Options, "uri" | "uri_file" | "password_file">,
  machine: MachineSecrets,
): Promise<Secret> {
  const uri = (options.uri ?? await findUri(options.uri_file, machine)).trim();
  const parts = uriParts.exec(uri);
  if (parts === null) {
    throw new PluginError(
      "optionInvalid",
      'Cannot use the connection string: wanted "mongodb://" or "mongodb+srv://", then no white space',
      {
        hint: "Correct the file that uri_file= names, or what else holds it.",
      },
    );
  }
  const [, scheme, userinfo, rest = ""] = parts;
  const isComplete = userinfo === undefined || userinfo === "" || userinfo.includes(":");
  if (options.password_file === null) {
    const password = isComplete || !takesPassword(rest) ? null : await findPassword(machine);
    return new Secret(
      password === null ? uri : `${scheme}${userinfo}:${encodeURIComponent(password)}@${rest}`,
    );
  }
  if (isComplete) {
    throw new PluginError(
      "optionInvalid",
      `Cannot add the password of password_file=: the connection string ${
        userinfo?.includes(":") ? "has a password already" : "names no user"
      }`,
      { hint: "Write the connection string as mongodb://USER@HOST:PORT/, without a password." },
    );
  }
  const password = withoutLineEnd(await readSecret("password_file=", options.password_file, machine));
  return new Secret(`${scheme}${userinfo}:${encodeURIComponent(password)}@${rest}`);
}

async function findUri(path: string | null, machine: MachineSecrets): Promise<string> {
  if (path !== null) return await readSecret("uri_file=", path, machine);
  if (machine.uri !== undefined) return machine.uri;
  const given = await findCredential(uriCredential, machine);
  if (given !== null) return given;
  throw new PluginError(
    "optionInvalid",
    "Cannot connect: there is no connection string; neither uri= nor uri_file= is given, PODHEITOR_MONGODB_URI isn't set, and " +
      `systemd gave no credential ${uriCredential}`,
    {
      hint:
        "Write uri_file=/etc/podheitor/rs0.uri into the Plugin line, with the connection string in that file, mode 0600.",
    },
  );
}

async function findPassword(machine: MachineSecrets): Promise<string | null> {
  const found = machine.password ?? await findCredential(passwordCredential, machine);
  return found === null ? null : withoutLineEnd(found);
}

async function findCredential(name: string, machine: MachineSecrets): Promise<string | null> {
  const { credentials, read } = machine;
  if (credentials === undefined) return null;
  const path = `${credentials}/${name}`;
  const isThere = await read(path).then(() => true, (cause) => cause?.name !== "NotFound");
  return isThere ? await readSecret(`systemd's credential ${name}`, path, machine) : null;
}

/** Whether a user without a password is one that a password is missing of: other mechanisms have certificates, tickets or a cloud's keys. */
function takesPassword(rest: string): boolean {
  const mechanism = /[?&]authMechanism=([^&]*)/i.exec(rest)?.[1]?.toUpperCase();
  return mechanism === undefined || mechanism.startsWith("SCRAM-") || mechanism === "PLAIN";
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}

async function readSecret(
  source: string,
  path: string,
  { read, credentials }: MachineSecrets,
): Promise<string> {
  let file: SecretFile;
  try {
    file = await read(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PluginError("secretUnreadable", `Cannot read ${path} of ${source}: ${reason}`, {
      hint:
        "The file must be there and belong to the user that the backend runs as: the File Daemon's, or where that is root bacula (PODHEITOR_MONGODB_USER names another).",
      cause,
    });
  }
  // systemd's folder is one service's own; the bits of its files may show an access list's mask.
  if (credentials === undefined || !path.startsWith(`${credentials}/`)) checkSecretMode(path, file.mode);
  if (file.text.trim() === "") {
    throw new PluginError("secretUnreadable", `Cannot use ${path} of ${source}: it is empty`, {
      hint: "Write the secret into it, in one line.",
    });
  }
  return file.text;
}

/** Refuses a secret that others on the machine can read. */
export function checkSecretMode(path: string, mode: number): void {
  if ((mode & 0o077) === 0) return;
  const bits = (mode & 0o7777).toString(8).padStart(4, "0");
  throw new PluginError(
    "secretUnreadable",
    `Cannot use ${path}: its mode is ${bits}, others than its owner can read or change it`,
    {
      hint: `Run: chmod 0600 ${path}`,
    },
  );
}
