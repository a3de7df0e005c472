/**
 * A target that remembers what should be there after a restore, to be compared with what is there.
 *
 * @module
 */

import { bsonType, elements, findElement, stringValue } from "../bson/document.ts";
import { formatNamespace, type Namespace, parseNamespace } from "../namespace.ts";
import { isTruthy, readEntry } from "../oplog/entry.ts";
import type { OplogTarget, ReplayTarget, RestoredCollection, Target } from "../ports.ts";
import type { DocumentOperation, FindDocuments } from "./document_account.ts";
import { type Expectation, expectGiven, expectMade } from "./expectation.ts";
import { bucketPrefix, userNamespace } from "./selection.ts";

/** Hands everything on to the target behind it. */
export class Witness implements Target {
  /** By the names that users know: a time series' is its own, not that of its buckets. */
  readonly expected = new Map<string, Expectation>();
  readonly oplog: OplogTarget;
  /** They are of the server that they are merged into. */
  readonly users = null;
  readonly #target: Target;
  readonly #find: FindDocuments;

  /** @param find looks documents up on the server behind the target */
  constructor(target: Target, find: FindDocuments) {
    this.#target = target;
    this.#find = find;
    this.oplog = target.oplog.kind === "server"
      ? { kind: "server", replay: this.#follow(target.oplog.replay) }
      : target.oplog;
  }

  get description(): string {
    return this.#target.description;
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
    this.expected.set(formatNamespace(collection.namespace), expectGiven(collection));
    return this.#target.create(collection);
  }

  write(collection: RestoredCollection, documents: Uint8Array): Promise<void> {
    this.expected.get(formatNamespace(collection.namespace))?.account.add(documents);
    return this.#target.write(collection, documents);
  }

  finish(collection: RestoredCollection): Promise<void> {
    return this.#target.finish(collection);
  }

  /** Gives back what the accounts hold; a witness whose target was disposed of still has them. */
  forget(): void {
    for (const { account } of this.expected.values()) account[Symbol.dispose]();
    this.expected.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  #follow(replay: ReplayTarget): ReplayTarget {
    return {
      deletesFromCapped: replay.deletesFromCapped,
      updates: replay.updates,
      settle: () => replay.settle(),
      applyOperations: async (operations, lenient) => {
        for (const [name, ofOne] of sortOperations(operations)) {
          const data = parseNamespace(name);
          await this.#of(data)?.account.follow(data, ofOne, this.#find);
        }
        return await replay.applyOperations(operations, lenient);
      },
      runCommand: async (database, command) => {
        await replay.runCommand(database, command);
        this.#noteCommand(database, command);
      },
      dropCollection: async (namespace) => {
        await replay.dropCollection(namespace);
        this.#forget(namespace);
      },
      renameCollection: async (from, to, dropTarget) => {
        await replay.renameCollection(from, to, dropTarget);
        const moved = this.#of(from);
        if (moved === undefined) return;
        this.#forget(to);
        this.expected.delete(nameOf(from));
        this.expected.set(nameOf(to), moved);
      },
      buildIndexes: (namespace, indexes, isCollated) => {
        const expectation = this.#of(namespace);
        if (expectation !== undefined) {
          const isOnBuckets = namespace.collection.startsWith(bucketPrefix);
          expectation[isOnBuckets ? "bucketIndexes" : "indexes"] = indexes;
        }
        return replay.buildIndexes(namespace, indexes, isCollated);
      },
    };
  }

  #noteCommand(database: string, command: Uint8Array): void {
    const fields = [...elements(command)];
    const [first] = fields;
    if (first?.type !== bsonType.string) return;
    const namespace = { database, collection: stringValue(first.value) };
    if (first.key === "create") {
      this.#forget(namespace);
      this.expected.set(nameOf(namespace), expectMade(fields));
      return;
    }
    const expectation = this.#of(namespace);
    if (expectation === undefined) return;
    expectation.options = null;
    if (first.key !== "collMod") expectation.account.gap = `the oplog has ${first.key} of it`;
  }

  #of(namespace: Namespace): Expectation | undefined {
    return this.expected.get(nameOf(namespace));
  }

  #forget(namespace: Namespace): void {
    this.#of(namespace)?.account[Symbol.dispose]();
    this.expected.delete(nameOf(namespace));
  }
}

function nameOf(namespace: Namespace): string {
  return formatNamespace(userNamespace(namespace));
}

/** The operations of an applyOps by the collections that they are on. */
function sortOperations(operations: Uint8Array): Map<string, DocumentOperation[]> {
  const sorted = new Map<string, DocumentOperation[]>();
  for (const { value } of elements(operations)) {
    const { op, namespace, object, object2 } = readEntry(value);
    const operation = { op, object, object2, upserts: isTruthy(findElement(value, "b")) };
    const name = formatNamespace(namespace);
    const known = sorted.get(name);
    if (known === undefined) sorted.set(name, [operation]);
    else known.push(operation);
  }
  return sorted;
}
