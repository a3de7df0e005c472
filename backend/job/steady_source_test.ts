import assert from "node:assert/strict";
import { MemoryLog, MemorySource } from "../../tests/contract/memory.ts";
import { MemoryOplog } from "../../tests/contract/memory_oplog.ts";
import { insert } from "../../tests/contract/capture.ts";
import { PluginError } from "../errors.ts";
import type { Oplog } from "../ports.ts";
import { SourceBehind } from "../source_behind.ts";
import { SteadySource } from "./steady_source.ts";

/** A member that fails so many questions before it answers one. */
class FailingSource extends SourceBehind {
  asked = 0;
  isBack = true;
  isKnownLoss = true;
  isKnownDrop = false;
  reads = true;
  readonly memory = new MemoryOplog([insert(1), insert(2)]);
  readonly #failures: number;

  constructor(failures: number) {
    super(new MemorySource({ app: [] }));
    this.#failures = failures;
  }

  override get oplog(): Oplog {
    return this.memory;
  }

  override get readsCommitted(): boolean {
    return this.reads;
  }

  override listDatabases(): Promise<string[]> {
    if (this.asked++ < this.#failures) return Promise.reject(new PluginError("connect", "Cannot list"));
    return this.behind.listDatabases();
  }

  override isLoss(): boolean {
    return this.isKnownLoss;
  }

  override isDrop(): boolean {
    return this.isKnownDrop;
  }

  override isReadable(): Promise<boolean> {
    return Promise.resolve(this.isBack);
  }
}

function steady(failures: number, changes: Partial<FailingSource> = {}, seconds = 5) {
  const behind = Object.assign(new FailingSource(failures), changes);
  const log = new MemoryLog();
  const stop = new AbortController();
  return { behind, log, stop, source: new SteadySource(behind, { seconds, log, signal: stop.signal }) };
}

Deno.test("SteadySource asks again when its member is back, and says so", async () => {
  const { source, log } = steady(2);
  assert.deepEqual(await source.listDatabases(), ["app"]);
  assert.equal(log.lines.length, 4);
  assert.equal(log.lines[0], "warning Cannot list. Waiting up to 5 seconds for memory:1");
  assert.match(log.lines[1]!, /^info memory:1 can be read again after \d\.\d s$/);
  await source.proveListings();
});

const refusals: {
  name: string;
  failures: number;
  changes?: Partial<FailingSource>;
  seconds?: number;
  want: RegExp;
}[] = [
  { name: "a failure of another kind", failures: 1, changes: { isKnownLoss: false }, want: /^Cannot list$/ },
  {
    name: "a member that may take back what was read",
    failures: 1,
    changes: { reads: false },
    want: /^Cannot list$/,
  },
  { name: "anything with no time to wait", failures: 1, seconds: 0, want: /^Cannot list$/ },
  { name: "a member that goes away again and again", failures: 9, want: /^Cannot list$/ },
  {
    name: "a member that stays away",
    failures: 1,
    changes: { isBack: false },
    seconds: 1,
    want: /^Cannot list; memory:1 was not back within 1 second$/,
  },
];
for (const { name, failures, changes, seconds, want } of refusals) {
  Deno.test(`SteadySource doesn't outlast ${name}`, async () => {
    const { source, behind } = steady(failures, changes, seconds);
    await assert.rejects(source.listDatabases(), { code: "connect", message: want });
    assert.ok(behind.asked <= 5);
  });
}

Deno.test("SteadySource ends with the signal's reason while it waits", async () => {
  const { source, stop } = steady(1, { isBack: false });
  const listing = source.listDatabases();
  const reason = new Error("stopped");
  stop.abort(reason);
  await assert.rejects(listing, (thrown) => thrown === reason);
});

Deno.test("SteadySource.proveListings() refuses what was listed of a state that the member took back", async () => {
  const { source, behind } = steady(0);
  behind.memory.commitUpTo({ t: 1, i: 1, term: 1 });
  await source.listDatabases();
  behind.memory.rollBack({ t: 1, i: 1 });
  behind.memory.write(insert(3));
  behind.memory.commitUpTo({ t: 3, i: 1, term: 1 });
  await assert.rejects(source.proveListings(), { code: "incompleteRead", message: /rolled back/ });
});

Deno.test("SteadySource asks nothing any more when it is stopped, also of a member that doesn't answer", async () => {
  const silent = Promise.withResolvers<never>();
  const asks: { name: string; ask: (one: ReturnType<typeof steady>) => Promise<unknown> }[] = [
    { name: "a list", ask: ({ source }) => source.listDatabases() },
    {
      name: "a count",
      ask: ({ source }) => source.countDocuments({ database: "app", collection: "a" }, true),
    },
    { name: "the oplog's end", ask: ({ source }) => source.oplog!.committed() },
  ];
  for (const { name, ask } of asks) {
    const one = steady(0);
    one.behind.listDatabases = one.behind.countDocuments = () => silent.promise;
    one.behind.memory.committed = () => silent.promise;
    const asked = ask(one);
    one.stop.abort(new PluginError("canceled", "Stopped"));
    await assert.rejects(asked, { message: "Stopped" }, name);
  }
});

Deno.test("SteadySource waits for no member any more when it is stopped while one doesn't answer", async () => {
  const asked = Promise.withResolvers<void>();
  const one = steady(1);
  one.behind.isReadable = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const listed = one.source.listDatabases();
  await Promise.race([asked.promise, listed]);
  one.stop.abort(new PluginError("canceled", "Stopped"));
  await assert.rejects(listed, { message: "Stopped" });
});

Deno.test("SteadySource.outlast() lets a collection be read anew that was dropped, without waiting, where a slice has the drop", async () => {
  const drop = new PluginError("incompleteRead", "Cannot read app.a to its end: collection dropped");
  const dropped = { isKnownDrop: true, isKnownLoss: false, isBack: false };
  const { source, log } = steady(0, dropped, 0);
  await source.outlast(drop, 1);
  assert.deepEqual(log.lines, []);
  await assert.rejects(source.outlast(drop, 5), drop);
  await assert.rejects(steady(0, { ...dropped, reads: false }).source.outlast(drop, 1), drop);
});

Deno.test("SteadySource.proveListings() refuses a drop that the member took back", async () => {
  const { source, behind } = steady(0, { isKnownDrop: true });
  behind.memory.commitUpTo({ t: 1, i: 1, term: 1 });
  await source.outlast(new PluginError("incompleteRead", "Cannot read app.a to its end"), 1);
  behind.memory.rollBack({ t: 1, i: 1 });
  behind.memory.write(insert(3));
  behind.memory.commitUpTo({ t: 3, i: 1, term: 1 });
  await assert.rejects(source.proveListings(), { code: "incompleteRead", message: /rolled back/ });
});
