/**
 * The indexes that a restore has to build at its end: those of the Full, then whatever the oplog made of them. Specifications stay raw.
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
import { indexName } from "../bson/collection_metadata.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace, parseNamespace } from "../namespace.ts";
import { isTruthy } from "./entry.ts";

interface CollectionEntry {
  readonly isCollated: boolean;
  /** By name, in the order in which they were made. */
  readonly indexes: Map<string, Uint8Array>;
}

/** What is to be built for one collection. */
export interface CatalogEntry {
  readonly namespace: Namespace;
  readonly isCollated: boolean;
  readonly indexes: readonly Uint8Array[];
}

/** Members of a collMod's `index` that say which one is meant. */
const selectors: ReadonlySet<string> = new Set(["name", "keyPattern"]);

/** Members that are taken over where they say yes, and removed from the index where they say no. */
const switches: ReadonlySet<string> = new Set(["hidden", "prepareUnique"]);

/** Members that end a conversion; a server never logs one that says no. */
const conversions: ReadonlySet<string> = new Set(["unique", "forceNonUnique"]);

/** Follows the indexes of all collections of a restore. */
export class IndexCatalog {
  readonly #collections = new Map<string, CollectionEntry>();

  /** A collection's indexes as listIndexes gave them, without the one on `_id`. */
  set(namespace: Namespace, indexes: readonly Uint8Array[], isCollated: boolean): void {
    this.create(namespace, isCollated);
    for (const index of indexes) this.add(namespace, index);
  }

  /**
   * Adds an index behind the others, or puts it in the place of the one of its name.
   *
   * @throws PluginError `oplogUnreplayable` for one without a name, which would take another one's place
   */
  add(namespace: Namespace, index: Uint8Array): void {
    const name = indexName(index);
    if (name === "") throw namelessIndex(namespace);
    if (name !== "_id_") this.#entry(namespace).indexes.set(name, index);
  }

  /**
   * Follows dropIndexes: `which` is a name, `*`, a list of names or a key pattern.
   *
   * @param lenient whether an index that isn't known is nothing
   * @throws PluginError `oplogUnreplayable` for one that isn't known otherwise
   */
  drop(namespace: Namespace, which: BsonElement, lenient: boolean): void {
    const indexes = this.#indexes(namespace);
    if (textOf(which) === "*") return indexes.clear();
    const names = which.type === bsonType.array
      ? [...elements(which.value)].map(textOf)
      : [which.type === bsonType.document ? nameOf(indexes, which.value) : textOf(which)];
    for (const name of names) {
      if ((name === undefined || !indexes.delete(name)) && !lenient) throw unknownIndex(namespace, name);
    }
  }

  /** Forgets the indexes of a build that was given up, known or not. */
  abort(namespace: Namespace, indexes: readonly Uint8Array[]): void {
    const known = this.#indexes(namespace);
    for (const index of indexes) known.delete(indexName(index));
  }

  /**
   * Follows the `index` of a collMod.
   *
   * @param lenient whether an index that isn't known is nothing
   * @throws PluginError `oplogUnreplayable` for one that isn't known otherwise, and for a change that isn't known ever
   */
  modify(namespace: Namespace, change: Uint8Array, lenient: boolean): void {
    refuseUnknownChange(namespace, change);
    const indexes = this.#indexes(namespace);
    const pattern = findElement(change, "keyPattern");
    const name = textOf(findElement(change, "name")) ??
      (pattern?.type === bsonType.document ? nameOf(indexes, pattern.value) : undefined);
    const index = name === undefined ? undefined : indexes.get(name);
    if (name === undefined || index === undefined) {
      if (lenient) return;
      throw unknownIndex(namespace, name);
    }
    indexes.set(name, changed(index, change));
  }

  /** A collection was made: it has no indexes yet. */
  create(namespace: Namespace, isCollated: boolean): void {
    this.#collections.set(formatNamespace(namespace), { isCollated, indexes: new Map() });
  }

  /** A collection was dropped. */
  forget(namespace: Namespace): void {
    this.#collections.delete(formatNamespace(namespace));
  }

  /** A collection has another name now; what had that one is gone. */
  rename(from: Namespace, to: Namespace): void {
    const entry = this.#entry(from);
    this.forget(from);
    this.#collections.set(formatNamespace(to), entry);
  }

