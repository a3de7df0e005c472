/**
 * Prometheus and its promtool: the machine's own, or Debian's packages unpacked into the cache.
 *
 * @module
 */

import { cached } from "./cache.ts";
import { findOnPath } from "./command.ts";
import { unpackPackages } from "./debian.ts";

/** Paths of the programs. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

const suite = "bookworm";

/** Finds them, fetched if need be: not installed, since the package starts a server of its own. */
export async function findPrometheus(): Promise<PrometheusPrograms> {
  const [prometheus, promtool] = await Promise.all([findOnPath("prometheus"), findOnPath("promtool")]);
  if (prometheus !== null && promtool !== null) return { prometheus, promtool };
  const folder = await cached(
    `prometheus-${suite}`,
    "fetching Prometheus, as this machine has none",
    (folder) => unpackPackages(suite, ["prometheus"], folder),
  );
  return { prometheus: `${folder}/usr/bin/prometheus`, promtool: `${folder}/usr/bin/promtool` };
}
