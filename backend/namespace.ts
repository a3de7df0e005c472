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

/** Whether a database may have this name on any server: no dot, no slash and no dollar, so that it also is a plain folder's. */
export function isPlainDatabase(name: string): boolean {
  return /^[^/\\. "$\0]+$/.test(name);
}
