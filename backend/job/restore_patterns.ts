/**
 * Patterns of a restore that can't mean anything.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { OpenedManifest } from "../manifest/reader.ts";
import { describeScope } from "../manifest/scope.ts";
import { type Namespace, parseNamespace } from "../namespace.ts";
import { countStars, NamespaceFilter } from "../options/namespace_pattern.ts";
import { acceptsOf } from "./backup_scope.ts";
import { userNamespace } from "./selection.ts";

/**
 * Refuses a pattern of `include=` that fits nothing of what the jobs have: who mistypes one must not find out by what is missing.
 *
 * @throws PluginError `restoreRequest`
 */
export function refuseUnmatched(include: readonly string[], jobs: readonly OpenedManifest[]): void {
  const known: Namespace[] = jobs.flatMap(({ manifest: { databases, oplog } }) => [
    ...databases.flatMap(({ name, collections }) =>
      collections.map((one) => ({ database: name, collection: one.name }))
    ),
    ...(oplog?.namespaces ?? []).map(userNamespace),
  ]);
  // A database's views are one collection in an oplog: which of them changed is known when it is read.
  const views = new Set(
    known.filter(({ collection }) => collection === "system.views").map(({ database }) => database),
  );
  const isInScope = (one: Namespace) => jobs.some(({ manifest }) => acceptsOf(manifest.scope)(one));
  const idle = include.filter((pattern) => {
    const filter = new NamespaceFilter([pattern], []);
    const mayBeView = [...views].some((name) => filter.mayAcceptOf(name)) &&
      (countStars(pattern) > 0 || isInScope(parseNamespace(pattern)));
    return !mayBeView && !known.some((one) => filter.accepts(one));
  });
  if (idle.length === 0) return;
  const scopes = new Set(jobs.map(({ manifest }) => describeScope(manifest.scope)));
  throw new PluginError(
    "restoreRequest",
    `Cannot restore include=${idle.join(",")}: the jobs have no collection that fits; they were made with ${
      [...scopes].join(" and with ")
    }`,
    { hint: "Correct include=. What include=, exclude= or database= left out of a backup isn't in it." },
  );
}
