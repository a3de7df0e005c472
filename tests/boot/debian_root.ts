/**
 * A Debian of its own, with systemd, that tests can boot.
 *
 * @module
 */

import { cached } from "../lab/cache.ts";
import { run } from "../lab/command.ts";
import { machineArchive } from "../lab/debian.ts";
import { ensureTools } from "../lab/tools.ts";

const suite = "bookworm";

/** The folder of the root, fetched if need be. It is never changed: copy it. */
export async function findDebianRoot(): Promise<string> {
  const folder = await cached(
    `debian-${suite}-systemd`,
    `fetching Debian ${suite} with systemd, which the unit is tried on`,
    fetchRoot,
  );
  return `${folder}/root`;
}

async function fetchRoot(folder: string): Promise<void> {
  await ensureTools(["mmdebstrap"]);
  // deno-fmt-ignore
  await run("mmdebstrap", [
    "--mode=root", "--variant=essential", "--include=systemd-sysv,dbus", "--aptopt=Acquire::Languages \"none\"",
    ...["doc", "info", "locale", "man"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    suite, `${folder}/root`, await machineArchive(),
  ]);
}
