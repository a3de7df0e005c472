/**
 * musl, the C library that launchers are linked with: this machine's own, or that of Debian's package for another processor.
 *
 * @module
 */

import { cached } from "../tests/lab/cache.ts";
import { unpackPackages } from "../tests/lab/debian.ts";
import { ownTarget, type Target } from "./target.ts";

/** Of the packages that are unpacked. */
const version = "1.2.3";

/** Where musl is. */
export interface Musl {
  readonly headers: string;
  /** Start files and archive. */
  readonly libraries: string;
}

/** musl for a processor, fetched if need be. */
export async function findMusl(target: Target): Promise<Musl> {
  const { machine } = target;
  const root = target === ownTarget ? "" : await fetchMusl(target);
  return {
    headers: `${root}/usr/include/${machine}-linux-musl`,
    libraries: `${root}/usr/lib/${machine}-linux-musl`,
  };
}

/** The version, as the archive itself has it. */
export async function muslVersion(target: Target): Promise<string> {
  const { libraries } = await findMusl(target);
  const bytes = await Deno.readFile(`${libraries}/libc.a`);
  // A constant between other ones.
  const found = /\0(\d+\.\d+\.\d+)\0/.exec(new TextDecoder("latin1").decode(bytes))?.[1];
  if (found === undefined) throw new Error(`${libraries}/libc.a doesn't say its version`);
  return found;
}

async function fetchMusl({ architecture }: Target): Promise<string> {
  return await cached(
    `musl-${version}-${architecture}`,
    `fetching musl ${version} of Debian bookworm for ${architecture}, which launchers are linked with`,
    (root) => unpackPackages("bookworm", ["musl-dev"], root, architecture),
  );
}
