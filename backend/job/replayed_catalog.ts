/**
 * The collections of a restore while the oplog is replayed: which are wanted, under which name, which are there, and which indexes they will have.
 *
 * @module
 */

import type { CollectionMetadata } from "../bson/collection_metadata.ts";
import { type BsonElement, elements, findElement, joinElements, stringElement } from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { OplogCommand } from "../oplog/command.ts";
import { isTruthy, type OplogEntry } from "../oplog/entry.ts";
import { IndexCatalog } from "../oplog/index_catalog.ts";
import { isServersOwn, isTemporary, isUsersOrRoles } from "../oplog/scope.ts";
import type { ReplayTarget } from "../ports.ts";
import {
  bucketPrefix,
  mapNamespace,
  mapViewRecord,
  type Selection,
  userNamespace,
  viewNamespace,
} from "./selection.ts";

/** What `create` says that nobody may ask a server for, or that newer ones refuse. */
const internal: ReadonlySet<string> = new Set(["autoIndexId", "idIndex", "recordIdsReplicated", "temp"]);

/** What of the `create` of buckets makes their time series; the rest follows from it. */
const timeSeriesOptions: ReadonlySet<string> = new Set([
  "create",
  "timeseries",
  "expireAfterSeconds",
  "collation",
  "storageEngine",
]);

/** Follows the commands of an oplog. Its own namespaces are those of the source; the indexes are kept under the target's. */
export class ReplayedCatalog {
  readonly indexes = new IndexCatalog();
  readonly #selection: Selection;
  readonly #databases: ReadonlySet<string>;
  /** Collections that are there by their names in the backup, and whether each is capped. */
  readonly #present = new Map<string, { readonly isCapped: boolean }>();
  readonly #views = new Map<string, Namespace>();

  /** @param databases those that anything is restored of, by their names in the backup */
  constructor(selection: Selection, databases: ReadonlySet<string>) {
    this.#selection = selection;
    this.#databases = databases;
  }

  /** A view that the Full brought. */
  addView(view: Namespace): void {
    this.#views.set(formatNamespace(view), view);
  }

  /** A collection that the Full brought, with its indexes but for the one on `_id`. */
  add(namespace: Namespace, isTimeSeries: boolean, metadata: CollectionMetadata): void {
    const { database, collection } = namespace;
    const { isCapped, indexes, isCollated } = metadata;
    const data = isTimeSeries ? { database, collection: `${bucketPrefix}${collection}` } : namespace;
    this.#present.set(formatNamespace(data), { isCapped });
    this.indexes.set(this.#selection.map(namespace), indexes, isCollated);
  }

  /** Whether a collection is capped. */
  isCapped(namespace: Namespace): boolean {
    return this.#present.get(formatNamespace(namespace))?.isCapped === true;
  }

  /** Where operations on a wanted namespace go; null where it isn't there. */
  targetOf(namespace: Namespace): Namespace | null {
    return this.#present.has(formatNamespace(namespace)) ? this.#map(namespace) : null;
  }

  /** Does what a command did; resolves to the namespaces whose operations go elsewhere from now on. */
  async follow(
    command: OplogCommand,
    entry: OplogEntry,
    target: ReplayTarget,
    isFuzzy: boolean,
  ): Promise<readonly Namespace[]> {
    switch (command.kind) {
      case "create":
        return await this.#create(command.namespace, command.isCollated, entry, target);
      case "drop":
        return await this.#drop(command.namespace, target);
      case "dropDatabase":
        // Each of its collections was dropped before, by an entry of its own.
        return [];
      case "rename":
        return await this.#rename(command, target, isFuzzy);
      case "collMod":
        await this.#modify(command, target, isFuzzy);
        return [];
      case "addIndexes":
        this.#addIndexes(command.namespace, command.indexes);
        return [];
      case "abortIndexes":
        this.#forIndexes(command.namespace, (name) => this.indexes.abort(name, command.indexes));
        return [];
      case "dropIndexes":
        this.#forIndexes(
          command.namespace,
          (name, isOnly) => this.indexes.drop(name, command.which, isFuzzy || !isOnly),
        );
        return [];
      case "other":
        if (this.#isPresent(command.namespace)) {
          await this.#run(command.namespace, [...elements(entry.object)], target);
        }
        return [];
      default:
        return [];
    }
  }

