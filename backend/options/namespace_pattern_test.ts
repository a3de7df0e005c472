import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../errors.ts";
import { formatNamespace, parseNamespace } from "../namespace.ts";
import { countStars, NamespaceFilter, NamespaceMap } from "./namespace_pattern.ts";

const fitting = [
  { pattern: "app.orders", name: "app.orders" },
  { pattern: "app.*", name: "app.orders" },
  { pattern: "app.*", name: "app.orders.archive" },
  { pattern: "app.*.archive", name: "app.orders.archive" },
  { pattern: "app.a.b", name: "app.a.b" },
  { pattern: "*.orders", name: "shop.orders" },
  { pattern: "*.*", name: "shop.orders.archive" },
  { pattern: "app_*.log_*_old", name: "app_1.log_a_b_old" },
  { pattern: "app.*", name: "app." },
  { pattern: "app.**", name: "app.x" },
  { pattern: "app.*ab", name: "app.aab" },
  { pattern: "app.a+(b)", name: "app.a+(b)" },
];

for (const { pattern, name } of fitting) {
  Deno.test(`NamespaceFilter: ${pattern} takes ${name}`, () =>
    ok(new NamespaceFilter([pattern], []).accepts(parseNamespace(name))));
}

const unfitting = [
  { pattern: "app.orders", name: "app.orders2" },
  { pattern: "app.orders", name: "app2.orders" },
  { pattern: "app.*", name: "app2.orders" },
  { pattern: "app.*", name: "App.orders" },
  { pattern: "*.orders", name: "shop.archive.orders" },
  { pattern: "app*.orders", name: "app.x.orders" },
  { pattern: "app.aXb", name: "app.a.b" },
  { pattern: "app.a.b", name: "app.aXb" },
  { pattern: "app.ab*ba", name: "app.aba" },
  { pattern: "app.*ab*ab", name: "app.xab" },
  { pattern: "app.a+", name: "app.aa" },
];

for (const { pattern, name } of unfitting) {
  Deno.test(`NamespaceFilter: ${pattern} doesn't take ${name}`, () =>
    ok(!new NamespaceFilter([pattern], []).accepts(parseNamespace(name))));
}

Deno.test("NamespaceFilter: without include it takes all, and exclude comes before include", () => {
  const orders = parseNamespace("app.orders");
  const rows = [
    { include: [], exclude: [], takes: true },
    { include: [], exclude: ["app.*"], takes: false },
    { include: [], exclude: ["shop.*"], takes: true },
    { include: ["shop.*"], exclude: [], takes: false },
    { include: ["shop.*", "app.*"], exclude: [], takes: true },
    { include: ["app.orders"], exclude: ["app.*"], takes: false },
  ];
  for (const { include, exclude, takes } of rows) {
    const filter = new NamespaceFilter(include, exclude);
    strictEqual(filter.accepts(orders), takes, JSON.stringify({ include, exclude }));
  }
});

const renamed = [
  { from: ["app.*"], to: ["copy.*"], name: "app.orders", want: "copy.orders" },
  { from: ["app.*"], to: ["copy.*"], name: "app.a.b", want: "copy.a.b" },
  { from: ["app.*"], to: ["copy.*"], name: "shop.orders", want: "shop.orders" },
  { from: ["app.*"], to: ["copy.*"], name: "app.", want: "copy." },
  { from: ["*.orders"], to: ["shop.*_orders"], name: "app.orders", want: "shop.app_orders" },
  { from: ["data.*_*"], to: ["*.*"], name: "data.me_orders", want: "me.orders" },
  { from: ["data.*_*"], to: ["*.*"], name: "data.me_a_b", want: "me.a_b" },
  { from: ["app.log_*"], to: ["log.app_*"], name: "app.log_1", want: "log.app_1" },
  { from: ["app.orders", "app.*"], to: ["app.old", "copy.*"], name: "app.orders", want: "app.old" },
  { from: ["app.*", "app.orders"], to: ["copy.*", "app.old"], name: "app.orders", want: "copy.orders" },
  { from: ["app.*"], to: ["copy.$&_*"], name: "app.$1", want: "copy.$&_$1" },
];

for (const { from, to, name, want } of renamed) {
  Deno.test(`NamespaceMap: ${from} to ${to} makes ${name} ${want}`, () =>
    strictEqual(formatNamespace(new NamespaceMap(from, to).map(parseNamespace(name))), want));
}

const unnameable = [
  { name: "a database with a dot", from: "data.*_*", to: "*.*", of: "data.a.b_orders", database: "a.b" },
  { name: "a database without a name", from: "data.*_*", to: "*.*", of: "data._orders", database: "" },
  { name: "a collection without a name", from: "app.old_*", to: "app.*", of: "app.old_", database: "app" },
  {
    name: "a collection that begins with a dot",
    from: "app.a*",
    to: "app.*",
    of: "app.a.b",
    database: "app",
  },
];

for (const { name, from, to, of, database } of unnameable) {
  Deno.test(`NamespaceMap: refuses to make ${name}`, () => {
    throws(() => new NamespaceMap([from], [to]).map(parseNamespace(of)), {
      code: "restoreRequest",
      message: new RegExp(`^Cannot rename ${of.replaceAll(".", "\\.")}: .*database "${database}"`),
    });
  });
}

