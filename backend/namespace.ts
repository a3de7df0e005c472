/** A collection's full name. */
export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/** `database.collection`: unambiguous, since a database's name never has a dot. */
export function formatNamespace({ database, collection }: Namespace): string {
  return `${database}.${collection}`;
}

/** The namespace of its full name: the database ends at the first dot. */
export function parseNamespace(name: string): Namespace {
  const dot = name.indexOf(".");
  return dot < 0
    ? { database: name, collection: "" }
    : { database: name.slice(0, dot), collection: name.slice(dot + 1) };
}

/** Where a server keeps its users and roles. */
export const usersNamespaces = {
  users: { database: "admin", collection: "system.users" },
  roles: { database: "admin", collection: "system.roles" },
} as const satisfies Record<string, Namespace>;

/** Where a restore gathers them, until the server takes them for its own. */
export const gatheringNamespaces = {
  users: { database: "admin", collection: "podheitor_mongodb_users" },
  roles: { database: "admin", collection: "podheitor_mongodb_roles" },
} as const satisfies Record<keyof typeof usersNamespaces, Namespace>;

/** Where a server keeps the version of the form of users' records, among others. */
export const versionNamespace: Namespace = { database: "admin", collection: "system.version" };

/** Whether two namespaces are the same. */
export function isSameNamespace(a: Namespace, b: Namespace): boolean {
  return a.database === b.database && a.collection === b.collection;
}

/** Whether a database may have this name on any server: no dot, no slash and no dollar, so that it also is a plain folder's. */
export function isPlainDatabase(name: string): boolean {
  return /^[^/\\. "$\0]+$/.test(name);
}
