/**
 * What the writers of the workload do, for ever: each yields after every call.
 *
 * @module
 */

import type { Random } from "../../lab/random.ts";
import type { Desk, Manner } from "./desk.ts";
import type { Change, DocumentChange } from "./ledger.ts";

const vaults = ["north.accounts", "south.accounts"] as const;
const accountsPerVault = 5;
const openingBalance = 1000;

/** What the accounts of both databases hold together, at every instant. */
export const accounts = { namespaces: vaults, balance: vaults.length * accountsPerVault * openingBalance };

/** Collections that only doomed writes touch: documents of the first, the whole second. */
const [archive, album] = ["north.archive", "south.album"];
const [counters, visits, receipts] = ["north.counters", "south.visits", "south.receipts"];

/** Makes the collections that are there from the start. */
export async function open(desk: Desk): Promise<void> {
  for (const namespace of [...vaults, archive, album, counters, visits, receipts]) {
    await desk.write("single", [{ kind: "create", namespace }]);
  }
  for (const namespace of [...vaults, archive, album]) {
    const ids = Array.from({ length: accountsPerVault }, (_, at) => `${at}`);
    await desk.write("bulk", ids.map((id) => ({ kind: "insert", namespace, id, n: openingBalance })));
  }
}

/** Inserts, counts up and removes, one document at a time. */
export function keepCounters(desk: Desk, random: Random): AsyncGenerator<void> {
  return keep(desk, new Herd(counters, random), () => "single");
}

/** The same in bulk and by findAndModify. */
export function keepVisits(desk: Desk, random: Random): AsyncGenerator<void> {
  return keep(desk, new Herd(visits, random), () => random.pick(["bulk", "find and modify"]));
}

async function* keep(desk: Desk, herd: Herd, choose: () => Manner): AsyncGenerator<void> {
  while (true) {
    const manner = choose();
    const changes = manner === "find and modify" ? herd.touch() : herd.choose(manner === "bulk" ? 4 : 1);
    if (changes.length > 0) herd.settle(changes, await desk.write(manner, changes));
    yield;
  }
}

/** Moves money from one database to the other; one time in eight it thinks better of it. */
export async function* moveMoney(desk: Desk, name: string, random: Random): AsyncGenerator<void> {
  const kept: string[] = [];
  for (let at = 0;; at++) {
    const amount = 1 + random.below(50);
    const [from, to] = random.pick([[0, 1], [1, 0]] as const);
    const account = () => `${random.below(accountsPerVault)}`;
    const old = kept.length > 20 ? kept[0] : undefined;
    const changes: Change[] = [
      { kind: "add", namespace: vaults[from], id: account(), n: -amount },
      { kind: "add", namespace: vaults[to], id: account(), n: amount },
      { kind: "insert", namespace: receipts, id: `${name}-${at}`, n: amount },
      ...old === undefined ? [] : [{ kind: "remove", namespace: receipts, id: old } as const],
    ];
    if (random.below(8) === 0) await desk.write("aborted transaction", changes);
    else {
      const acknowledged = await desk.write("transaction", changes);
      // After an outage nobody knows, and neither receipt is touched again.
      if (old !== undefined) kept.shift();
      if (acknowledged) kept.push(`${name}-${at}`);
    }
    yield;
  }
}

/** Makes a collection, fills it, and drops the one before. */
export async function* succeed(desk: Desk): AsyncGenerator<void> {
  let last: string | null = null;
  for (let era = 0;; era++) {
    const namespace = `south.era-${era}`;
    if (!await desk.write("single", [{ kind: "create", namespace }])) continue;
    for (let at = 0; at < 10; at++) {
      yield;
      await desk.write("single", [{ kind: "insert", namespace, id: `${at}`, n: era }]);
    }
    yield;
    if (last !== null) await desk.write("single", [{ kind: "drop", namespace: last }]);
    last = namespace;
    yield;
  }
}

/**
 * Writes of all kinds, for a server that is going to lose them.
 *
 * @param name unlike that of any call before
 */
export async function writeInVain(desk: Desk, name: string): Promise<boolean> {
  const calls: [Manner, Change[]][] = [
    ["single", [{ kind: "insert", namespace: visits, id: name, n: 1 }]],
    ["single", [{ kind: "add", namespace: archive, id: "0", n: 1 }]],
    ["single", [{ kind: "remove", namespace: archive, id: "1" }]],
    ["transaction", [
      { kind: "add", namespace: vaults[0], id: "0", n: -1 },
      { kind: "add", namespace: vaults[1], id: "0", n: 1 },
      { kind: "insert", namespace: receipts, id: name, n: 1 },
    ]],
    ["single", [{ kind: "create", namespace: `south.${name}` }]],
    ["single", [{ kind: "insert", namespace: `south.${name}`, id: "0", n: 1 }]],
    ["single", [{ kind: "drop", namespace: album }]],
  ];
  for (const [manner, changes] of calls) if (!await desk.write(manner, changes)) return false;
  return true;
}

/** Counters of one collection that nobody else touches: inserted, counted up, removed, inserted again. */
class Herd {
  readonly #namespace: string;
  readonly #random: Random;
  #live: string[] = [];
  #gone: string[] = [];
  #born = 0;

  constructor(namespace: string, random: Random) {
    this.#namespace = namespace;
    this.#random = random;
  }

  /** Changes of so many different documents. */
  choose(count: number): DocumentChange[] {
    const changes: DocumentChange[] = [];
    for (let at = 0; at < count; at++) {
      const die = this.#random.below(10);
      const isCrowded = this.#live.length > 40;
      changes.push(
        ...(die < 3 && !isCrowded
          ? [this.#insert()]
          : die < 5 || isCrowded
          ? this.touch("remove")
          : this.touch("add")),
      );
    }
    return changes.filter(({ id }, at) => changes.findIndex((other) => other.id === id) === at);
  }

  /** A change of one document that is there; none while there is none. */
  touch(kind = this.#random.pick(["add", "add", "remove"] as const)): DocumentChange[] {
    const id = this.#live[this.#random.below(this.#live.length)];
    if (id === undefined) return [];
    const namespace = this.#namespace;
    return [kind === "add" ? { kind, namespace, id, n: 1 + this.#random.below(9) } : { kind, namespace, id }];
  }

  /** Notes what became of them. After an outage nobody knows, and their ids are never used again. */
  settle(changes: readonly DocumentChange[], acknowledged: boolean): void {
    for (const { kind, id } of changes) {
      this.#live = this.#live.filter((other) => other !== id);
      this.#gone = this.#gone.filter((other) => other !== id);
      if (acknowledged) (kind === "remove" ? this.#gone : this.#live).push(id);
    }
  }

  #insert(): DocumentChange {
    const again = this.#random.below(2) === 0 ? this.#gone[0] : undefined;
    return {
      kind: "insert",
      namespace: this.#namespace,
      id: again ?? `${this.#born++}`,
      n: this.#random.below(100),
    };
  }
}