Deno.test("NamespaceMap: it is the identity when no pair changes a name", () => {
  strictEqual(new NamespaceMap([], []).isIdentity, true);
  strictEqual(new NamespaceMap(["app.*"], ["app.*"]).isIdentity, true);
  strictEqual(new NamespaceMap(["app.*", "a.b"], ["app.*", "a.c"]).isIdentity, false);
});

const rows = [{ text: "a.b", want: 0 }, { text: "a.*", want: 1 }, { text: "*.a**", want: 3 }];
Deno.test("countStars() counts all of them", () => {
  for (const { text, want } of rows) strictEqual(countStars(text), want);
});

const letters = fc.string({ unit: fc.constantFrom("a", "b", "_", "(", "$"), maxLength: 6 });
const dotted = fc.string({ unit: fc.constantFrom("a", "b", ".", "_"), maxLength: 8 });
const namespace = fc.record({ database: letters, collection: dotted }, { noNullPrototype: true });
/** As collections have them: without a name, it would be a database's own. */
const named = namespace.filter(({ collection }) => collection !== "");
const pattern = fc.tuple(
  fc.string({ unit: fc.constantFrom("a", "b", "_", "*", "("), maxLength: 5 }),
  fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "_"), maxLength: 7 }),
).map((parts) => parts.join("."));

/** What the pattern means, said as a regular expression. */
function expression(text: string): RegExp {
  const { database, collection } = parseNamespace(text);
  const translate = (part: string, any: string) =>
    part.split("*").map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(any);
  return new RegExp(`^${translate(database, "([^.]*?)")}\\.${translate(collection, "(.*?)")}$`, "s");
}

Deno.test("NamespaceFilter: a pattern takes what the regular expression of the same meaning takes", () => {
  fc.assert(
    fc.property(pattern, namespace, (pattern, namespace) => {
      const want = expression(pattern).test(formatNamespace(namespace));
      strictEqual(new NamespaceFilter([pattern], []).accepts(namespace), want);
      strictEqual(new NamespaceFilter([], [pattern]).accepts(namespace), !want);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("NamespaceFilter.mayAcceptOf() is true wherever a collection of the database is taken", () => {
  const patterns = fc.array(pattern, { maxLength: 3 });
  fc.assert(
    fc.property(patterns, patterns, namespace, (include, exclude, one) => {
      const filter = new NamespaceFilter(include, exclude);
      if (filter.accepts(one)) ok(filter.mayAcceptOf(one.database));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("NamespaceMap: each star takes what a lazy group of a regular expression takes", () => {
  fc.assert(
    fc.property(pattern, named, (from, namespace) => {
      const match = expression(from).exec(formatNamespace(namespace));
      const to = `new.x${Array.from({ length: countStars(from) }, () => "<*>").join("")}`;
      const renamed = formatNamespace(new NamespaceMap([from], [to]).map(namespace));
      strictEqual(
        renamed,
        match === null
          ? formatNamespace(namespace)
          : `new.x${match.slice(1).map((group) => `<${group}>`).join("")}`,
      );
    }),
    { numRuns: 5000 },
  );
});

Deno.test("NamespaceMap: back and forth is where it began", () => {
  const [there, back] = [
    new NamespaceMap(["a.*", "b.x*"], ["new.*", "new2.y*"]),
    new NamespaceMap(["new.*", "new2.y*"], ["a.*", "b.x*"]),
  ];
  const among = fc.record({
    database: fc.constantFrom("a", "b", "c"),
    collection: dotted.map((x) => `x${x}`),
  }, { noNullPrototype: true });
  fc.assert(fc.property(among, (one) => deepStrictEqual(back.map(there.map(one)), one)));
});

Deno.test("NamespaceMap: gives names that a collection can have, or a refusal", () => {
  const two = fc.tuple(pattern, pattern).filter(([from, to]) => countStars(from) === countStars(to));
  const real = namespace.filter(({ database, collection }) => database !== "" && /^[^.]/.test(collection));
  fc.assert(
    fc.property(two, real, ([from, to], one) => {
      try {
        const renamed = new NamespaceMap([from], [to]).map(one);
        ok(/^[^.]+\.[^.]/.test(formatNamespace(renamed)), formatNamespace(renamed));
        deepStrictEqual(parseNamespace(formatNamespace(renamed)), renamed);
      } catch (thrown) {
        ok(thrown instanceof PluginError && thrown.code === "restoreRequest", String(thrown));
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("NamespaceFilter: a long name and many stars are no work", () => {
  const name = { database: "a".repeat(64), collection: "a".repeat(50_000) };
  const filter = new NamespaceFilter([
    `${"*a".repeat(8)}b.*`,
    `*.${"*a".repeat(2000)}b`,
    `*.${"*aaab".repeat(8)}`,
  ], []);
  const started = performance.now();
  for (let at = 0; at < 20; at++) ok(!filter.accepts(name));
  const elapsed = performance.now() - started;
  ok(elapsed < 2000, `${elapsed} ms`);
});
