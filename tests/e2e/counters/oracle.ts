/**
 * What a server held at any instant, told by the workload's ledger and the order in the server's oplog. Nothing of the product takes part.
 *
 * @module
 */

import type { Document, MongoClient } from "mongodb";
import {
  formatInstant,
  type Instant,
  instantOf,
  type Ledger,
  replay,
  type State,
  toText,
  type Write,
} from "./ledger.ts";

/** A write that lasts, and since when. */
export interface Commit {
  readonly write: Write;
  readonly at: Instant;
}

/** The part of an oplog entry, or of an operation in a transaction's entry, that is of interest here. */
interface Operation {
  readonly op: string;
  readonly ns: string;
  readonly o: Document;
}

/** Which write an operation belongs to. Whatever another client wrote into the workload's databases is a mistake of the test. */
class Recognition {
  readonly #databases: ReadonlySet<string>;
  readonly #removals = new Map<string, number>();
  readonly #catalog = new Map<string, number>();
  /** For each document that is there, the write that inserted it: what was removed twice is told apart by it. */
  readonly #insertedBy = new Map<string, number>();

  constructor(ledger: Ledger, databases: readonly string[]) {
    this.#databases = new Set(databases);
    const insertedBy = new Map<string, number>();
    for (const { seq, changes } of ledger.writes) {
      for (const change of changes) {
        if (change.kind === "create" || change.kind === "drop") {
          this.#catalog.set(`${change.kind} ${change.namespace}`, seq);
        } else if (change.kind === "insert") insertedBy.set(`${change.namespace} ${change.id}`, seq);
        else if (change.kind === "remove") {
          const document = `${change.namespace} ${change.id}`;
          this.#removals.set(`${document} ${insertedBy.get(document)}`, seq);
        }
      }
    }
  }

  /** The write's number, or null for what is not of the workload. */
  writeOf({ op, ns, o }: Operation): number | null {
    const dot = ns.indexOf(".");
    if (op === "n" || !this.#databases.has(ns.slice(0, dot))) return null;
    const seq = op === "c"
      ? this.#catalogWrite(ns.slice(0, dot), o)
      : this.#documentWrite(op, `${ns} ${o["_id"]}`, o);
    if (seq === undefined) throw new Error(`An entry that no write explains: ${op} ${ns} ${toText(o)}`);
    return seq;
  }

  #catalogWrite(database: string, command: Document): number | undefined {
    const [kind, collection] = Object.entries(command)[0] ?? [];
    return this.#catalog.get(`${kind} ${database}.${collection}`);
  }

  #documentWrite(op: string, document: string, o: Document): number | undefined {
    if (op === "d") return this.#removals.get(`${document} ${this.#insertedBy.get(document)}`);
    const seq = findSeq(o);
    if (op === "i" && seq !== undefined) this.#insertedBy.set(document, seq);
    return seq;
  }
}

/** The number in a document, a `$set`, or a diff of any form. */
function findSeq(value: Document): number | undefined {
  if (typeof value["seq"] === "number") return value["seq"];
  for (const inner of Object.values(value)) {
    const found = inner !== null && typeof inner === "object" ? findSeq(inner) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The past of a workload's databases. */
export class Oracle {
  /** In the order in which they happened. */
  readonly commits: readonly Commit[];

  private constructor(commits: readonly Commit[]) {
    this.commits = commits;
  }

  /**
   * Reads the whole oplog of the primary after the workload's end.
   *
   * @throws Error where ledger and oplog contradict each other: an acknowledged write is missing, a doomed one is there, one is there in part
   */
  static async ask(client: MongoClient, ledger: Ledger, databases: readonly string[]): Promise<Oracle> {
    const recognition = new Recognition(ledger, databases);
    const seen = new Map<number, { at: Instant; changes: number }>();
    for await (const { at, operations } of readOplog(client)) {
      for (const seq of operations.map((operation) => recognition.writeOf(operation))) {
        if (seq === null) continue;
        const before = seen.get(seq);
        if (before !== undefined && before.at !== at) throw new Error(`Write ${seq} happened at two times`);
        seen.set(seq, { at, changes: (before?.changes ?? 0) + 1 });
      }
    }
    for (const write of ledger.writes) checkFate(write, seen.get(write.seq), ledger.acknowledgedAt(write));
    return new Oracle([...seen].map(([seq, { at }]) => ({ write: ledger.writes[seq]!, at })));
  }

  /** What was there at an instant, the writes of that instant included. */
  stateAt(instant: Instant): State {
    return replay(this.commits.filter(({ at }) => at <= instant).map(({ write }) => write));
  }
}

function checkFate(
  { seq, changes, isDoomed }: Write,
  seen: { at: Instant; changes: number } | undefined,
  acknowledgedAt: Instant | null,
): void {
  const problem = seen === undefined
    ? acknowledgedAt === null
      ? null
      : `was acknowledged at ${formatInstant(acknowledgedAt)} and is not in the oplog`
    : isDoomed
    ? "was to be lost and lasts"
    : seen.changes !== changes.length
    ? `has ${changes.length} changes, of which ${seen.changes} are in the oplog`
    : acknowledgedAt !== null && acknowledgedAt < seen.at
    ? `was acknowledged at ${formatInstant(acknowledgedAt)}, before ${formatInstant(seen.at)}`
    : null;
  if (problem !== null) throw new Error(`Write ${seq} ${problem}`);
}

/** The entries' operations; those of a transaction that takes several entries come together, with its last one. */
async function* readOplog(client: MongoClient): AsyncGenerator<{ at: Instant; operations: Operation[] }> {
  const open = new Map<string, Operation[]>();
  const entries = client.db("local").collection("oplog.rs").find({}, { readPreference: "primary" }).sort({
    $natural: 1,
  });
  for await (const { ts, op, ns, o, lsid, txnNumber } of entries) {
    const at = instantOf(ts);
    if (op !== "c" || !Array.isArray(o.applyOps)) {
      yield { at, operations: [{ op, ns, o }] };
      continue;
    }
    const transaction = toText({ lsid, txnNumber });
    const operations = [...open.get(transaction) ?? [], ...o.applyOps];
    if (o.partialTxn === true) open.set(transaction, operations);
    else {
      open.delete(transaction);
      yield { at, operations };
    }
  }
}

/** What is there now. */
export async function readState(client: MongoClient, databases: readonly string[]): Promise<State> {
  const state = new Map<string, ReadonlyMap<string, string>>();
  for (const name of databases) {
    const db = client.db(name);
    for (const { name: collection } of await db.listCollections({}, { nameOnly: true }).toArray()) {
      const documents = await db.collection(collection).find({}, { promoteValues: false }).toArray();
      state.set(
        `${name}.${collection}`,
        new Map(documents.map((document) => [`${document._id}`, toText(document)])),
      );
    }
  }
  return state;
}
