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
  const fresh = isPrivate ? { createNew: true } : { create: true, truncate: true };
  try {
    {
      using file = await Deno.open(temporary, { ...fresh, write: true, mode });
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

/** Path of a resource's sidecar in a working directory. */
export function sidecarPath(directory: string, resource: string, kind: "stats" | "tip" | "restore"): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(resource)) {
    throw new PluginError("internal", `Cannot name a sidecar: "${resource}" is no name of a resource`);
  }
  return `${directory}/podheitor-mongodb-${resource}-${kind}.json`;
}