  async #create(
    namespace: Namespace,
    isCollated: boolean,
    entry: OplogEntry,
    target: ReplayTarget,
  ): Promise<readonly Namespace[]> {
    // A server makes the collection of its views by itself.
    if (!this.accepts(namespace) || namespace.collection === "system.views") return [];
    // One that is there came out of the same Full, later than this entry: everything that belongs into it is still to come.
    await target.dropCollection(this.#userTarget(namespace));
    const isBuckets = namespace.collection.startsWith(bucketPrefix);
    const options = [...elements(entry.object)].filter(({ key }) =>
      isBuckets ? timeSeriesOptions.has(key) : !internal.has(key)
    );
    await this.#run(namespace, options, target);
    this.#present.set(formatNamespace(namespace), {
      isCapped: isTruthy(findElement(entry.object, "capped")),
    });
    for (const name of this.#aliases(namespace)) this.indexes.create(this.#map(name), isCollated);
    return [namespace];
  }

  async #drop(namespace: Namespace, target: ReplayTarget): Promise<readonly Namespace[]> {
    if (!this.accepts(namespace)) return [];
    if (namespace.collection === "system.views") return await this.#dropViews(namespace.database, target);
    await target.dropCollection(this.#userTarget(namespace));
    this.#present.delete(formatNamespace(namespace));
    for (const name of this.#aliases(namespace)) this.indexes.forget(this.#map(name));
    return [namespace];
  }

  /** All views of a database are gone: those that were restored, the target may have others. */
  async #dropViews(database: string, target: ReplayTarget): Promise<readonly Namespace[]> {
    for (const view of [...this.#views.values()].filter((one) => one.database === database)) {
      await target.dropCollection(this.#map(view));
      this.#views.delete(formatNamespace(view));
    }
    return [];
  }

  /** Does what a change of a record in `system.views` did. The record of a time series follows from its buckets. */
  async followView(entry: OplogEntry, target: ReplayTarget): Promise<void> {
    const view = viewNamespace(entry.object2?.value ?? entry.object);
    if (view === null || !this.#selection.accepts(view)) return;
    if (this.#present.has(formatNamespace({ ...view, collection: `${bucketPrefix}${view.collection}` }))) {
      return;
    }
    await target.dropCollection(this.#map(view));
    this.#views.delete(formatNamespace(view));
    if (entry.op === "d") return;
    const record = [...elements(mapViewRecord(entry.object, this.#selection))].filter(({ key }) =>
      key !== "_id"
    );
    if (!record.some(({ key }) => key === "viewOn")) throw unknownChange(view);
    await this.#run(view, [stringElement("create", ""), ...record], target);
    this.#views.set(formatNamespace(view), view);
  }

  async #rename(
    { from, to, dropTarget }: OplogCommand & { kind: "rename" },
    target: ReplayTarget,
    isFuzzy: boolean,
  ): Promise<readonly Namespace[]> {
    const [takesFrom, takesTo] = [this.accepts(from), this.accepts(to)];
    if (!takesFrom && !takesTo) return [];
    // It was to become something that isn't wanted.
    if (!takesTo && isTemporary(from.collection)) return await this.#drop(from, target);
    const [newFrom, newTo] = [this.#map(from), this.#map(to)];
    const moved = this.#present.get(formatNamespace(from));
    if (
      takesFrom !== takesTo || newFrom.database !== newTo.database || moved === undefined
    ) {
      throw new PluginError(
        "oplogUnreplayable",
        `Cannot replay the renaming of ${formatNamespace(from)} to ${
          formatNamespace(to)
        }: it leads in or out of what is restored`,
        { hint: "Include both collections, or restore to an instant before it." },
      );
    }
    // What is there came out of the same Full, later than this entry.
    await target.renameCollection(newFrom, newTo, dropTarget || isFuzzy);
    this.#present.delete(formatNamespace(from));
    this.#present.set(formatNamespace(to), moved);
    this.indexes.rename(newFrom, newTo);
    return [from, to];
  }

  async #modify(
    { namespace, index, rest }: OplogCommand & { kind: "collMod" },
    target: ReplayTarget,
    isFuzzy: boolean,
  ): Promise<void> {
    if (!this.accepts(namespace)) return;
    if (!this.#isPresent(namespace)) {
      if (isFuzzy) return;
      throw new PluginError(
        "oplogUnreplayable",
        `Cannot replay collMod on ${formatNamespace(namespace)}: the chain never made that collection`,
        { hint: "Restore to an instant before it, and report this." },
      );
    }
    if (index !== null) {
      this.#forIndexes(namespace, (name, isOnly) => this.indexes.modify(name, index, isFuzzy || !isOnly));
    }
    if (rest !== null) await this.#run(namespace, [...elements(rest)], target);
  }

  #isPresent(namespace: Namespace): boolean {
    return this.accepts(namespace) && this.#present.has(formatNamespace(namespace));
  }

  /** Under the name that the oplog has for the collection, and no other. */
  #addIndexes(namespace: Namespace, indexes: readonly Uint8Array[]): void {
    if (!this.accepts(namespace)) return;
    this.#forIndexes(namespace, (name) => this.indexes.abort(name, indexes));
    for (const index of indexes) this.indexes.add(this.#map(namespace), index);
  }

  /** Calls for each name under which a collection's indexes may be known. */
  #forIndexes(namespace: Namespace, work: (name: Namespace, isOnly: boolean) => void): void {
    if (!this.accepts(namespace)) return;
    const names = this.#aliases(namespace);
    for (const name of names) work(this.#map(name), names.length === 1);
  }

  /** A time series' indexes are known by its own name from the Full, by its buckets' from the oplog. */
  #aliases(namespace: Namespace): Namespace[] {
    const own = userNamespace(namespace);
    return own.collection === namespace.collection ? [namespace] : [namespace, own];
  }

  /** Runs a command whose first element names its collection, on the one that stands for it in the target. */
  async #run(
    namespace: Namespace,
    [first, ...rest]: readonly BsonElement[],
    target: ReplayTarget,
  ): Promise<void> {
    const { database, collection } = this.#userTarget(namespace);
    await target.runCommand(database, joinElements([stringElement(first!.key, collection), ...rest]));
  }

  /** A collection in the target as its users know it: commands on buckets go to their time series. */
  #userTarget(namespace: Namespace): Namespace {
    return this.#map(userNamespace(namespace));
  }

  /** Whether operations on a namespace are wanted. */
  accepts(namespace: Namespace): boolean {
    if (isServersOwn(namespace)) return isUsersOrRoles(namespace) && this.#selection.accepts(namespace);
    // A database's views are documents of one collection: each is asked about by itself.
    if (namespace.collection === "system.views") return true;
    if (this.#selection.accepts(userNamespace(namespace))) return true;
    // What is wanted may come to be by being renamed from there.
    return isTemporary(namespace.collection) && this.#databases.has(namespace.database);
  }

  #map(namespace: Namespace): Namespace {
    return mapNamespace(namespace, this.#selection);
  }
}

function unknownChange(view: Namespace): PluginError {
  return new PluginError(
    "oplogUnreplayable",
    `Cannot replay a change of the view ${formatNamespace(view)}: it doesn't say what the view is now`,
    {
      hint:
        "The backup is of a newer server than this version of the plugin knows: update the plugin, or leave the view out with exclude=.",
    },
  );
}
