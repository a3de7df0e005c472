import assert from "node:assert/strict";
import fc from "fast-check";
import { MemorySource } from "../../tests/contract/memory.ts";
import type { FileHeader } from "../objects.ts";
import { answerQuery, runListing } from "./listing.ts";

const one = (name: string, size = 0) => ({
  name,
  documents: size === 0 ? [] : [new Uint8Array(size)],
  sizeHintBytes: size,
});
const source = new MemorySource({
  app: [one("orders", 300), one("a/b ü", 20), one("empty")],
  "my db": [one("x.bson", 7)],
});

/** What a listing announces; directories end in a slash. */
async function list(path: string, from = source): Promise<[name: string, size: number][]> {
  const found: [string, number][] = [];
  const take = (ending: string) => ({ name, size }: FileHeader) => {
    found.push([`${name}${ending}`, size]);
    return Promise.resolve();
  };
  await runListing({
    source: from,
    resource: "rs0",
    announceFile: take(""),
    announceDirectory: take("/"),
    timeSeconds: 1,
  }, path);
  return found;
}

Deno.test("runListing() names databases, collections, and one of these", async () => {
  const root = [["/@mongodb/rs0/app/", 320], ["/@mongodb/rs0/my%20db/", 7]];
  const app = [
    ["/@mongodb/rs0/app/orders.bson", 300],
    ["/@mongodb/rs0/app/a%2Fb%20%C3%BC.bson", 20],
    ["/@mongodb/rs0/app/empty.bson", 0],
  ];
  const own = [["/@mongodb/rs0/my%20db/x.bson.bson", 7]];
  const cases: [paths: string[], want: unknown][] = [
    [["/", "", "//", "/@mongodb", "/@mongodb/", "/@mongodb/rs0", "/@mongodb/rs0/"], root],
    [["/app", "app/", "/@mongodb/rs0/app", "/@mongodb//rs0/app//"], app],
    [["/app/orders", "/app/orders.bson", "/@mongodb/rs0/app/orders.metadata.json"], [app[0]]],
    [["/app/a%2Fb%20%C3%BC.bson", "/app/a%2Fb%20%C3%BC"], [app[1]]],
    [["/my db", "/my%20db", "/my db/x.bson", "/@mongodb/rs0/my%20db/x.bson.bson"], own],
  ];
  for (const [paths, want] of cases) for (const path of paths) assert.deepEqual(await list(path), want, path);
});

Deno.test("runListing() says what there isn't, and what may be meant", async () => {
  const cases: [path: string, want: RegExp][] = [
    ["/ap", /Cannot list "\/ap": the server has no such database; did you mean "app"\?/],
    ["/nowhere", /"\/nowhere": the server has no such database$/],
    ["/app/order", /the database has no such collection; did you mean "orders"\?/],
    ["/app/orders.bson/x", /the database has no such collection/],
    ["/@mongodb/rs1/app", /the plugin command is of another resource/],
  ];
  for (const [path, message] of cases) {
    await assert.rejects(list(path), { code: "optionInvalid", message }, path);
  }
});

Deno.test("runListing() finds everything that it names, whatever its name", async () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map((text) => text.toWellFormed())
    .filter((text) => !text.includes("\0"));
  const database = name.filter((text) => !/[/\\. "$]/.test(text) && text !== "@mongodb");
  const databases = fc.dictionary(
    database,
    fc.uniqueArray(name, { minLength: 1, maxLength: 4 }).map((names) => names.map((name) => one(name, 5))),
    { maxKeys: 3 },
  );
  await fc.assert(fc.asyncProperty(databases, async (databases) => {
    const from = new MemorySource(databases);
    const root = await list("/", from);
    assert.equal(root.length, Object.keys(databases).length);
    const files = (await Promise.all(root.map(([directory]) => list(directory, from)))).flat();
    assert.equal(files.length, Object.values(databases).flat().length);
    for (const file of files) {
      const found = await list(file[0], from);
      // A collection "a.bson" answers to the file's name of "a", too.
      assert.ok(found.some(([name]) => name === file[0]), `${file[0]} in ${found}`);
    }
  }));
});

Deno.test("answerQuery() gives the values of a parameter, one line each", async () => {
  const odd = new MemorySource({ app: [one("two\nlines"), one("orders")], shop: [one("x")] });
  assert.deepEqual(await Array.fromAsync(answerQuery(odd, "databases")), ["database=app", "database=shop"]);
  assert.deepEqual(await Array.fromAsync(answerQuery(odd, "collections")), [
    "collection=app.two%0Alines",
    "collection=app.orders",
    "collection=shop.x",
  ]);
});

Deno.test("answerQuery() refuses a parameter that there isn't", async () => {
  for (const parameter of ["tables", "", "toString"]) {
    await assert.rejects(Array.fromAsync(answerQuery(source, parameter)), {
      code: "optionUnavailable",
      message: `Cannot answer: there is no parameter ${JSON.stringify(parameter)}`,
      hint: "The parameters are databases and collections.",
    });
  }
});
