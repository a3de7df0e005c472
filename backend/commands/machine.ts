/**
 * What this process may know of its machine: variables, files that hold secrets, the clock.
 *
 * @module
 */

import type { TrustPolicy } from "../manifest/reader.ts";
import { loadSigningKey, loadTrustedKeys, type SigningKey } from "../manifest/signature.ts";
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

/** Reads a file that should hold a secret, with its permission bits. */
async function readSecretFile(path: string): Promise<SecretFile> {
  using file = await Deno.open(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new Error("it is no file, or none that this command may read", { cause });
  });
  const { mode } = await file.stat();
  return { text: await new Response(file.readable).text(), mode: mode ?? 0 };
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
  return value === undefined ? null : await loadSigningKey(new Secret(value), readSecretFile);
}

/** The key that signs; explicit unsigned backups need none. */
export async function requireSigningKey(sign: boolean): Promise<SigningKey | null> {
  if (!sign) return null;
  const key = await findSigningKey();
  if (key !== null) return key;
  throw new PluginError("signingKey", "Cannot sign the backup: PODHEITOR_MONGODB_SIGNING_KEY is not set", {
    hint:
      "Make a key (openssl genpkey -algorithm ed25519 -out /etc/podheitor/signing.pem; chmod 0600 it) and name it in the File Daemon's environment, " +
      "or say sign=no in the Plugin line to go without.",
  });
}

/** Which manifests this machine believes. `keyFile` comes before the environment. */
export async function findTrust(keyFile?: string): Promise<TrustPolicy> {
  const paths = keyFile ?? readVariable("PODHEITOR_MONGODB_TRUSTED_KEYS");
  const allowUnsigned = readVariable("PODHEITOR_MONGODB_ALLOW_UNSIGNED") === "yes";
  if (paths !== undefined) return { keys: await loadTrustedKeys(paths, readSecretFile), allowUnsigned };
  const own = await findSigningKey();
  return { keys: own === null ? [] : [own.publicKey], allowUnsigned };
}
