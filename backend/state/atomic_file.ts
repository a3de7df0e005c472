/**
 * Files of the working directory: their names, and how they are replaced.
 *
 * @module
 */

import { PluginError } from "../errors.ts";

/** Where Bacula's File Daemon works unless it is told otherwise. */
export const defaultWorkingDirectory = "/opt/bacula/working";

/**
 * Puts a text in a file's place: readers see the old one or the new one, also after a crash.
 *
 * @param mode permission bits; where they are the owner's alone, nobody else ever has the file open
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const isPrivate = (mode & 0o077) === 0;
  // A file that is there already has its own mode and its own readers, and may be a link.
  const temporary = isPrivate ? `${path}.${crypto.randomUUID()}.tmp` : `${path}.tmp`;
  try {
    // What a writer that was killed has left.
    if (!isPrivate) await removeIfThere(temporary);
    {
      using file = await Deno.open(temporary, { createNew: true, write: true, mode });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw cause;
  }
  using directory = await Deno.open(path.slice(0, path.lastIndexOf("/")) || "/");
  await directory.sync();
}

/** Longest sidecar that is read: some thousand times what one of 400 jobs has. */
const sidecarMaxBytes = 64 << 20;

/** A sidecar's text. What isn't a file of its own is not read: a pipe would wait for ever, a link may lead to what is nobody's business. */
export async function readSidecar(path: string): Promise<string> {
  const { isFile, isDirectory, size } = await Deno.lstat(path);
  if (!isFile) throw new Error(`it is ${isDirectory ? "a directory" : "no regular file"}`);
  if (size > sidecarMaxBytes) throw new Error(`it has ${size} bytes, wanted at most ${sidecarMaxBytes}`);
  return await Deno.readTextFile(path);
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  });
}

/** Path of a resource's sidecar in a working directory. */
export function sidecarPath(directory: string, resource: string, kind: "stats" | "tip" | "restore"): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(resource)) {
    throw new PluginError("internal", `Cannot name a sidecar: "${resource}" is no name of a resource`);
  }
  return `${directory}/podheitor-mongodb-${resource}-${kind}.json`;
}
