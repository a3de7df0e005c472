/**
 * The databases of a Full, read side by side.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Manifest, ManifestCollection } from "../manifest/schema.ts";
import { formatNamespace } from "../namespace.ts";
import type { Clock, Source } from "../ports.ts";
import { dumpCollection, type DumpContext } from "./collection_dump.ts";
import { reportBeyondBackup } from "./fidelity_report.ts";
import { formatBytes, formatCount, formatNumberOf, formatSeconds } from "./wording.ts";

/** The databases of the server that the operator chose. */
export function selectDatabases(present: readonly string[], wanted: readonly string[]): string[] {
  if (wanted.includes("*")) return [...present];
  const missing = wanted.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw new PluginError(
      "optionInvalid",
      `Cannot back up ${
        missing.map((name) => `"${name}"`).join(", ")
      }: the server has no such database, only ` +
        (present.map((name) => `"${name}"`).join(", ") || "none"),
      { hint: "Correct database= in the FileSet's Plugin line." },
    );
  }
  return present.filter((name) => wanted.includes(name));
}

/**
 * Reads databases, a few at a time. The first failure stops the others and is the one that is thrown.
 *
 * @param failure aborted by that failure; `context.signal` follows it
 */
export async function dumpDatabases(
  context: DumpContext & { readonly clock: Clock },
  names: readonly string[],
  readers: number,
  failure: AbortController,
): Promise<Manifest["databases"]> {
  const databases: Manifest["databases"] = [];
  const queue = [...names];
  const reader = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      context.signal.throwIfAborted();
      databases.push({ name, collections: await dumpDatabase(context, name) });
    }
  };
  await Promise.allSettled(
    Array.from({ length: readers }, () =>
      reader().catch((cause) => {
        if (!failure.signal.aborted) failure.abort(cause);
      })),
  );
  context.signal.throwIfAborted();
  return databases.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function dumpDatabase(
  context: DumpContext & { readonly clock: Clock },
  name: string,
): Promise<ManifestCollection[]> {
  const { source, clock, log } = context;
  const startedAt = clock.now();
  const dumped: ManifestCollection[] = [];
  for (const collection of await source.listCollections(name)) {
    reportBeyondBackup(collection, log);
    dumped.push(await dumpCollection(context, collection));
  }
  if (source.oplog === null) await refuseChangedCatalog(source, name, dumped);
  const documents = dumped.reduce((sum, { documents }) => sum + documents, 0);
  const bytes = dumped.reduce((sum, { bytes }) => sum + bytes, 0);
  log.info(
    `Database ${name}: ${formatNumberOf(dumped.length, "collection")}, ${
      formatCount(documents)
    } documents, ` +
      `${formatBytes(bytes)} in ${formatSeconds(startedAt, clock.now())}`,
  );
  return dumped;
}

/**
 * Without an oplog, a collection that was dropped, renamed or made anew while its database was read is a hole that nothing closes. With one, its
 * slice has the change, or refuses it.
 */
async function refuseChangedCatalog(
  source: Source,
  database: string,
  dumped: readonly ManifestCollection[],
): Promise<void> {
  const now = new Map((await source.listCollections(database)).map((one) => [one.namespace.collection, one]));
  for (const { name, uuid } of dumped) {
    const namespace = formatNamespace({ database, collection: name });
    const found = now.get(name);
    if (found === undefined || found.uuid !== uuid) {
      throw new PluginError(
        "incompleteRead",
        `Cannot vouch for ${namespace}: it was ${
          found === undefined ? "dropped or renamed" : "made anew"
        } while its database was read`,
        { hint: "Run the job again at a time without drops and renames." },
      );
    }
  }
}
