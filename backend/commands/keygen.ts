/**
 * Makes a key that signs manifests.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { makeSigningKey, publicText } from "../manifest/signature.ts";

/**
 * Writes the private half to a file of mode 0600 and the public one beside it, as lists of trusted keys have it; returns lines for the operator.
 *
 * @throws PluginError `signingKey` where one of the files is there, or can't be written: nothing is left then
 */
export async function generateKey(path: string, now: Date): Promise<string[]> {
  const { key, pem } = await makeSigningKey();
  const line = `${await publicText(key.publicKey)} # key ${key.id}, made ${now.toISOString().slice(0, 10)}\n`;
  const publicPath = `${path}.pub`;
  await writeNew(path, pem.reveal(), 0o600);
  try {
    await writeNew(publicPath, line, 0o644);
  } catch (cause) {
    await Deno.remove(path);
    throw cause;
  }
  return [
    `Key ${key.id}`,
    `${path} signs: keep a copy elsewhere, and name it in the File Daemon's environment, PODHEITOR_MONGODB_SIGNING_KEY=${path}`,
    `${publicPath} is for who restores or verifies, as PODHEITOR_MONGODB_TRUSTED_KEYS=${publicPath} or as a line of such a file:`,
    line.trimEnd(),
  ];
}

/** Writes a file that isn't there yet, through no link. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    using file = await Deno.open(path, { write: true, createNew: true, mode });
    try {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } catch (cause) {
      await Deno.remove(path);
      throw cause;
    }
  } catch (cause) {
    const isThere = cause instanceof Deno.errors.AlreadyExists;
    throw new PluginError(
      "signingKey",
      `Cannot write a key to ${path}: ${
        isThere ? "it is there already" : cause instanceof Error ? cause.message : cause
      }`,
      {
        hint: isThere
          ? "A key is never overwritten: backups that it signed would be believed by nobody. Name another file."
          : "Name a file in a folder that this user may write to.",
        cause,
      },
    );
  }
}
