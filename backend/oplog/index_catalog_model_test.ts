import assert from "node:assert/strict";
import { Double, Int32, Long, serialize } from "bson";
import fc from "fast-check";
import { elements, findElement } from "../bson/document.ts";
import { formatNamespace, parseNamespace } from "../namespace.ts";
import { IndexCatalog } from "./index_catalog.ts";

/** In their order, which objects don't keep for names like numbers. */
type Fields = readonly (readonly [string, unknown])[];

const unreplayable = { name: "PluginError", code: "oplogUnreplayable" };

function raw(fields: Fields): Uint8Array {
  return serialize(new Map(fields));
}

function index(name: string, key: Fields, ...options: Fields): Uint8Array {
  return raw([["v", new Int32(2)], ["key", new Map(key)], ["name", name], ...options]);
}

function element(value: unknown) {
  return findElement(raw([["index", value]]), "index")!;
}

interface ModelIndex {
  readonly name: string;
  readonly key: Fields;
  readonly options: Map<string, unknown>;
}

/** What the catalog should be, as lists that are searched from their beginning. */
class Model {
  readonly collections = new Map<string, { isCollated: boolean; indexes: ModelIndex[] }>();

  at(namespace: string) {
    if (!this.collections.has(namespace)) this.make(namespace, false);
    return this.collections.get(namespace)!;
  }

  make(namespace: string, isCollated: boolean): void {
    this.collections.set(namespace, { isCollated, indexes: [] });
  }

  add(namespace: string, added: ModelIndex): void {
    const { indexes } = this.at(namespace);
    const at = indexes.findIndex(({ name }) => name === added.name);
    indexes.splice(at < 0 ? indexes.length : at, at < 0 ? 0 : 1, added);
  }

  /** False where there is no such index. */
  remove(namespace: string, matches: (one: ModelIndex) => boolean): boolean {
    const { indexes } = this.at(namespace);
    const at = indexes.findIndex(matches);
    if (at >= 0) indexes.splice(at, 1);
    return at >= 0;
  }

  modify(found: ModelIndex, change: Fields): void {
    const changes = new Map(change);
    for (const [option, value] of changes) {
      if (option === "expireAfterSeconds" || value === true) found.options.set(option, value);
      else found.options.delete(option);
    }
    if (changes.has("unique")) found.options.delete("prepareUnique");
    if (found.options.delete("forceNonUnique")) found.options.delete("unique");
  }

  describe(): unknown[] {
    const held = [...this.collections].filter(([, { indexes }]) => indexes.length > 0);
    return held.map(([namespace, { isCollated, indexes }]) => ({
      namespace,
      isCollated,
      indexes: indexes.map(({ name, key, options }) => describeIndex(index(name, key, ...options))),
    })).sort((one, other) => (one.namespace < other.namespace ? -1 : 1));
  }
}

/** Name, key and options, whatever the order of these. */
function describeIndex(spec: Uint8Array): string[] {
  return [...elements(spec)].map(({ key, type, value }) => `${key}=${type}:${value.toHex()}`).sort();
}

function describeCatalog(catalog: IndexCatalog): unknown[] {
  return [...catalog.entries()].map(({ namespace, isCollated, indexes }) => ({
    namespace: formatNamespace(namespace),
    isCollated,
    indexes: indexes.map(describeIndex),
  }));
}

const numbers = [1, -1].flatMap((value) => [new Int32(value), Long.fromNumber(value), new Double(value)]);
const direction = fc.constantFrom<unknown>(...numbers, "hashed", "text");
const someKey = fc.uniqueArray(fc.tuple(fc.constantFrom("1", "10", "__proto__", "a"), direction), {
  minLength: 1,
  maxLength: 2,
  selector: ([field]) => field,
});
const someName = fc.constantFrom("a_1", "1", "10", "__proto__", "toString");
const someNamespace = fc.constantFrom("app.a", "app.b", "app.a.b", "zoo.system.buckets.t");
const someIndex = fc.record({
  name: someName,
  key: someKey,
  options: fc.uniqueArray(
    fc.constantFrom<[string, unknown]>(["sparse", true], ["unique", true], ["hidden", true], [
      "prepareUnique",
      true,
    ]),
    { selector: ([option]) => option },
  ),
});
const someChange = fc.uniqueArray(
  fc.constantFrom<[string, unknown]>(
    ["hidden", true],
    ["hidden", false],
    ["prepareUnique", true],
    ["prepareUnique", false],
    ["unique", true],
    ["forceNonUnique", true],
    ["expireAfterSeconds", new Double(NaN)],
    ["expireAfterSeconds", Long.fromNumber(7)],
  ),
  { selector: ([option]) => option },
);
const someStep = fc.record({
  kind: fc.constantFrom(
    ...["set", "add", "add", "add", "add", "dropName", "dropList", "dropKey", "dropAll"] as const,
    ...["abort", "modifyName", "modifyKey", "create", "forget", "rename"] as const,
  ),
  at: someNamespace,
  to: someNamespace,
  one: someIndex,
  other: someIndex,
  change: someChange,
  flag: fc.boolean(),
});
type Step = typeof someStep extends fc.Arbitrary<infer T> ? T : never;

