/**
 * The Deno that packages bring with them: of the npm package that carries the project's own build of it, by its hash.
 *
 * @module
 */

import { cached } from "../tests/lab/cache.ts";
import { run } from "../tests/lab/command.ts";
import type { Architecture, Target } from "./target.ts";

/** The version that is shipped. */
export const denoVersion = "2.9.6";

/** The package for each processor. The integrity is that of the registry's lock files. */
export const denoPackages: Readonly<
  Record<Architecture, { readonly name: string; readonly integrity: string }>
> = {
  amd64: {
    name: "@deno/linux-x64-glibc",
    integrity:
      "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
  },
  arm64: {
    name: "@deno/linux-arm64-glibc",
    integrity:
      "sha512-poqhoH9B3nYloigEMPT5t8HY+wBeiuea1An5Q7fqgJzP0SYmWsoS/oUnWO/pEiA4ofzIBy1Elt/in58xKtxEoQ==",
  },
};

/**
 * Path of that Deno, fetched if need be.
 *
 * @throws Error where what was fetched isn't what is pinned
 */
export async function findRuntime({ architecture }: Target): Promise<string> {
  const folder = await cached(
    `deno-${denoVersion}-${architecture}`,
    `fetching Deno ${denoVersion} for ${architecture}, which packages ship`,
    (folder) => fetchRuntime(architecture, folder),
  );
  return `${folder}/deno`;
}

async function fetchRuntime(architecture: Architecture, folder: string): Promise<void> {
  const { name, integrity } = denoPackages[architecture];
  const file = (await run("npm", ["pack", "--silent", `${name}@${denoVersion}`], { cwd: folder })).trim();
  await checkIntegrity(await Deno.readFile(`${folder}/${file}`), integrity, `${name} ${denoVersion}`);
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
