/**
 * A target that remembers what a restore gave it, to be compared with what is there afterwards.
 *
 * @module
 */

import { DocumentSum } from "../../wasm/document_sum.ts";
import { indexName } from "../bson/collection_metadata.ts";
import { bsonType, elements, findElement, stringValue } from "../bson/document.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { OplogTarget, ReplayTarget, RestoredCollection, Target } from "../ports.ts";

/** What a restore gave of one collection before the oplog. */
export interface GivenCollection {
  readonly collection: RestoredCollection;
  readonly sum: DocumentSum;
}

/** Hands everything on to the target behind it. */
export class Witness implements Target {
  readonly given = new Map<string, GivenCollection>();
  /** Names of the indexes that were built, by namespace. */
  readonly built = new Map<string, Set<string>>();
  readonly oplog: OplogTarget;
  /** They are of the server that they are merged into. */
  readonly users = null;
  readonly #target: Target;
  /** Namespaces that the oplog touched; those of databases that it touched as a whole have no collection. */
  readonly #touched = new Set<string>();

  constructor(target: Target) {
    this.#target = target;
    this.oplog = target.oplog.kind === "server"
      ? { kind: "server", replay: this.#follow(target.oplog.replay) }
      : target.oplog;
  }

  get description(): string {
    return this.#target.description;
  }

  /** Whether the oplog did anything to a collection, its documents or its catalog. */
  isTouched({ namespace, data }: Pick<RestoredCollection, "namespace" | "data">): boolean {
    return this.#touched.has(namespace.database) || this.#touched.has(formatNamespace(namespace)) ||
      (data !== null && this.#touched.has(formatNamespace(data)));
  }

  inOrder(collection: RestoredCollection): boolean {
    return this.#target.inOrder(collection);
  }

  check(collections: readonly RestoredCollection[]): Promise<void> {
    return this.#target.check(collections);
  }

  findOccupied(collections: readonly RestoredCollection[]): Promise<Namespace[]> {
    return this.#target.findOccupied(collections);
  }

  drop(collection: RestoredCollection): Promise<void> {
    return this.#target.drop(collection);
  }

  create(collection: RestoredCollection): Promise<void> {
    this.given.set(formatNamespace(collection.namespace), { collection, sum: new DocumentSum() });
    return this.#target.create(collection);
  }

  write(collection: RestoredCollection, documents: Uint8Array): Promise<void> {
    this.given.get(formatNamespace(collection.namespace))?.sum.addPacked(documents);
    return this.#target.write(collection, documents);
  }

  finish(collection: RestoredCollection): Promise<void> {
    return this.#target.finish(collection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #follow(replay: ReplayTarget): ReplayTarget {
    return {
      deletesFromCapped: replay.deletesFromCapped,
      updates: replay.updates,
      settle: () => replay.settle(),
      applyOperations: (operations, lenient) => {
        for (const { value } of elements(operations)) {
          this.#touched.add(stringValue(findElement(value, "ns")!.value));
        }
        return replay.applyOperations(operations, lenient);
      },
      runCommand: (database, command) => {
        const [first] = elements(command);
        this.#touched.add(
          first?.type === bsonType.string ? `${database}.${stringValue(first.value)}` : database,
        );
        return replay.runCommand(database, command);
      },
      dropCollection: (namespace) => {
        this.#touched.add(formatNamespace(namespace));
        return replay.dropCollection(namespace);
      },
      renameCollection: (from, to, dropTarget) => {
        for (const namespace of [from, to]) this.#touched.add(formatNamespace(namespace));
        return replay.renameCollection(from, to, dropTarget);
      },
      buildIndexes: (namespace, indexes, isCollated) => {
        this.built.set(formatNamespace(namespace), new Set(indexes.map(indexName)));
        return replay.buildIndexes(namespace, indexes, isCollated);
      },
    };
  }
}
