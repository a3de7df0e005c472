/**
 * What of a source belongs to a backup, as its options say, and the source as such a backup sees it.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { ManifestOplog } from "../manifest/schema.ts";
import { describeScope, type Scope } from "../manifest/scope.ts";
import { formatNamespace } from "../namespace.ts";
import { type Accepts, isServersOwn, isTemporary, isUsersOwn } from "../oplog/scope.ts";
import { NamespaceFilter } from "../options/namespace_pattern.ts";
import type { Options } from "../options/table.ts";
import type { Collection, JobLog, Source, UserCollections } from "../ports.ts";
import { SourceBehind } from "../source_behind.ts";
import { userNamespace } from "./selection.ts";
import { formatCount, formatNumberOf } from "./wording.ts";

/** The scope of a backup. Unless said otherwise, users and roles belong to whatever is a backup of the whole server. */
export function scopeOf(options: Pick<Options, "database" | "include" | "exclude" | "users">): Scope {
  const [databases, include, exclude] = [options.database, options.include, options.exclude].map((names) =>
    [...new Set(names)].sort()
  );
  const isWhole = databases!.includes("*") && include!.length === 0;
  const users = options.users === "auto" ? isWhole : options.users === "yes";
  return { databases: databases!, include: include!, exclude: exclude!, users };
}

/** Which namespaces belong to a scope, those that a server makes on its way to another one too. */
export function acceptsOf({ databases, include, exclude, users }: Scope): Accepts {
  const all = databases.includes("*");
  const chosen = new Set(databases);
  const filter = new NamespaceFilter(include, exclude);
  return (namespace) => {
    if (isUsersOwn(namespace)) return users;
    if (isServersOwn(namespace) || !(all || chosen.has(namespace.database))) return false;
    const { collection } = userNamespace(namespace);
    // A database's views are documents of one collection: each is asked about by itself.
    if (collection === "" || collection === "system.views" || isTemporary(collection)) return true;
    return filter.accepts(userNamespace(namespace));
  };
}

/** A server whose users and roles are not of interest, or that has none. */
export const noUsers: UserCollections = { collections: [], authSchema: null };

/** The databases of the server that the operator chose. */
function selectDatabases(present: readonly string[], wanted: readonly string[]): string[] {
  if (wanted.includes("*")) return [...present];
  const missing = wanted.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw new PluginError(
      "optionInvalid",
      `Cannot read ${missing.map((name) => `"${name}"`).join(", ")}: the server has no such database, only ` +
        (present.map((name) => `"${name}"`).join(", ") || "none"),
      { hint: "Correct database= in the FileSet's Plugin line." },
    );
  }
  return present.filter((name) => wanted.includes(name));
}

/** Databases of which something may belong to a scope, that of the users among them where there are some. */
export function narrowDatabases(
  names: readonly string[],
  { include, exclude }: Scope,
  { collections }: UserCollections,
): string[] {
  const filter = new NamespaceFilter(include, exclude);
  const home = collections.map(({ namespace }) => namespace.database);
  return [...new Set([...names.filter((name) => filter.mayAcceptOf(name)), ...home])].sort();
}

/** The scope's part of a source. */
export class ScopedSource extends SourceBehind {
  readonly #scope: Scope;
  readonly #accepts: Accepts;

  constructor(source: Source, scope: Scope) {
    super(source);
    this.#scope = scope;
    this.#accepts = acceptsOf(scope);
  }

  /** @throws PluginError `optionInvalid` where the server lacks one that was chosen by its name */
  override async listDatabases(): Promise<string[]> {
    const users = this.#scope.users ? await this.listUserCollections() : noUsers;
    const chosen = selectDatabases(await this.behind.listDatabases(), this.#scope.databases);
    return narrowDatabases(chosen, this.#scope, users);
  }

  override async listCollections(database: string): Promise<Collection[]> {
    const listed = await this.behind.listCollections(database);
    const wanted = listed.filter(({ namespace }) => this.#accepts(namespace));
    if (!this.#scope.users || database !== "admin") return wanted;
    const { collections } = await this.listUserCollections();
    return [...wanted, ...collections].sort((a, b) =>
      a.namespace.collection < b.namespace.collection ? -1 : 1
    );
  }
}

/** Says what isn't in a backup of a scope, or is for being said. */
export function logScope(scope: Scope, { collections }: UserCollections, log: JobLog): void {
  if (scope.include.length + scope.exclude.length > 0) log.info(`Scope: ${describeScope(scope)}`);
  const names = collections.map(({ namespace }) => formatNamespace(namespace)).join(", ");
  if (scope.users) log.info(`Users and roles: ${names || "the server has none"}`);
  if (!scope.databases.includes("*")) return;
  log.info(
    `Not included: ${
      scope.users ? "" : "users and roles (admin.system.*), and "
    }the databases config and local`,
  );
}

/** Says what of the oplog isn't in a slice since it is out of the scope. */
export function reportScope(slice: ManifestOplog, leftOut: number, scope: Scope, log: JobLog): void {
  const isWhole = scope.databases.includes("*") && scope.include.length + scope.exclude.length === 0;
  // A server's own writes are never anybody's, and would only make an operator ask.
  if (isWhole) return;
  const chosen = describeScope(scope);
  if (leftOut > 0) {
    log.info(`Left out ${formatCount(leftOut)} oplog entries of other collections than those of ${chosen}`);
  }
  if (slice.cutTransactions > 0) {
    log.warning(
      `${
        formatNumberOf(slice.cutTransactions, "transaction")
      } wrote to other collections than those of ${chosen} too: only the part in these was kept`,
    );
  }
}
