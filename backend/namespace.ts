/** A collection's full name. */
export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/** `database.collection`: unambiguous, since a database's name never has a dot. */
export function formatNamespace({ database, collection }: Namespace): string {
  return `${database}.${collection}`;
}
