/**
 * Users and roles in a restore: whether they are wanted, and what is said of them.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { OpenedManifest } from "../manifest/reader.ts";
import type { Scope } from "../manifest/scope.ts";
import { gatheringNamespaces, isSameNamespace, type Namespace, usersNamespaces } from "../namespace.ts";
import { isUsersOrRoles } from "../oplog/scope.ts";
import type { Options } from "../options/table.ts";
import type { JobLog, MergedUsers } from "../ports.ts";
import { formatNumberOf } from "./wording.ts";

/** What decides whether users and roles are restored. */
export interface UsersQuestion {
  readonly options: Pick<Options, "users" | "include" | "exclude" | "ns_from">;
  readonly scope: Scope;
  /** Whether files of theirs are among the selected ones; null where the Full has none. */
  readonly isSelected: boolean | null;
  /** Whether all of the data is. */
  readonly isWhole: boolean;
}

/**
 * Whether users and roles are restored. Unless the operator says so, what is selected comes back, and nothing with a restore of some collections.
 *
 * @throws PluginError `restoreRequest` when they are asked for and aren't in the backup
 */
export function wantsUsers({ options, scope, isSelected, isWhole }: UsersQuestion): boolean {
  if (options.users === "no") return false;
  if (options.users === "yes" && !scope.users) {
    throw new PluginError(
      "restoreRequest",
      "Cannot restore users and roles: the backup was made without them",
      { hint: "Leave users= out, or restore a backup that was made with users=yes." },
    );
  }
  if (options.users === "yes" || !scope.users) return scope.users;
  const isPart = options.include.length + options.exclude.length + options.ns_from.length > 0;
  return !isPart && (isSelected ?? isWhole);
}

/** Whether jobs have any users or roles, or changes of some. */
export function haveUsers(jobs: readonly OpenedManifest[]): boolean {
  return jobs.some(({ manifest: { databases, oplog } }) =>
    databases.some(({ name, collections }) =>
      collections.some((one) => isUsersOrRoles({ database: name, collection: one.name }))
    ) || (oplog?.namespaces ?? []).some(isUsersOrRoles)
  );
}

/** Databases whose users and roles a Full has, as their metadata says; null where it has those of all. */
export function usersDatabases({ manifest: { databases } }: OpenedManifest): readonly string[] | null {
  for (const { name, collections } of databases) {
    for (const one of collections) {
      if (!isUsersOrRoles({ database: name, collection: one.name })) continue;
      const { usersOf } = JSON.parse(one.metadata);
      if (Array.isArray(usersOf)) return usersOf.map(String);
    }
  }
  return null;
}

/** Where users or roles are gathered in a server before it takes them; any other namespace stays. */
export function gatheringOf(namespace: Namespace): Namespace {
  const keys = ["users", "roles"] as const;
  const key = keys.find((one) => isSameNamespace(usersNamespaces[one], namespace));
  return key === undefined ? namespace : gatheringNamespaces[key];
}

/** Says what became of users and roles. */
export function logMerged({ users, roles, kept, own, removed }: MergedUsers, log: JobLog): void {
  if (users + roles + kept.length + own.length + removed.length === 0) return;
  log.info(`Restored ${formatNumberOf(users, "user")} and ${formatNumberOf(roles, "role")} of the server`);
  if (own.length > 0) {
    log.info(`Left as they are, since the restore itself is logged in with them: ${listed(own)}`);
  }
  if (kept.length > 0) {
    log.warning(`There already and left as they are: ${listed(kept)}; drop=yes would replace them`);
  }
  if (removed.length > 0) {
    log.warning(`drop=yes: removed the users ${listed(removed)}, which the backup doesn't have`);
  }
}

function listed(names: readonly string[]): string {
  return names.slice(0, 20).join(", ") + (names.length > 20 ? ` and ${names.length - 20} more` : "");
}
