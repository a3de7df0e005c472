/** What options choose of a source, and what becomes of an oplog at the border of that. */

import assert from "node:assert/strict";
import type { Document } from "bson";
import { captureAll, hex, insert, testScope } from "../../tests/contract/capture.ts";
import { MemoryLog, MemorySource } from "../../tests/contract/memory.ts";
import { commandBytes, entryBytes, place, transactionFields } from "../../tests/contract/oplog_entries.ts";
import { formatNamespace, parseNamespace } from "../namespace.ts";
import { parsePluginCommand } from "../options/command.ts";
import { acceptsOf, logScope, narrowDatabases, noUsers, ScopedSource, scopeOf } from "./backup_scope.ts";

const options = (more: string) => parsePluginCommand(`podheitor-mongodb: uri=mongodb://h ${more}`);

Deno.test("scopeOf() takes users along with the whole server, and as the operator says otherwise", () => {
  const cases = [
    { text: "", users: true },
    { text: "database=*", users: true },
    { text: "exclude=app.log_*", users: true },
    { text: "database=app", users: false },
    { text: "include=app.*", users: false },
    { text: "users=no", users: false },
    { text: "database=app users=yes", users: true },
    { text: "include=app.* users=yes", users: true },
    { text: "database=app users=auto", users: false },
  ];
  for (const { text, users } of cases) assert.equal(scopeOf(options(text)).users, users, text);
  assert.deepEqual(scopeOf(options("database=b,a include=z.*,a.* exclude=a.z,a.b,a.z")), {
    databases: ["a", "b"],
    include: ["a.*", "z.*"],
    exclude: ["a.b", "a.z"],
    users: false,
  });
});

Deno.test("acceptsOf() takes what the patterns choose, and never a server's own", () => {
  const scope = testScope(["app", "admin"], { include: ["*.a*"], exclude: ["app.ab"] });
  const cases: [name: string, plain: boolean, withUsers: boolean][] = [
    ["app.a", true, true],
    ["app.b", false, false],
    ["app.ab", false, false],
    ["other.a", false, false],
    ["app.system.buckets.a", true, true],
    ["app.system.buckets.b", false, false],
    // Each view is asked about by itself, and whatever a server makes on its way may become what is chosen.
    ["app.system.views", true, true],
    ["app.tmp.agg_out.1", true, true],
    ["app.tmpAb3dE.convertToCapped.b", true, true],
    ["other.tmp.agg_out.1", false, false],
    ["app.", true, true],
    ["admin.system.users", false, true],
    ["admin.system.roles", false, true],
    ["admin.system.version", false, true],
    ["admin.system.keys", false, false],
    // What a restore has gathered there isn't anybody's data.
    ["admin.podheitor_mongodb_users", false, false],
    ["admin.a", true, true],
    ["config.a", false, false],
    ["local.a", false, false],
  ];
  for (const [name, plain, withUsers] of cases) {
    const namespace = parseNamespace(name);
    assert.equal(acceptsOf(scope)(namespace), plain, name);
    assert.equal(acceptsOf({ ...scope, users: true })(namespace), withUsers, name);
  }
  assert.equal(acceptsOf(testScope())(parseNamespace("admin.podheitor_mongodb_roles")), false);
});

Deno.test("narrowDatabases() leaves out those of which nothing can be chosen", () => {
  const names = ["app", "logs", "shop"];
  const cases = [
    { options: {}, want: names },
    { options: { include: ["app.a", "s*.*"] }, want: ["app", "shop"] },
    { options: { exclude: ["logs.*"] }, want: ["app", "shop"] },
    { options: { exclude: ["logs.*", "app.a*", "shop.a"] }, want: ["app", "shop"] },
    { options: { exclude: ["*.*"] }, want: [] },
  ];
  for (const { options, want } of cases) {
    assert.deepEqual(narrowDatabases(names, testScope(["*"], options), noUsers), want);
  }
});

Deno.test("ScopedSource lists what is chosen, users among the rest of admin", async () => {
  const one = (name: string) => ({ name, documents: [] });
  const memory = new MemorySource({ admin: [one("mine"), one("tzar")], app: [one("a"), one("b")] }, {}, [
    "system.roles",
    "system.users",
  ]);
  const list = async (scope: ReturnType<typeof testScope>) => {
    const source = new ScopedSource(memory, scope);
    const names: string[] = [];
    for (const database of await source.listDatabases()) {
      names.push(
        ...(await source.listCollections(database)).map(({ namespace }) => formatNamespace(namespace)),
      );
    }
    return names;
  };
  const users = ["admin.system.roles", "admin.system.users"];
  assert.deepEqual(await list(testScope()), ["admin.mine", "admin.tzar", "app.a", "app.b"]);
  assert.deepEqual(await list(testScope(["*"], { users: true })), [
    "admin.mine",
    ...users,
    "admin.tzar",
    "app.a",
    "app.b",
  ]);
  assert.deepEqual(await list(testScope(["*"], { include: ["app.a"], users: true })), [...users, "app.a"]);
  assert.deepEqual(await list(testScope(["*"], { exclude: ["*.a", "admin.*"] })), ["app.b"]);
});

