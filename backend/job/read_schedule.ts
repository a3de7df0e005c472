/**
 * Which reader of a Full reads what next.
 *
 * A reader goes where the fewest are: to a database that nobody has begun, else to the database with the fewest readers. Within one, the largest
 * collection that waits comes before a further reader for a large one that is being read. So a huge database gets what others have no use for, and
 * nobody idles while there is something that the limits allow.
 *
 * @module
 */

/** How many at a time, at most. */
export interface ReadLimits {
  readonly databases: number;
  /** Collections of one database. */
  readonly collections: number;
  /** Readers of one collection. */
  readonly chunks: number;
}

/** What a reader does next: list a database's collections, open and read one that waits, or join those who read one. */
export type ReadTask<Waiting, Open> =
  | { readonly kind: "list"; readonly database: string }
  | { readonly kind: "open"; readonly database: string; readonly collection: Waiting }
  | { readonly kind: "join"; readonly database: string; readonly open: Open };

interface DatabaseState<Waiting, Open> {
  readonly name: string;
  isListed: boolean;
  waiting: Waiting[];
  /** Collections that are being opened. */
  opening: number;
  /** Readers of each collection that is open. */
  readonly open: Map<Open, number>;
  readers: number;
}

/** Hands out all work of a dump, each piece once. */
export class ReadSchedule<Waiting, Open extends { readonly hasRanges: boolean }> {
  readonly #limits: ReadLimits;
  readonly #names: string[];
  readonly #active = new Map<string, DatabaseState<Waiting, Open>>();
  readonly #read: string[] = [];
  #change = Promise.withResolvers<void>();

  constructor(names: readonly string[], limits: ReadLimits) {
    this.#names = [...names];
    this.#limits = limits;
  }

  /** Whether everything has been read. */
  get isDone(): boolean {
    return this.#names.length === 0 && this.#active.size === 0;
  }

  /** What one reader is to do now, or null where it has to wait for a change. It reports with `listed`, or with `opened` and `left`. */
  take(): ReadTask<Waiting, Open> | null {
    const { databases, collections, chunks } = this.#limits;
    if (this.#active.size < databases) {
      const name = this.#names.shift();
      if (name !== undefined) return this.#begin(name);
    }
    for (const state of [...this.#active.values()].sort((a, b) => a.readers - b.readers)) {
      const { name: database, waiting, open } = state;
      if (waiting.length > 0 && state.opening + open.size < collections) {
        state.readers++;
        state.opening++;
        return { kind: "open", database, collection: waiting.shift()! };
      }
      const [joined] = [...open].filter(([one, readers]) => one.hasRanges && readers < chunks)
        .sort(([, a], [, b]) => a - b);
      if (joined !== undefined) {
        state.readers++;
        open.set(joined[0], joined[1] + 1);
        return { kind: "join", database, open: joined[0] };
      }
    }
    return null;
  }

  /** Resolves when there may be something to take, or nothing is left. */
  changed(): Promise<void> {
    return this.#change.promise;
  }

  /** Makes those who wait look again. */
  wake(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }

  /** @param collections in the order in which they are to be opened */
  listed({ database }: { readonly database: string }, collections: readonly Waiting[]): void {
    const state = this.#state(database);
    state.isListed = true;
    state.waiting = [...collections];
    state.readers--;
    this.#settle(state);
  }

  /** A collection has been opened by a reader, which is the first to read it. */
  opened({ database }: { readonly database: string }, open: Open): void {
    const state = this.#state(database);
    state.opening--;
    state.open.set(open, 1);
    this.wake();
  }

  /** A reader has found no more to read in a collection. True for the last one. */
  left({ database }: { readonly database: string }, open: Open): boolean {
    const state = this.#state(database);
    const readers = state.open.get(open)! - 1;
    state.readers--;
    state.open.set(open, readers);
    if (readers === 0) state.open.delete(open);
    this.#settle(state);
    return readers === 0;
  }

  /** Names of the databases that have been read since the last call. */
  takeRead(): string[] {
    return this.#read.splice(0);
  }

  #begin(database: string): ReadTask<Waiting, Open> {
    const state = { name: database, isListed: false, waiting: [], opening: 0, open: new Map(), readers: 1 };
    this.#active.set(database, state);
    return { kind: "list", database };
  }

  #state(database: string): DatabaseState<Waiting, Open> {
    const state = this.#active.get(database);
    if (state === undefined) throw new Error(`nobody reads ${database}`);
    return state;
  }

  #settle(state: DatabaseState<Waiting, Open>): void {
    if (state.isListed && state.waiting.length + state.opening + state.open.size === 0) {
      this.#active.delete(state.name);
      this.#read.push(state.name);
    }
    this.wake();
  }
}