function sameKey(one: Fields, other: Fields): boolean {
  const plain = (key: Fields) =>
    key.map(([field, value]) => `${field} ${typeof value === "string" ? value : Number(value)}`).join();
  return plain(one) === plain(other);
}

/** Takes a step in both; false where both refuse it. */
function take(step: Step, catalog: IndexCatalog, model: Model): boolean {
  const { kind, at, to, one, other, change, flag: lenient } = step;
  const namespace = parseNamespace(at);
  const named = (wanted: string) => ({ name }: ModelIndex) => name === wanted;
  const keyed = ({ key }: ModelIndex) => sameKey(key, one.key);
  const fresh = (from: typeof one) => ({ ...from, options: new Map(from.options) });
  const spec = (from: typeof one) => index(from.name, from.key, ...from.options);
  /** As the model says: done, or refused unless lenient. */
  const expect = (isKnown: boolean, work: () => void): boolean => {
    if (isKnown || lenient) work();
    else assert.throws(work, unreplayable);
    return isKnown || lenient;
  };
  const modify = (selector: readonly [string, unknown], matches: (one: ModelIndex) => boolean) => {
    const found = model.at(at).indexes.find(matches);
    if (found !== undefined) model.modify(found, change);
    return expect(
      found !== undefined,
      () => catalog.modify(namespace, raw([selector, ...change]), lenient),
    );
  };
  switch (kind) {
    case "set":
      model.make(at, lenient);
      for (const each of [one, other]) model.add(at, fresh(each));
      catalog.set(namespace, [spec(one), spec(other)], lenient);
      return true;
    case "add":
      model.add(at, fresh(one));
      catalog.add(namespace, spec(one));
      return true;
    case "dropName":
      return expect(
        model.remove(at, named(one.name)),
        () => catalog.drop(namespace, element(one.name), lenient),
      );
    case "dropList": {
      const known = [one, other].map(({ name }) => model.remove(at, named(name)));
      return expect(
        known.every(Boolean),
        () => catalog.drop(namespace, element([one.name, other.name]), lenient),
      );
    }
    case "dropKey":
      return expect(
        model.remove(at, keyed),
        () => catalog.drop(namespace, element(new Map(one.key)), lenient),
      );
    case "dropAll":
      model.at(at).indexes.length = 0;
      catalog.drop(namespace, element("*"), lenient);
      return true;
    case "abort":
      for (const { name } of [one, other]) model.remove(at, named(name));
      catalog.abort(namespace, [spec(one), spec(other)]);
      return true;
    case "modifyName":
      return modify(["name", one.name], named(one.name));
    case "modifyKey":
      return modify(["keyPattern", new Map(one.key)], keyed);
    case "create":
      model.make(at, lenient);
      catalog.create(namespace, lenient);
      return true;
    case "forget":
      model.collections.delete(at);
      catalog.forget(namespace);
      return true;
    case "rename": {
      const moved = model.at(at);
      model.collections.delete(at);
      model.collections.set(to, moved);
      catalog.rename(namespace, parseNamespace(to));
      return true;
    }
  }
}

Deno.test("IndexCatalog ends up with what a simple model has, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 40 }), (steps) => {
      const [catalog, model] = [new IndexCatalog(), new Model()];
      for (const step of steps) {
        // A replay ends with its first refusal: nothing is said of what is left then.
        if (!take(step, catalog, model)) return;
        assert.deepEqual(describeCatalog(catalog), model.describe());
      }
    }),
    { numRuns: 500 },
  );
});
