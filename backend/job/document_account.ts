/**
 * An account of a collection's documents: what a restore put into it, and what the oplog made of that, told by the entries themselves. No document is kept.
 *
 * Before a batch of operations is applied, the documents that it is about are looked up and booked out, and what the operations should make of them is booked
 * in. So a server that made something else of them, then or ever, leaves a difference: also where the next batch takes that something out again.
 *
 * @module
 */

import { DocumentSum } from "../../wasm/document_sum.ts";
import { type BsonElement, bsonType, elements, findElement, joinElements } from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import type { Namespace } from "../namespace.ts";
import { updatedDocument } from "../oplog/update.ts";

/** Raw BSON arrays of those documents of a collection that have one of the `_id` in a raw array. */
export type FindDocuments = (data: Namespace, ids: Uint8Array) => AsyncIterable<Uint8Array>;

/** One operation of an applyOps, as far as it matters here. */
export interface DocumentOperation {
  readonly op: string;
  readonly object: Uint8Array;
  readonly object2: BsonElement | undefined;
  /** Whether an update makes the document where there is none. */
  readonly upserts: boolean;
}

/** One document's operations, in their order. */
interface Change {
  readonly id: BsonElement;
  readonly operations: DocumentOperation[];
}

/** Of one collection. */
export class DocumentAccount implements Disposable {
  readonly #came = new DocumentSum();
  readonly #went = new DocumentSum();
  /** Whether the oplog changed a document. */
  isChanged = false;
  /** What the account had to leave out, so that it proves nothing; null while there is nothing. */
  gap: string | null = null;
  /** Whether the server evicts documents by itself: then a difference says nothing, while none is a proof. */
  readonly mayEvict: boolean;

  constructor(mayEvict: boolean) {
    this.mayEvict = mayEvict;
  }

  /** Books in what a restore writes: whole documents, one after another. */
  add(documents: Uint8Array): void {
    this.#came.addPacked(documents);
  }

  /** Books operations that are about to be applied. */
  async follow(
    data: Namespace,
    operations: readonly DocumentOperation[],
    find: FindDocuments,
  ): Promise<void> {
    this.isChanged = true;
    const changes = this.#sort(operations);
    if (changes.size === 0) return;
    const ids = [...changes.values()].map(({ id }, at) => ({ ...id, key: String(at) }));
    for await (const batch of find(data, joinElements(ids))) {
      for (const { value: document } of elements(batch)) {
        const id = findElement(document, "_id");
        const change = id === undefined ? undefined : changes.get(keyOf(id));
        if (change === undefined) {
          this.gap =
            "documents have an _id that is the same as another one to the server, and not to the byte";
          continue;
        }
        this.#went.addPacked(document);
        this.#book(document, change);
        changes.delete(keyOf(id!));
      }
    }
    for (const change of changes.values()) this.#book(null, change);
  }

  /** How many documents there should be, while none of those that are there was taken out. */
  get documents(): number {
    return this.#came.documents - this.#went.documents;
  }

  /** Books out documents that are there in the end: a raw BSON array. */
  takeOut(batch: Uint8Array): void {
    this.#went.addBatch(batch);
  }

  /** Whether all that came has gone, byte for byte. */
  get isEven(): boolean {
    return this.#came.documents === this.#went.documents && this.#came.digest() === this.#went.digest();
  }

  [Symbol.dispose](): void {
    this.#came[Symbol.dispose]();
    this.#went[Symbol.dispose]();
  }

  /** Each document's own operations. */
  #sort(operations: readonly DocumentOperation[]): Map<string, Change> {
    const changes = new Map<string, Change>();
    for (const operation of operations) {
      const { op, object, object2 } = operation;
      const id = findElement(
        op === "u" && object2?.type === bsonType.document ? object2.value : object,
        "_id",
      );
      if (id === undefined || !canBeSought(id)) {
        this.gap = "the oplog has documents without an _id, or with one that no query can ask for";
        continue;
      }
      const key = keyOf(id);
      const known = changes.get(key);
      if (known === undefined) changes.set(key, { id, operations: [operation] });
      else known.operations.push(operation);
    }
    return changes;
  }

  /** Books in what a document should be after its operations; nothing where it should be gone. */
  #book(before: Uint8Array | null, { id, operations }: Change): void {
    let document = before;
    for (const { op, object, upserts } of operations) {
      if (op === "i") document = object;
      else if (op === "d") document = null;
      else if (document !== null) document = this.#update(document, object);
      else if (upserts) document = this.#update(joinElements([id]), object);
    }
    if (document !== null) this.#came.addPacked(document);
  }

  #update(document: Uint8Array, update: Uint8Array): Uint8Array {
    try {
      const updated = updatedDocument(document, update);
      if (updated !== null) return updated;
      this.gap = "the oplog has updates in a form that only the server reads";
    } catch (cause) {
      if (!(cause instanceof PluginError)) throw cause;
      this.gap = "the oplog updates documents whose keys are no UTF-8";
    }
    return document;
  }
}

/** Types that may not stand in a query as a value. */
const unsought: ReadonlySet<number> = new Set([bsonType.undefined, bsonType.regex, bsonType.array]);

function canBeSought({ type, value }: BsonElement): boolean {
  if (unsought.has(type)) return false;
  if (type !== bsonType.document) return true;
  const [first] = elements(value);
  return !(first?.key.startsWith("$") ?? false);
}

function keyOf({ type, value }: BsonElement): string {
  return `${type}:${value.toHex()}`;
}
