import assert from "node:assert/strict";
import fc from "fast-check";
import { type ReadLimits, ReadSchedule, type ReadTask } from "./read_schedule.ts";

/** A collection: how many ranges are left, and what has been done to it. */
class Ranges {
  readonly name: string;
  left: number;
  taken = 0;
  opened = 0;
  finished = 0;

  constructor(name: string, ranges: number) {
    this.name = name;
    this.left = ranges;
  }

  get hasRanges(): boolean {
    return this.left > 0;
  }
}

type Task = ReadTask<Ranges, Ranges>;
type Databases = Readonly<Record<string, readonly Ranges[]>>;

/** One reader's state: what it does now, or that it waits. */
interface Reader {
  task: Task | null;
  isReading: boolean;
}

/** Plays readers whose next step is always `choose`'s; returns the tasks in the order in which they were begun. */
function play(databases: Databases, limits: ReadLimits, readers: number, choose: (count: number) => number) {
  const schedule = new ReadSchedule<Ranges, Ranges>(Object.keys(databases), limits);
  const all: Reader[] = Array.from({ length: readers }, () => ({ task: null, isReading: false }));
  const begun: { task: Task; readersOf: Map<string, number> }[] = [];
  const read: string[] = [];
  const takeAll = () => {
    for (const reader of all) {
      if (reader.task !== null) continue;
      reader.task = schedule.take();
      if (reader.task !== null) begun.push({ task: reader.task, readersOf: count(all) });
      reader.isReading = reader.task?.kind === "join";
    }
  };
  for (takeAll(); !schedule.isDone; takeAll()) {
    assertWithin(all, limits);
    const busy = all.filter(({ task }) => task !== null);
    assert.ok(busy.length > 0, "everybody waits");
    const reader = busy[choose(busy.length)]!;
    const task = reader.task!;
    if (task.kind === "list") {
      schedule.listed(task, databases[task.database]!);
      reader.task = null;
    } else if (!reader.isReading) {
      assert.ok(task.kind === "open");
      task.collection.opened++;
      schedule.opened(task, task.collection);
      reader.isReading = true;
    } else {
      const open = task.kind === "open" ? task.collection : task.open;
      if (open.hasRanges) {
        open.left--;
        open.taken++;
      } else {
        if (schedule.left(task, open)) open.finished++;
        reader.task = null;
      }
    }
    read.push(...schedule.takeRead());
  }
  return { begun, read };
}

function count(readers: readonly Reader[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { task } of readers) {
    if (task !== null) counts.set(task.database, (counts.get(task.database) ?? 0) + 1);
  }
  return counts;
}

function assertWithin(readers: readonly Reader[], limits: ReadLimits): void {
  const tasks = readers.flatMap(({ task }) => task === null ? [] : [task]);
  assert.ok(new Set(tasks.map(({ database }) => database)).size <= limits.databases, "too many databases");
  const collections = tasks.flatMap((task) =>
    task.kind === "list"
      ? []
      : [{ database: task.database, name: (task.kind === "open" ? task.collection : task.open).name }]
  );
  for (const { database, name } of collections) {
    const ofDatabase = collections.filter((one) => one.database === database);
    assert.ok(new Set(ofDatabase.map(({ name }) => name)).size <= limits.collections, "too many collections");
    assert.ok(ofDatabase.filter((one) => one.name === name).length <= limits.chunks, "too many readers");
  }
}

Deno.test("ReadSchedule hands out every range once, within its limits, and never leaves everybody waiting", () => {
  const limits = fc.record({
    databases: fc.integer({ min: 1, max: 4 }),
    collections: fc.integer({ min: 1, max: 4 }),
    chunks: fc.integer({ min: 1, max: 4 }),
  });
  const sizes = fc.array(fc.array(fc.nat(6), { maxLength: 5 }), { maxLength: 6 });
  fc.assert(
    fc.property(
      limits,
      sizes,
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.nat()),
      (limits, sizes, readers, choices) => {
        const databases = Object.fromEntries(
          sizes.map((ranges, at) => [`d${at}`, ranges.map((left, at) => new Ranges(`c${at}`, left))]),
        );
        const total = sizes.flat().reduce((sum, left) => sum + left, 0);
        const { read } = play(databases, limits, readers, (count) => choices.next().value % count);
        const collections = Object.values(databases).flat();
        assert.equal(collections.reduce((sum, { taken }) => sum + taken, 0), total);
        assert.ok(
          collections.every(({ opened, finished, left }) => opened === 1 && finished === 1 && left === 0),
        );
        assert.deepEqual(read.sort(), Object.keys(databases));
      },
    ),
  );
});

Deno.test("ReadSchedule gives a huge database no second reader while others wait", () => {
  const databases: Record<string, Ranges[]> = { huge: [new Ranges("c", 1000)] };
  for (let at = 0; at < 20; at++) databases[`small${at}`] = [new Ranges("c", 1)];
  const limits = { databases: 4, collections: 4, chunks: 4 };
  // The huge one's first reader is slow: the others have their turns first.
  const { begun, read } = play(databases, limits, 4, (count) => count - 1);
  const lastList = begun.findLastIndex(({ task }) => task.kind === "list");
  const early = begun.slice(0, lastList).filter(({ readersOf }) => (readersOf.get("huge") ?? 0) > 1);
  assert.equal(early.length, 0);
  assert.equal(read.at(-1), "huge");
});

Deno.test("ReadSchedule sends readers where the fewest are", () => {
  const databases = { a: [new Ranges("c", 100)], b: [new Ranges("c", 100)] };
  const limits = { databases: 4, collections: 4, chunks: 4 };
  const schedule = new ReadSchedule<Ranges, Ranges>(Object.keys(databases), limits);
  for (const { task } of ["a", "b"].map(() => ({ task: schedule.take()! }))) {
    assert.ok(task.kind === "list");
    schedule.listed(task, databases[task.database as "a" | "b"]);
  }
  const readers: string[] = [];
  for (let reader = 0; reader < 4; reader++) {
    const task = schedule.take()!;
    readers.push(task.database);
    if (task.kind === "open") schedule.opened(task, task.collection);
  }
  assert.deepEqual(readers, ["a", "b", "a", "b"]);
});

Deno.test("ReadSchedule lets nobody idle at the end of a huge database, or of its last collection", () => {
  const limits = { databases: 4, collections: 4, chunks: 4 };
  for (const huge of [[new Ranges("c", 1000)], [1, 2, 3, 4].map((at) => new Ranges(`c${at}`, 1))]) {
    const { begun } = play({ huge }, limits, 4, (count) => count - 1);
    assert.equal(Math.max(...begun.map(({ readersOf }) => readersOf.get("huge") ?? 0)), 4);
  }
});

Deno.test("ReadSchedule.changed() resolves with each change and when it is told to", async () => {
  const schedule = new ReadSchedule<Ranges, Ranges>(["d"], { databases: 1, collections: 1, chunks: 1 });
  const task = schedule.take();
  assert.equal(task?.kind, "list");
  assert.equal(schedule.take(), null);
  const [first, collection] = [schedule.changed(), new Ranges("c", 1)];
  schedule.listed({ database: "d" }, [collection]);
  await first;
  assert.equal(schedule.take()?.kind, "open");
  const second = schedule.changed();
  schedule.wake();
  await second;
  const third = schedule.changed();
  schedule.opened({ database: "d" }, collection);
  await third;
  const last = schedule.changed();
  collection.left = 0;
  assert.ok(schedule.left({ database: "d" }, collection));
  await last;
  assert.ok(schedule.isDone);
});
