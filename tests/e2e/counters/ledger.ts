/**
 * What a workload wrote, written down before it is sent, and what that makes of the data.
 *
 * @module
 */

import { EJSON, type Timestamp } from "bson";

/** A moment of the cluster's time, as the 64 bits of its timestamp: seconds and increment. */
export type Instant = bigint;

/** The largest increment within a second: with it, an instant is the second's end. */
export const lastIncrement = 0xffff_ffff;

export function instantAt(seconds: number, increment: number): Instant {
  return BigInt(seconds) << 32n | BigInt(increment);
}

export function instantOf(timestamp: Timestamp): Instant {
  return timestamp.toBigInt();
}

/** Seconds and increment: `1719900000.4`. */
export function formatInstant(at: Instant): string {
  return `${at >> 32n}.${at & BigInt(lastIncrement)}`;
}

/** A step of a write on a document, which is `{_id, n, seq, recent}`: a counter, the number of its last write, and those of the last three. */
export type DocumentChange =
  & { readonly namespace: string; readonly id: string }
  & (
    | { readonly kind: "insert"; readonly n: number }
    | { readonly kind: "add"; readonly n: number }
    | { readonly kind: "remove" }
  );

/** A step of a write; namespaces are `database.collection`. */
export type Change =
  | DocumentChange
  | { readonly kind: "create"; readonly namespace: string }
  | { readonly kind: "drop"; readonly namespace: string };

/** Changes that happen together or not at all. */
export interface Write {
  /** A number of its own, which it leaves in the documents that it touches. */
  readonly seq: number;
  readonly changes: readonly Change[];
  /** Whether it is made so that it can't last: aborted, or given to a primary that will roll it back. */
  readonly isDoomed: boolean;
}

/** How many of the last writes a document names. */
export const recentWrites = 3;

/** Every write of a workload. Each collection's document belongs to one writer at a time, unless it is changed in transactions. */
export class Ledger {
  readonly #writes: Write[] = [];
  readonly #acknowledged = new Map<number, Instant>();

  /** Notes a write that is about to be sent. */
  note(changes: readonly Change[], isDoomed = false): Write {
    const write = { seq: this.#writes.length, changes, isDoomed };
    this.#writes.push(write);
    return write;
  }

  /** Notes the server's word that a majority has a write, with the time that the server gave. */
  acknowledge(write: Write, at: Instant): void {
    this.#acknowledged.set(write.seq, at);
  }

  /** All writes, by their numbers. */
  get writes(): readonly Write[] {
    return this.#writes;
  }

  /** How many writes were acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** When the server had a write by its own word; null for one that was never acknowledged. */
  acknowledgedAt({ seq }: Write): Instant | null {
    return this.#acknowledged.get(seq) ?? null;
  }
}

/** Documents by id, in Extended JSON with their types and the order of their fields, by namespace. */
export type State = ReadonlyMap<string, ReadonlyMap<string, string>>;

interface Counter {
  readonly n: number;
  readonly recent: readonly number[];
}

/** What is there after these writes, and nothing else, happened in this order. */
export function replay(writes: Iterable<Write>): State {
  const state = new Map<string, Map<string, Counter>>();
  for (const write of writes) {
    for (const change of write.changes) applyChange(state, change, write.seq);
  }
  return new Map([...state].map(([namespace, counters]) => [
    namespace,
    new Map(
      [...counters].map(([_id, { n, recent }]) => [_id, toText({ _id, n, seq: recent.at(-1), recent })]),
    ),
  ]));
}

/** A document as {@linkcode State} has it. */
export function toText(document: object): string {
  return EJSON.stringify(document, { relaxed: false });
}

function applyChange(state: Map<string, Map<string, Counter>>, change: Change, seq: number): void {
  const { namespace } = change;
  if (change.kind === "create") {
    state.set(namespace, new Map());
    return;
  }
  const counters = state.get(namespace);
  if (counters === undefined) throw new Error(`Write ${seq}: there is no ${namespace}`);
  if (change.kind === "drop") {
    state.delete(namespace);
    return;
  }
  const { kind, id } = change;
  const before = counters.get(id);
  if ((before === undefined) !== (kind === "insert")) {
    throw new Error(`Write ${seq}: ${kind} of ${namespace} ${id}, which was ${before ? "" : "not "}there`);
  }
  if (change.kind === "remove") counters.delete(id);
  else {
    const recent = [...before?.recent ?? [], seq].slice(-recentWrites);
    counters.set(id, { n: (before?.n ?? 0) + change.n, recent });
  }
}

/** Where a state isn't the wanted one, a line for each of the first few places. */
export function differences(found: State, wanted: State): string[] {
  const lines: string[] = [];
  for (const namespace of new Set([...wanted.keys(), ...found.keys()])) {
    const [has, should] = [found.get(namespace), wanted.get(namespace)];
    if (has === undefined || should === undefined) {
      lines.push(`${namespace} is ${has === undefined ? "missing" : `too much, with ${has.size} documents`}`);
      continue;
    }
    for (const id of new Set([...should.keys(), ...has.keys()])) {
      const [is, want] = [has.get(id), should.get(id)];
      if (is !== want) lines.push(`${namespace} ${id}: is ${is ?? "not there"}, wanted ${want ?? "nothing"}`);
    }
  }
  const most = 12;
  return lines.length <= most ? lines : [...lines.slice(0, most), `and ${lines.length - most} more`];
}
