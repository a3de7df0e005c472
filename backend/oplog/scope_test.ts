import assert from "node:assert/strict";
import { type Document, Long, serialize } from "bson";
import fc from "fast-check";
import { commandBytes, entryBytes, place, transactionFields } from "../../tests/contract/oplog_entries.ts";
import { elements } from "../bson/document.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { readCommand } from "./command.ts";
import { readEntry } from "./entry.ts";
import { isServersOwn, replaceOperations, scopeOperations, touchedByCommand, withUpserts } from "./scope.ts";

const at = place(1_700_000_000);
const inApp = ({ database }: Namespace) => database === "app";

function arrayOf(list: readonly Document[]): Uint8Array {
  const wrapped = serialize({ a: list });
  return wrapped.slice(7, wrapped.length - 1);
}

function insert(ns: string, _id = 1): Document {
  return { op: "i", ns, o: { _id } };
}

function command(database: string, o: Document): Document {
  return { op: "c", ns: `${database}.$cmd`, o };
}

const cut: readonly { name: string; operations: Document[]; kept: number[] }[] = [
  { name: "all wanted", operations: [insert("app.a"), insert("app.b")], kept: [0, 1] },
  { name: "none wanted", operations: [insert("other.a")], kept: [] },
  {
    name: "cut",
    operations: [insert("other.a"), insert("app.a", 2), insert("x.y"), insert("app.b", 3)],
    kept: [1, 3],
  },
  {
    name: "a no-op stays, it touches nothing",
    operations: [{ op: "n", ns: "", o: {} }, insert("other.a")],
    kept: [0],
  },
  {
    name: "applyOps within applyOps, whole where any of it is wanted",
    operations: [
      command("admin", { applyOps: [insert("other.a"), insert("app.a")] }),
      command("admin", { applyOps: [insert("other.a"), command("x", { drop: "y" })] }),
    ],
    kept: [0],
  },
  {
    name: "commands by what they touch",
    operations: [
      command("app", { create: "a" }),
      command("other", { create: "a" }),
      command("admin", { renameCollection: "other.a", to: "app.a" }),
    ],
    kept: [0, 2],
  },
];

Deno.test("scopeOperations() picks the wanted operations and leaves each of them as it was", () => {
  for (const { name, operations, kept } of cut) {
    const raw = arrayOf(operations);
    const scoped = scopeOperations(raw, inApp);
    assert.equal(scoped.array.toHex(), arrayOf(kept.map((at) => operations[at]!)).toHex(), name);
    assert.deepEqual([scoped.kept, scoped.left], [kept.length, operations.length - kept.length], name);
    if (scoped.left === 0) assert.equal(scoped.array, raw, name);
  }
});

Deno.test("scopeOperations() counts what is kept for each namespace that it touches", () => {
  const operations = [
    insert("app.a"),
    insert("other.a"),
    command("app", { renameCollection: "app.a", to: "app.b" }),
  ];
  const { touched } = scopeOperations(arrayOf(operations), inApp);
  const rename = serialize(operations[2]!).length;
  assert.deepEqual(touched.map(({ namespace, bytes }) => [formatNamespace(namespace), bytes]), [
    ["app.a", serialize(operations[0]!).length],
    ["app.a", rename],
    ["app.b", rename],
  ]);
});

Deno.test("scopeOperations() gives numbered keys again, whatever is cut", () => {
  const names = fc.array(fc.constantFrom("app.a", "other.b", "app.c"), { maxLength: 120 });
  fc.assert(fc.property(names, (names) => {
    const operations = names.map((ns, at) => insert(ns, at));
    const { array } = scopeOperations(arrayOf(operations), inApp);
    const wanted = operations.filter(({ ns }) => String(ns).startsWith("app."));
    assert.equal(array.toHex(), arrayOf(wanted).toHex());
  }));
});

Deno.test("touchedByCommand() asks an applyOps for its operations, at any depth", () => {
  const nested = command("admin", {
    applyOps: [insert("app.a"), command("app", { drop: "b" }), { op: "n", ns: "", o: {} }],
  });
  const entry = readEntry(commandBytes(at, "admin", { applyOps: [nested, insert("c.d")] }));
  assert.deepEqual(touchedByCommand(readCommand(entry)).map(formatNamespace), ["app.a", "app.b", "c.d"]);
});

Deno.test("replaceOperations() keeps everything else of the entry byte for byte", () => {
  const more = { ...transactionFields(3, place(9, 9)), stmtId: [0, 1], applyOps: "not this one" };
  const o = {
    applyOps: [insert("app.a"), insert("other.b")],
    partialTxn: true,
    count: Long.fromNumber(2),
    list: [1, 2],
  };
  const entry = commandBytes(at, "admin", o, more);
  const replaced = replaceOperations(entry, arrayOf([insert("app.a")]));
  const want = commandBytes(at, "admin", { ...o, applyOps: [insert("app.a")] }, more);
  assert.equal(replaced.toHex(), want.toHex());
  const same = [...elements([...elements(entry)].find(({ key }) => key === "o")!.value)][0]!.value;
  assert.equal(replaceOperations(entry, same).toHex(), entry.toHex());
});

Deno.test("isServersOwn() tells a server's own namespaces from users'", () => {
  const table = [
    ["config.transactions", true],
    ["local.oplog.rs", true],
    ["admin.system.users", true],
    ["admin.things", false],
    ["app.system.js", false],
    ["app.config", false],
  ] as const;
  for (const [ns, want] of table) {
    assert.equal(isServersOwn(readEntry(entryBytes({ op: "i", ns, o: {}, at })).namespace), want, ns);
  }
});

Deno.test("withUpserts() makes every update say that it makes its document, and leaves all else", () => {
  const update = { op: "u", ns: "app.a", o: { $set: { x: 1 } }, o2: { _id: 1 } };
  const said = { ...update, b: false };
  const others = arrayOf([insert("app.a"), said, command("app", { drop: "b" })]);
  assert.equal(withUpserts(others), others);
  assert.equal(
    withUpserts(arrayOf([insert("app.a"), update, said])).toHex(),
    arrayOf([insert("app.a"), { ...update, b: true }, said]).toHex(),
  );
});
