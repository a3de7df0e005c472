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

/**
 * The connection string to use, with the password from its file where there is one.
 *
 * @throws PluginError `secretUnreadable` or `optionInvalid`; never with a secret in its text
 */
export async function resolveUri(
  options: Pick<Options, "uri" | "uri_file" | "password_file">,
  read: SecretReader,
): Promise<Secret> {
  const uri = options.uri ?? (await readSecret("uri_file", options.uri_file ?? "", read)).trim();
  const parts = uriParts.exec(uri);
  if (parts === null) {
    throw new PluginError(
      "optionInvalid",
      'Cannot use the connection string: wanted "mongodb://" or "mongodb+srv://", then no white space',
      {
        hint: "Correct the file that uri_file= names.",
      },
    );
  }
  if (options.password_file === null) return new Secret(uri);
  const [, scheme, userinfo, rest] = parts;
  if (userinfo === undefined || userinfo === "" || userinfo.includes(":")) {
    throw new PluginError(
      "optionInvalid",
      `Cannot add the password of password_file=: the connection string ${
        userinfo?.includes(":") ? "has a password already" : "names no user"
      }`,
      { hint: "Write the connection string as mongodb://USER@HOST:PORT/, without a password." },
    );
  }
  const password = (await readSecret("password_file", options.password_file, read)).replace(/\r?\n$/, "");
  return new Secret(`${scheme}${userinfo}:${encodeURIComponent(password)}@${rest}`);
}

async function readSecret(option: string, path: string, read: SecretReader): Promise<string> {
  let file: SecretFile;
  try {
    file = await read(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PluginError("secretUnreadable", `Cannot read ${path} of ${option}=: ${reason}`, {
      hint: "The file must be there and readable by the user that the backend runs as.",
      cause,
    });
  }
  checkSecretMode(path, file.mode);
  if (file.text.trim() === "") {
    throw new PluginError("secretUnreadable", `Cannot use ${path} of ${option}=: it is empty`, {
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
