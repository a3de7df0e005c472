/**
 * What this process may know of its machine: variables, files that hold secrets, the clock.
 *
 * @module
 */

import type { TrustPolicy } from "../manifest/reader.ts";
import { loadSigningKey, type SigningKey } from "../manifest/signature.ts";
import { findObjection, loadTrustedKeys } from "../manifest/trusted_keys.ts";
import type { MachineSecrets, SecretFile } from "../options/credentials.ts";
import type { EnvironmentName } from "../options/environment.ts";
import { PluginError } from "../errors.ts";
import { heartbeatIntervalMs } from "../limits.ts";
import type { Clock } from "../ports.ts";
import { Secret } from "../secret.ts";

export const systemClock: Clock = { now: () => new Date() };

/** `2026-11-23`: the day of an instant in Unix seconds, in this machine's time zone. */
export function localDay(unixSeconds: number): string {
  const day = new Date(unixSeconds * 1000);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0"))
    .join("-");
}

/** A variable of the product, or undefined where it is unset or empty. */
function readVariable(name: EnvironmentName): string | undefined {
  return Deno.env.get(name) || undefined;
}

/** Longest file of a secret or of keys. */
const secretMaxBytes = 1 << 20;

/** Reads a file that should hold a secret, with its permission bits. */
export async function readSecretFile(path: string): Promise<SecretFile> {
  const { mode, text } = await readSmallFile(path);
  return { mode, text };
}

/** Reads a file of keys that a variable names: nobody but root and this process's user may own what is believed from then on. */
async function readKeyFile(path: string): Promise<SecretFile> {
  const { mode, text, owner } = await readSmallFile(path);
  if (owner === 0 || owner === Deno.uid()) return { mode, text };
  throw new PluginError(
    "signingKey",
    `Cannot use the key of ${path}: it belongs to user ${owner}, wanted root or user ${Deno.uid()}, as whom this runs`,
    { hint: `See who made it, then run: chown ${Deno.uid()} ${path}` },
  );
}

async function readSmallFile(path: string): Promise<SecretFile & { owner: number | null }> {
  // Before it is opened: opening a pipe would wait for who writes into it.
  const { isFile } = await Deno.stat(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new Error("it is no file, or none that this command may read", { cause });
  });
  if (!isFile) throw new Error("it is no regular file");
  using file = await Deno.open(path);
  const { mode, uid, size } = await file.stat();
  if (size > secretMaxBytes) throw new Error(`it has ${size} bytes, wanted at most ${secretMaxBytes}`);
  const bytes = new Uint8Array(secretMaxBytes);
  let length = 0;
  for (let read: number | null = 0; read !== null && length < bytes.length; length += read ?? 0) {
    read = await file.read(bytes.subarray(length));
  }
  return { text: new TextDecoder().decode(bytes.subarray(0, length)), mode: mode ?? 0o777, owner: uid };
}

/** Where connection strings and passwords are that no option names. */
export function machineSecrets(): MachineSecrets {
  return {
    read: readSecretFile,
    uri: readVariable("PODHEITOR_MONGODB_URI"),
    password: readVariable("PODHEITOR_MONGODB_PASSWORD"),
    credentials: readVariable("CREDENTIALS_DIRECTORY"),
  };
}

/** The program that the plugin starts. */
export function backendPath(): string {
  return readVariable("PODHEITOR_MONGODB_BACKEND") ?? "/opt/bacula/bin/podheitor-mongodb-backend";
}

/** The mongod for rehearsals, or undefined where there is none. The launcher looks for it, and lets this process run it alone. */
export function mongodPath(): string | undefined {
  return readVariable("PODHEITOR_MONGODB_MONGOD");
}

/** How often to say that the backend lives: well within the silence for which the plugin takes it for dead. */
export function heartbeatInterval(): number {
  const seconds = Number(readVariable("PODHEITOR_MONGODB_SILENCE_SECONDS"));
  return seconds >= 1 ? Math.min(heartbeatIntervalMs, seconds * 250) : heartbeatIntervalMs;
}

/** Gives up what only a restore to a directory needs: from here on, nothing is written but in the folders that the launcher named. */
export async function keepToOwnFolders(): Promise<void> {
  await Deno.permissions.revoke({ name: "write", path: "/" });
}

/** Folder of MongoDB's own tools, which the launcher lets this process run; undefined where none is named. */
export function toolsFolder(): string | undefined {
  return readVariable("PODHEITOR_MONGODB_TOOLS");
}

/** The key that signs, or null where none is configured. */
async function findSigningKey(): Promise<SigningKey | null> {
  const value = readVariable("PODHEITOR_MONGODB_SIGNING_KEY");
  return value === undefined ? null : await loadSigningKey(new Secret(value), readKeyFile);
}

/** The key that signs; explicit unsigned backups need none. One that restores on this machine would not believe is refused. */
export async function requireSigningKey(sign: boolean): Promise<SigningKey | null> {
  if (!sign) return null;
  const key = await findSigningKey();
  if (key === null) {
    throw new PluginError("signingKey", "Cannot sign the backup: PODHEITOR_MONGODB_SIGNING_KEY is not set", {
      hint:
        "Make a key (podheitor-mongodb-backend keygen /etc/podheitor/signing.pem) and name it in the File Daemon's environment, " +
        "or say sign=no in the Plugin line to go without.",
    });
  }
  const entries = (await findTrust()).keys.filter(({ id }) => id === key.id);
  const objection = entries.length === 0
    ? `key ${key.id} is not among the keys of PODHEITOR_MONGODB_TRUSTED_KEYS`
    : findObjection(entries, systemClock.now().toISOString());
  if (objection === null) return key;
  throw new PluginError(
    "signingKey",
    `Cannot sign the backup: ${objection}, so that no restore here would take it`,
    {
      hint:
        "Add the public half of the key in PODHEITOR_MONGODB_SIGNING_KEY to the list of trusted keys, or sign with a new key (podheitor-mongodb-backend keygen).",
    },
  );
}

/** Which manifests this machine believes. `keyFile` is the operator's own word: it comes before the environment, and may belong to anybody. */
export async function findTrust(keyFile?: string): Promise<TrustPolicy> {
  const allowUnsigned = readVariable("PODHEITOR_MONGODB_ALLOW_UNSIGNED") === "yes";
  if (keyFile !== undefined) return { keys: await loadTrustedKeys(keyFile, readSecretFile), allowUnsigned };
  const paths = readVariable("PODHEITOR_MONGODB_TRUSTED_KEYS");
  if (paths !== undefined) return { keys: await loadTrustedKeys(paths, readKeyFile), allowUnsigned };
  const own = await findSigningKey();
  return { keys: own === null ? [] : [own.publicKey], allowUnsigned };
}
