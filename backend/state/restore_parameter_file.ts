/**
 * The file of prepared restore parameters in a working directory: written by a command, taken by the next restore.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import {
  formatParameters,
  parametersLiveSeconds,
  parseParameters,
  type RestoreParameters,
} from "../options/restore_parameters.ts";
import { replaceFile, sidecarPath } from "./atomic_file.ts";

const fileMaxBytes = 64 << 10;

/** Leaves parameters for the next restore of their resource; returns the file's path and until when it is good. */
export async function writeParameters(
  directory: string,
  parameters: Pick<RestoreParameters, "resource" | "values">,
  now: Date,
): Promise<{ path: string; expiresAt: Date }> {
  const path = sidecarPath(directory, parameters.resource, "restore");
  const expiresAt = new Date(now.getTime() + parametersLiveSeconds * 1000);
  try {
    await replaceFile(path, formatParameters({ ...parameters, createdAt: now, expiresAt }), 0o600);
  } catch (cause) {
    throw new PluginError("stateWrite", `Cannot write ${path}: ${reason(cause)}`, {
      hint:
        "Run the command as root or as the user that runs the File Daemon, and name its working directory with --working-dir.",
      cause,
    });
  }
  return { path, expiresAt };
}

/**
 * Takes what was prepared for a resource, or null where nothing was. The file is gone from then on, whatever it held: an operator's wish holds for one
 * restore, and one that can't be understood fails that restore rather than being passed over. Of several restores at the same time, one gets it.
 *
 * @throws PluginError `stateRead` when it isn't what it should be, `restoreRequest` when its time is over
 */
export async function takeParameters(
  directory: string,
  resource: string,
  now: Date,
): Promise<RestoreParameters | null> {
  const path = sidecarPath(directory, resource, "restore");
  // Under a name that nobody else knows: what is looked at, read and removed is one and the same file, also when another one is being prepared.
  const taken = `${path}.${crypto.randomUUID()}.taken`;
  try {
    await Deno.rename(path, taken);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw unusable(path, cause, "It could not be discarded: remove it, or the next restore fails as well.");
  }
  let parameters: RestoreParameters;
  try {
    parameters = parseParameters(await readOnce(taken));
    if (parameters.resource !== resource) throw new Error(`it is for resource "${parameters.resource}"`);
  } catch (cause) {
    throw unusable(
      path,
      cause,
      "It was discarded. Write it anew with podheitor-mongodb-backend prepare-restore, as root or as the user that runs the File Daemon, then start the restore again.",
    );
  }
  const { createdAt, expiresAt } = parameters;
  if (now >= createdAt && now <= expiresAt) return parameters;
  throw new PluginError(
    "restoreRequest",
    `Cannot use ${path}: it was good from ${createdAt.toISOString()} to ${expiresAt.toISOString()}, now it is ${now.toISOString()}`,
    {
      hint:
        "It was discarded. Prepare the restore anew if it should still have these parameters, then start it again.",
    },
  );
}

/** A file's text, where nobody but root and this process's user can have written it or read it; the file is removed before its text is read. */
async function readOnce(path: string): Promise<string> {
  let file: Deno.FsFile | undefined;
  try {
    const found = await Deno.lstat(path);
    checkTrusted(found);
    file = await Deno.open(path);
    const opened = await file.stat();
    if (opened.dev !== found.dev || opened.ino !== found.ino) throw new Error("it was changed meanwhile");
  } catch (cause) {
    file?.close();
    await Deno.remove(path);
    throw cause;
  }
  using own = file;
  await Deno.remove(path);
  const bytes = new Uint8Array(fileMaxBytes + 1);
  let length = 0;
  for (let read: number | null = 0; read !== null && length < bytes.length; length += read ?? 0) {
    read = await own.read(bytes.subarray(length));
  }
  if (length > fileMaxBytes) throw new Error(`it has more than ${fileMaxBytes} bytes`);
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
}

function checkTrusted({ isFile, uid, mode, nlink }: Deno.FileInfo): void {
  if (!isFile) throw new Error("it is no regular file");
  if (nlink !== 1) throw new Error("it has several names");
  if (uid !== 0 && uid !== Deno.uid()) {
    throw new Error(`it belongs to user ${uid}, wanted ${Deno.uid()} or root`);
  }
  const bits = (mode ?? 0o777) & 0o777;
  if ((bits & 0o077) !== 0) throw new Error(`its mode is ${bits.toString(8)}, wanted 600`);
}

function unusable(path: string, cause: unknown, hint: string): PluginError {
  return new PluginError("stateRead", `Cannot use ${path}: ${reason(cause)}`, { hint, cause });
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
