import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { EJSON, Int32, Long, serialize } from "bson";
import { MemoryLog } from "../../tests/contract/memory.ts";
import { until } from "../../tests/lab/condition.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { CatalogEntry } from "../oplog/index_catalog.ts";
import type { ReplayTarget } from "../ports.ts";
import { buildIndexes, listIndexes } from "./index_build.ts";

const signal = new AbortController().signal;

function entryOf(collection: string, ...names: string[]): CatalogEntry {
  const indexes = names.map((name) => serialize({ v: new Int32(2), key: { a: new Int32(1) }, name }));
  return { namespace: { database: "app", collection }, isCollated: false, indexes };
}

/** A server that does nothing but what a test says. */
function serverThat(build: (name: string) => Promise<string[]>): ReplayTarget {
  return {
    buildIndexes: (namespace: Namespace) => build(formatNamespace(namespace)),
  } as Partial<ReplayTarget> as ReplayTarget;
}

function fault(name: string): PluginError {
  return new PluginError("restoreIndex", `Cannot build the indexes of ${name}: index "x": two are the same`, {
    hint: "Remove one.",
  });
}

Deno.test("buildIndexes: so many collections at a time, and each once", async () => {
  const entries = Array.from({ length: 9 }, (_, at) => entryOf(`c${at}`, "x", "y"));
  const seen: string[] = [];
  let running = 0;
  let most = 0;
  const replay = serverThat(async (name) => {
    seen.push(name);
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return [`Remark on ${name}`];
  });
  const log = new MemoryLog();
  await buildIndexes([...entries, entryOf("bare")], { replay, log, signal, parallel: 3 });
  strictEqual(most, 3);
  deepStrictEqual(seen, entries.map(({ namespace }) => formatNamespace(namespace)));
  strictEqual(log.lines.at(-1), "info Built 18 indexes of 9 collections");
  ok(log.lines.includes("warning Remark on app.c4"));
});

Deno.test("buildIndexes: what can't be built stops nothing else, and all of it is named at the end", async () => {
  const built: string[] = [];
  const replay = serverThat((name) => {
    if (/[ac]$/.test(name)) return Promise.reject(fault(name));
    built.push(name);
    return Promise.resolve([]);
  });
  const log = new MemoryLog();
  const entries = ["a", "b", "c", "d"].map((name) => entryOf(name, "x"));
  await rejects(buildIndexes(entries, { replay, log, signal, parallel: 1 }), {
    code: "restoreIndex",
    message:
      'Cannot build the indexes of 2 collections: app.a: index "x": two are the same; app.c: index "x": two are the same',
    hint: "Remove one.",
  });
  deepStrictEqual(built, ["app.b", "app.d"]);
  deepStrictEqual(log.lines, [
    `error ${fault("app.a").message}`,
    `error ${fault("app.c").message}`,
    "info Built 2 indexes of 2 collections",
  ]);
});

Deno.test("buildIndexes: a lost server and a cancelled job end it", async () => {
  const lost = new PluginError("restoreWrite", "Cannot build the indexes of app.a: connection closed");
  const seen: string[] = [];
  const replay = serverThat((name) => {
    seen.push(name);
    return Promise.reject(lost);
  });
  const entries = [entryOf("a", "x"), entryOf("b", "x")];
  const log = new MemoryLog();
  await rejects(buildIndexes(entries, { replay, log, signal, parallel: 1 }), lost);
  const canceled = AbortSignal.abort(new PluginError("canceled", "The job was cancelled"));
  await rejects(buildIndexes(entries, { replay, log, signal: canceled, parallel: 1 }), { code: "canceled" });
  deepStrictEqual(seen, ["app.a"]);
});

Deno.test("buildIndexes: a build that takes long says how far it is", async () => {
  const log = new MemoryLog();
  const replay = serverThat(async () => {
    await until("two reports", 10_000, () => log.lines.length >= 2);
    return [];
  });
  await buildIndexes([entryOf("a", "x")], { replay, log, signal, parallel: 1, reportEveryMs: 5 });
  match(log.lines[0]!, /^info Building indexes: 0 of 1 collection done in 0 s, at work on app\.a$/);
});

Deno.test("listIndexes: commands for every index, that mean the very same", () => {
  const odd = {
    v: new Int32(2),
    key: { 'it\'s \\ "odd"': new Int32(-1) },
    name: "odd",
    partialFilterExpression: { n: { $gt: Long.fromNumber(5) } },
  };
  const long = Array.from({ length: 40 }, (_, at) => `index number ${at} ${"x".repeat(40)}`);
  const log = new MemoryLog();
  listIndexes([
    { namespace: { database: "a'b", collection: "o'c" }, isCollated: true, indexes: [serialize(odd)] },
    entryOf("bare"),
    entryOf("many", ...long),
  ], log);
  const [head, ...lines] = log.lines;
  match(head!, /^warning index_build=none: 41 indexes of 2 collections were not built\./);
  const commands = lines.map((line) => {
    const [, database, text] = /^info db\.getSiblingDB\((".*?")\)\.runCommand\(EJSON\.parse\('(.*)'\)\)$/
      .exec(line)!;
    const command = EJSON.parse(text!.replace(/\\(.)/g, "$1"), { relaxed: false });
    return [JSON.parse(database!), serialize(command).toHex()];
  });
  const wanted = (collection: string, index: object) =>
    serialize({ createIndexes: collection, indexes: [index] }).toHex();
  deepStrictEqual(commands[0], ["a'b", wanted("o'c", { ...odd, collation: { locale: "simple" } })]);
  deepStrictEqual(
    commands.slice(1),
    long.map((name) => ["app", wanted("many", { v: new Int32(2), key: { a: new Int32(1) }, name })]),
  );
});

Deno.test("listIndexes: says nothing where there is nothing to build", () => {
  const log = new MemoryLog();
  listIndexes([entryOf("bare")], log);
  deepStrictEqual(log.lines, []);
});
