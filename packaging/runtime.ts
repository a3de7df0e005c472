/**
 * The Deno that packages bring with them: of the npm package that carries the project's own build of it, by its hash.
 *
 * @module
 */

import { cached } from "../tests/lab/cache.ts";
import { run } from "../tests/lab/command.ts";

/** What is shipped. The integrity is that of the registry's lock files. */
export const denoRuntime = {
  version: "2.9.6",
  package: "@deno/linux-x64-glibc",
  integrity:
    "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
} as const;

/**
 * Path of that Deno, fetched if need be.
 *
 * @throws Error where what was fetched isn't what is pinned
 */
export async function findRuntime(): Promise<string> {
  const { version } = denoRuntime;
  const folder = await cached(
    `deno-${version}`,
    `fetching Deno ${version}, which packages ship`,
    fetchRuntime,
  );
  return `${folder}/deno`;
}

async function fetchRuntime(folder: string): Promise<void> {
  const { package: name, version, integrity } = denoRuntime;
  const file = (await run("npm", ["pack", "--silent", `${name}@${version}`], { cwd: folder })).trim();
  await checkIntegrity(await Deno.readFile(`${folder}/${file}`), integrity, `${name} ${version}`);
  await run("tar", ["-xzf", file, "--strip-components=1", "package/deno"], { cwd: folder });
  await Deno.remove(`${folder}/${file}`);
}

/** @throws Error unless the bytes have this integrity: `sha512-` and base64 */
export async function checkIntegrity(
  bytes: Uint8Array<ArrayBuffer>,
  wanted: string,
  what: string,
): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes));
  const found = `sha512-${digest.toBase64()}`;
  if (found !== wanted) throw new Error(`${what} has the integrity ${found}, wanted ${wanted}`);
}
