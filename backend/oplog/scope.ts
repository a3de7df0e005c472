/**
 * Which entries of the oplog belong to a job, and what of a transaction does.
 *
 * @module
 */

import {
  type BsonElement,
  bsonType,
  elements,
  findElement,
  joinElements,
  stringValue,
} from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import {
  formatNamespace,
  gatheringNamespaces,
  isSameNamespace,
  type Namespace,
  usersNamespaces,
  versionNamespace,
} from "../namespace.ts";
import { type OplogCommand, readCommand, touchedBy } from "./command.ts";
import { readEntry } from "./entry.ts";

/** Says whether a namespace is wanted; the collection is "" for a whole database. */
export type Accepts = (namespace: Namespace) => boolean;

/** Databases of a server's own, and all that is about its users and roles: no data of users. */
export function isServersOwn(namespace: Namespace): boolean {
  const { database, collection } = namespace;
  return database === "config" || database === "local" ||
    (database === "admin" && (collection.startsWith("system.") || isGathering(namespace)));
}

/** Whether it is where a server keeps users, roles, and the version of their form. */
export function isUsersOwn(namespace: Namespace): boolean {
  return isUsersOrRoles(namespace) || isSameNamespace(namespace, versionNamespace);
}

/** Whether it is where a server keeps users or roles: what a restore brings. */
export function isUsersOrRoles(namespace: Namespace): boolean {
  return Object.values(usersNamespaces).some((one) => isSameNamespace(one, namespace));
}

/** Whether it is where a restore gathers users or roles. */
export function isGathering(namespace: Namespace): boolean {
  return Object.values(gatheringNamespaces).some((one) => isSameNamespace(one, namespace));
}

/** Collections that a server makes on its way to another one: of $out, mapReduce, convertToCapped and renames between databases. */
export function isTemporary(collection: string): boolean {
  return /^tmp(\.agg_out\.|\.mr\.|\w{5}\.(convertToCapped|renameCollection)\b)/.test(collection);
}

/**
 * Refuses a rename over the border of a scope, also within an applyOps: a rename brings no documents.
 *
 * @throws PluginError `oplogUnreplayable`
 */
export function refuseCrossing(command: OplogCommand, accepts: Accepts): void {
  if (command.kind === "applyOps") {
    for (const { value } of elements(command.operations)) {
      const entry = readEntry(value);
      if (entry.op === "c") refuseCrossing(readCommand(entry), accepts);
    }
  }
  if (command.kind !== "rename") return;
  const [from, to] = [accepts(command.from), accepts(command.to)];
  // A temporary one is in the chain from its first document on, whatever it becomes.
  if (from === to || (from && isTemporary(command.from.collection))) return;
  const [name, newName] = [formatNamespace(command.from), formatNamespace(command.to)];
  throw new PluginError(
    "oplogUnreplayable",
    `Cannot continue over the renaming of ${name} to ${newName}: it leads ${
      from ? "out of" : "into"
    } what database=, include= and exclude= choose, ${
      from ? "and a chain can't follow it there" : "and its documents aren't in the chain"
    }`,
    { hint: "Run a Full now that it is over, and rename within what is chosen, or choose both names." },
  );
}

/** The operations of an applyOps that are wanted. */
export interface ScopedOperations {
  /** The raw array of those that are, the very same where all are. */
  readonly array: Uint8Array;
  readonly kept: number;
  readonly left: number;
  /** What is touched by those that are kept, with the bytes of each. */
  readonly touched: readonly { readonly namespace: Namespace; readonly bytes: number }[];
}

/** Picks the wanted ones among the operations of an applyOps, those of one within it too. */
export function scopeOperations(operations: Uint8Array, accepts: Accepts): ScopedOperations {
  const kept: BsonElement[] = [];
  const touched: { namespace: Namespace; bytes: number }[] = [];
  let left = 0;
  for (const element of elements(operations)) {
    const inner = touchedByOperation(element.value);
    const wanted = inner.filter((namespace) => accepts(namespace));
    if (wanted.length === 0 && inner.length > 0) {
      left++;
      continue;
    }
    kept.push({ ...element, key: String(kept.length) });
    for (const namespace of wanted) touched.push({ namespace, bytes: element.value.length });
  }
  return { array: left === 0 ? operations : joinElements(kept), kept: kept.length, left, touched };
}

/** Namespaces of one operation of an applyOps. */
function touchedByOperation(bytes: Uint8Array): readonly Namespace[] {
  const entry = readEntry(bytes);
  if (entry.op === "n") return [];
  if (entry.op !== "c") return [entry.namespace];
  return touchedByCommand(readCommand(entry));
}

/** Namespaces that a command touches, an applyOps by its operations. */
export function touchedByCommand(command: OplogCommand): readonly Namespace[] {
  if (command.kind !== "applyOps") return touchedBy(command);
  return [...elements(command.operations)].flatMap(({ value }) => touchedByOperation(value));
}

/** An applyOps entry with other operations, everything else of it as it was. */
export function replaceOperations(entry: Uint8Array, operations: Uint8Array): Uint8Array {
  const replaced = [...elements(entry)].map((field) => {
    if (field.key !== "o") return field;
    const object = [...elements(field.value)].map((one) =>
      one.key === "applyOps" ? { key: one.key, type: bsonType.array, value: operations } : one
    );
    return { ...field, value: joinElements(object) };
  });
  return joinElements(replaced);
}

const yes = { key: "b", type: bsonType.boolean, value: Uint8Array.of(1) };

/**
 * The operations of an applyOps that a user ran. Up to 6.0, servers made a document of an update whose own wasn't there; here each update says so by
 * itself.
 */
export function withUpserts(operations: Uint8Array): Uint8Array {
  const all = [...elements(operations)];
  const isUpdate = ({ value }: BsonElement) => {
    const op = findElement(value, "op");
    return op?.type === bsonType.string && stringValue(op.value) === "u" &&
      findElement(value, "b") === undefined;
  };
  if (!all.some(isUpdate)) return operations;
  return joinElements(
    all.map((one) => isUpdate(one) ? { ...one, value: joinElements([...elements(one.value), yes]) } : one),
  );
}