  /** Every collection that has indexes to build, sorted by name. */
  *entries(): Generator<CatalogEntry> {
    for (
      const [name, { isCollated, indexes }] of [...this.#collections].sort(([a], [b]) => (a < b ? -1 : 1))
    ) {
      if (indexes.size > 0) {
        yield {
          namespace: parseNamespace(name),
          isCollated,
          indexes: [...indexes.values()],
        };
      }
    }
  }

  #entry(namespace: Namespace): CollectionEntry {
    const name = formatNamespace(namespace);
    let entry = this.#collections.get(name);
    if (entry === undefined) {
      entry = { isCollated: false, indexes: new Map() };
      this.#collections.set(name, entry);
    }
    return entry;
  }

  /** To look at, or to remove from: what isn't known doesn't become so. */
  #indexes(namespace: Namespace): Map<string, Uint8Array> {
    return this.#collections.get(formatNamespace(namespace))?.indexes ?? new Map();
  }
}

function textOf(element: BsonElement | undefined): string | undefined {
  return element?.type === bsonType.string ? stringValue(element.value) : undefined;
}

function nameOf(indexes: ReadonlyMap<string, Uint8Array>, pattern: Uint8Array): string | undefined {
  for (const [name, index] of indexes) {
    const key = findElement(index, "key");
    if (key !== undefined && samePattern(key.value, pattern)) return name;
  }
  return undefined;
}

/** Also where the index isn't known: what such a change means to others can't be told. */
function refuseUnknownChange(namespace: Namespace, change: Uint8Array): void {
  for (const { key } of elements(change)) {
    const isKnown = selectors.has(key) || switches.has(key) || conversions.has(key) ||
      key === "expireAfterSeconds";
    if (isKnown) continue;
    throw new PluginError(
      "oplogUnreplayable",
      `Cannot replay a collMod on an index of ${
        formatNamespace(namespace)
      }: it changes "${key}", which isn't known`,
      { hint: "The backup is of a newer server than this version of the plugin knows: update the plugin." },
    );
  }
}

function changed(index: Uint8Array, change: Uint8Array): Uint8Array {
  const fields = new Map([...elements(index)].map((element) => [element.key, element]));
  for (const element of elements(change)) {
    const { key } = element;
    if (key === "expireAfterSeconds" || (switches.has(key) && isTruthy(element))) fields.set(key, element);
    else if (switches.has(key)) fields.delete(key);
  }
  // After the switches, wherever it stands: an index that is unique isn't prepared for that any more.
  const unique = findElement(change, "unique");
  if (unique !== undefined && isTruthy(unique)) {
    fields.set("unique", unique);
    fields.delete("prepareUnique");
  }
  if (isTruthy(findElement(change, "forceNonUnique"))) fields.delete("unique");
  return joinElements(fields.values());
}

/** The oplog may have a direction as another kind of number than listIndexes has. */
function samePattern(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [[...elements(a)], [...elements(b)]];
  return left.length === right.length &&
    left.every((one, at) => one.key === right[at]!.key && sameDirection(one, right[at]!));
}

function sameDirection(a: BsonElement, b: BsonElement): boolean {
  if (a.type === b.type && a.value.toHex() === b.value.toHex()) return true;
  const [left, right] = [numberOf(a), numberOf(b)];
  return left !== null && left === right;
}

function numberOf({ type, value }: BsonElement): number | null {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (type === bsonType.int32) return view.getInt32(0, true);
  if (type === bsonType.int64) return Number(view.getBigInt64(0, true));
  return type === bsonType.double ? view.getFloat64(0, true) : null;
}

function namelessIndex(namespace: Namespace): PluginError {
  return new PluginError(
    "oplogUnreplayable",
    `Cannot keep an index of ${formatNamespace(namespace)}: it has no name, wanted one`,
    {
      hint:
        "Report this: servers name every index. Leave the collection out with exclude= to restore the others.",
    },
  );
}

function unknownIndex(namespace: Namespace, name: string | undefined): PluginError {
  return new PluginError(
    "oplogUnreplayable",
    `Cannot replay a change of the index ${name ?? "with a given key"} of ${
      formatNamespace(namespace)
    }: there is no such index`,
    { hint: "Restore to an instant before it, and report this: a chain should have brought that index." },
  );
}
