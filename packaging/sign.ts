/**
 * Signatures of a release, by a key of the release engineer's GnuPG.
 *
 * @module
 */

import { run } from "../tests/lab/command.ts";

/** Signs the RPM in itself, and the DEB by a file beside it. */
export async function signPackages({ deb, rpm }: { deb: string; rpm: string }, key: string): Promise<void> {
  await run("rpmsign", ["--define", `_gpg_name ${key}`, "--define", "__gpg /usr/bin/gpg", "--addsign", rpm]);
  await signDetached(deb, key);
}

/** Makes `SHA256SUMS` of files in one folder, signed if there is a key. */
export async function writeChecksums(folder: string, names: readonly string[], key?: string): Promise<void> {
  const sums = await run("sha256sum", ["--", ...names], { cwd: folder });
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums);
  if (key !== undefined) await signDetached(`${folder}/SHA256SUMS`, key);
}

async function signDetached(path: string, key: string): Promise<void> {
  await run("gpg", [
    ...["--batch", "--yes", "--local-user", key, "--armor"],
    ...["--detach-sign", "--output", `${path}.asc`, path],
  ]);
}
