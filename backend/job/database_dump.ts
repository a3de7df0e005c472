/**
 * The databases of a Full, read side by side.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Manifest, ManifestCollection } from "../manifest/schema.ts";
import { formatNamespace } from "../namespace.ts";
import type { Collection, Source } from "../ports.ts";
import { CollectionDump } from "./collection_dump.ts";
import type { DumpContext } from "./dump_context.ts";
import { reportBeyondBackup } from "./fidelity_report.ts";
import { type ReadLimits, ReadSchedule, type ReadTask } from "./read_schedule.ts";
import { formatBytes, formatNumberOf, formatSeconds } from "./wording.ts";

/** A database that is being read. */
interface DatabaseDump {
  readonly name: string;
  readonly startedAtMs: number;
  readonly collections: Promise<ManifestCollection>[];
}

/**
 * Reads databases, several readers at a time. The first failure stops the others and is the one that is thrown.
 *
 * @param failure aborted by that failure; `context.signal` follows it
 */
export async function dumpDatabases(
  context: DumpContext,
  names: readonly string[],
  readers: number,
  limits: ReadLimits,
  failure: AbortController,
): Promise<Manifest["databases"]> {
  const { signal } = context;
  const schedule = new ReadSchedule<Collection, CollectionDump>(names, limits);
  const dumps = new Map<string, DatabaseDump>();
  const done: Promise<Manifest["databases"][number]>[] = [];
  const fail = (cause: unknown) => {
    if (!failure.signal.aborted) failure.abort(cause);
  };
  /** What is left to be done with what was read doesn't keep its reader from reading on. */
  const inBackground = <T>(work: Promise<T>): Promise<T> => {
    work.catch(fail);
    return work;
  };
  const perform = async (task: ReadTask<Collection, CollectionDump>) => {
    if (task.kind === "list") {
      const startedAtMs = context.clock.monotonicMs();
      const collections = await context.source.listCollections(task.database);
      for (const collection of collections) reportBeyondBackup(collection, context.log);
      dumps.set(task.database, { name: task.database, startedAtMs, collections: [] });
      return schedule.listed(task, collections.sort((a, b) => b.sizeHintBytes - a.sizeHintBytes));
    }
    const dump = task.kind === "join" ? task.open : await CollectionDump.open(context, task.collection);
    if (task.kind === "open") schedule.opened(task, dump);
    try {
      await dump.read();
    } catch (cause) {
      await dump.settle().catch(() => {});
      throw cause;
    }
    if (schedule.left(task, dump)) {
      dumps.get(task.database)!.collections.push(inBackground(dump.finish()));
    }
  };
  const reader = async () => {
    while (!schedule.isDone) {
      signal.throwIfAborted();
      const task = schedule.take();
      if (task === null) {
        await schedule.changed();
        continue;
      }
      await perform(task);
      for (const name of schedule.takeRead()) {
        done.push(inBackground(finishDatabase(context, dumps.get(name)!)));
      }
    }
  };
  const wake = () => schedule.wake();
  signal.addEventListener("abort", wake, { once: true });
  try {
    await Promise.allSettled(Array.from({ length: readers }, () => reader().catch(fail)));
    // Nothing may be on its way any more when the segments' memory goes.
    await Promise.allSettled([...dumps.values()].flatMap(({ collections }) => collections));
    await Promise.allSettled(done);
  } finally {
    signal.removeEventListener("abort", wake);
  }
  signal.throwIfAborted();
  return (await Promise.all(done)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function finishDatabase(
  { source, clock, log }: DumpContext,
  { name, startedAtMs, collections }: DatabaseDump,
): Promise<Manifest["databases"][number]> {
  const dumped = (await Promise.all(collections)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (source.oplog === null) await refuseChangedCatalog(source, name, dumped);
  const documents = dumped.reduce((sum, { documents }) => sum + documents, 0);
  const bytes = dumped.reduce((sum, { bytes }) => sum + bytes, 0);
  log.info(
    `Database ${name}: ${formatNumberOf(dumped.length, "collection")}, ${
      formatNumberOf(documents, "document")
    }, ` +
      `${formatBytes(bytes)} in ${formatSeconds(clock.monotonicMs() - startedAtMs)}`,
  );
  return { name, collections: dumped };
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
