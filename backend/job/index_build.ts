/**
 * The end of a restore into a server: the indexes of all collections, several collections at a time, or the commands that would build them.
 *
 * @module
 */

import { bsonType, joinElements, stringElement } from "../bson/document.ts";
import { formatExtendedJson } from "../bson/extended_json.ts";
import { buildableIndex, withLongestTime } from "../bson/index_specification.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace } from "../namespace.ts";
import type { CatalogEntry } from "../oplog/index_catalog.ts";
import { forEachAtOnce } from "../parallel.ts";
import type { JobLog, ReplayTarget } from "../ports.ts";
import { formatCount, formatDuration, formatNumberOf } from "./wording.ts";

/** What building indexes needs. */
export interface IndexBuildContext {
  readonly replay: ReplayTarget;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  /** Collections at a time. */
  readonly parallel: number;
  /** After how long a build that goes on says so, again and again. */
  readonly reportEveryMs?: number;
}

const reportEveryMs = 60_000;

/** Collections that are named in a line. */
const shownMax = 4;

/** Longest command that stays one line of a job's log. */
const commandMaxLength = 1_500;

/**
 * Builds every index; a collection whose own can't be built stops no other one.
 *
 * @throws PluginError `restoreIndex` with all failures
 */
export async function buildIndexes(
  entries: readonly CatalogEntry[],
  { replay, log, signal, parallel, reportEveryMs: everyMs = reportEveryMs }: IndexBuildContext,
): Promise<void> {
  const owed = entries.filter(({ indexes }) => indexes.length > 0);
  const total = owed.length;
  const running = new Set<string>();
  const failures: PluginError[] = [];
  let built = 0;
  let done = 0;
  const startedAt = performance.now();
  const report = setInterval(() => {
    log.info(
      `Building indexes: ${formatCount(done)} of ${formatNumberOf(total, "collection")} done in ${
        formatDuration((performance.now() - startedAt) / 1000)
      }, at work on ${[...running].slice(0, shownMax).join(", ")}`,
    );
  }, everyMs);
  const build = async ({ namespace, indexes, isCollated }: CatalogEntry) => {
    signal.throwIfAborted();
    const name = formatNamespace(namespace);
    running.add(name);
    try {
      const remarks = await replay.buildIndexes(namespace, indexes, isCollated);
      for (const remark of remarks) log.warning(remark);
      built += indexes.length;
    } catch (cause) {
      // Whatever isn't about this collection's indexes will be no better with the next one.
      if (!(cause instanceof PluginError) || cause.code !== "restoreIndex") throw cause;
      failures.push(cause);
      log.error(cause.message);
    }
    running.delete(name);
    done++;
  };
  try {
    await forEachAtOnce(owed, parallel, build);
  } finally {
    clearInterval(report);
  }
  if (built > 0) {
    log.info(
      `Built ${formatNumberOf(built, "index", "indexes")} of ${
        formatNumberOf(total - failures.length, "collection")
      }`,
    );
  }
  if (failures.length > 0) throw joinFailures(failures);
}

/** Says how what was not built can be. */
export function listIndexes(entries: readonly CatalogEntry[], log: JobLog): void {
  const owed = entries.filter(({ indexes }) => indexes.length > 0);
  const count = owed.reduce((sum, { indexes }) => sum + indexes.length, 0);
  if (count === 0) return;
  log.warning(
    `index_build=none: ${formatNumberOf(count, "index", "indexes")} of ${
      formatNumberOf(owed.length, "collection")
    } were not built. These lines build them in mongosh:`,
  );
  for (const entry of owed) for (const line of buildLines(entry)) log.info(line);
}

/** One command for a collection, or one for each index where that would be too long. */
function buildLines({ namespace, indexes, isCollated }: CatalogEntry): string[] {
  const buildable = indexes.map((index) => withLongestTime(buildableIndex(index, isCollated)));
  const line = (some: readonly Uint8Array[]) => {
    const list = joinElements(
      some.map((value, at) => ({ key: String(at), type: bsonType.document, value })),
    );
    const command = joinElements([
      stringElement("createIndexes", namespace.collection),
      { key: "indexes", type: bsonType.array, value: list },
    ]);
    const text = formatExtendedJson(command).replace(/[\\']/g, "\\$&");
    return `db.getSiblingDB(${JSON.stringify(namespace.database)}).runCommand(EJSON.parse('${text}'))`;
  };
  const whole = line(buildable);
  return whole.length <= commandMaxLength ? [whole] : buildable.map((index) => line([index]));
}

function joinFailures(failures: readonly PluginError[]): PluginError {
  const [first, ...others] = failures;
  if (first === undefined || others.length === 0) return first!;
  return new PluginError(
    "restoreIndex",
    `Cannot build the indexes of ${failures.length} collections: ${
      failures.map(({ message }) => message.replace(/^Cannot build the indexes of /, "")).join("; ")
    }`,
    { hint: first.hint },
  );
}