Deno.test("logScope() says what isn't in a backup, and never that of what is", () => {
  const said = (text: string) => {
    const log = new MemoryLog();
    logScope(scopeOf(options(text)), noUsers, log);
    return log.lines.join("\n");
  };
  assert.match(
    said(""),
    /^info Users and roles: the server has none\ninfo Not included: the databases config and local$/,
  );
  assert.match(
    said("users=no"),
    /^info Not included: users and roles \(admin\.system\.\*\), and the databases config and local$/,
  );
  assert.match(said("include=a.*"), /^info Scope: database=\* include=a\.\* users=no\n/);
});

const rename = (t: number, from: string, to: string) =>
  commandBytes(place(t), "app", { renameCollection: from, to, stayTemp: false });
const setting = { include: ["app.a*"], exclude: ["app.ab"] };

const borders: readonly { name: string; entry: Uint8Array; want: "kept" | "left" | RegExp }[] = [
  { name: "within", entry: rename(1001, "app.a", "app.ax"), want: "kept" },
  { name: "outside", entry: rename(1001, "app.b", "app.c"), want: "left" },
  {
    name: "into it",
    entry: rename(1001, "app.b", "app.a"),
    want: /app\.b to app\.a: it leads into what .* aren't in the chain/,
  },
  {
    name: "out of it",
    entry: rename(1001, "app.a", "app.b"),
    want: /app\.a to app\.b: it leads out of what/,
  },
  { name: "into what is left out", entry: rename(1001, "app.a", "app.ab"), want: /leads out of what/ },
  { name: "a temporary one into it", entry: rename(1001, "app.tmp.agg_out.1", "app.a"), want: "kept" },
  { name: "a temporary one out of it", entry: rename(1001, "app.tmp.agg_out.1", "app.b"), want: "kept" },
  {
    name: "what was never in it to a temporary one",
    entry: rename(1001, "app.b", "app.tmp.agg_out.1"),
    want: /into what/,
  },
  {
    name: "another database's temporary one",
    entry: rename(1001, "x.tmp.agg_out.1", "app.a"),
    want: /into what/,
  },
  {
    name: "within an applyOps of a user",
    entry: commandBytes(place(1001), "admin", {
      applyOps: [{ op: "c", ns: "app.$cmd", o: { renameCollection: "app.b", to: "app.a" } }],
    }),
    want: /leads into what/,
  },
];

Deno.test("OplogCapture refuses renames over the border of its scope, whatever the job", async () => {
  for (const { name, entry, want } of borders) {
    const captured = captureAll({ entries: [insert(1000), entry], databases: ["app"], ...setting });
    if (want instanceof RegExp) {
      await assert.rejects(captured, { code: "oplogUnreplayable", message: want, hint: /^Run a Full/ }, name);
    } else assert.deepEqual((await captured).sent, want === "kept" ? hex([entry]) : [], name);
  }
});

Deno.test("OplogCapture takes views, users and parts of transactions as its scope says", async () => {
  const on = (t: number, op: string, ns: string, o: Document, o2?: Document) =>
    entryBytes({ op, ns, o, at: place(t), ...o2 === undefined ? {} : { o2 } });
  const entries = [
    insert(1000),
    on(1001, "i", "app.system.views", { _id: "app.av", viewOn: "b" }),
    on(1002, "i", "app.system.views", { _id: "app.bv", viewOn: "a" }),
    on(1003, "u", "app.system.views", { $v: 2, diff: {} }, { _id: "app.av" }),
    on(1004, "d", "app.system.views", { _id: "app.bv" }),
    on(1005, "i", "admin.system.users", { _id: "app.alice" }),
    on(1006, "i", "admin.system.version", { _id: "authSchema", currentVersion: 5 }),
    on(1007, "i", "admin.podheitor_mongodb_users", { _id: "app.alice" }),
    commandBytes(place(1008), "admin", {
      applyOps: [{ op: "i", ns: "app.a", o: { _id: 1 } }, { op: "i", ns: "app.b", o: { _id: 1 } }],
    }, transactionFields(1, null)),
  ];
  const cut = commandBytes(place(1008), "admin", {
    applyOps: [{ op: "i", ns: "app.a", o: { _id: 1 } }],
  }, transactionFields(1, null));
  const plain = await captureAll({ entries, databases: ["app"], ...setting });
  assert.deepEqual(plain.sent, hex([entries[1]!, entries[3]!, cut]));
  assert.equal(plain.slice.cutTransactions, 1);
  const { sent } = await captureAll({ entries, databases: ["app"], ...setting, users: true });
  assert.deepEqual(sent, hex([entries[1]!, entries[3]!, entries[5]!, entries[6]!, cut]));
});
