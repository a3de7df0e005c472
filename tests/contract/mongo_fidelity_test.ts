/**
 * Whole jobs on a real server: what a Full read and its restore wrote is what there was, byte for byte.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Document, UUID } from "mongodb";
import { DumpDirectory } from "../../backend/folder/dump_directory.ts";
import { formatNamespace } from "../../backend/namespace.ts";
import { openTarget } from "../../backend/mongo/target.ts";
import { Secret } from "../../backend/secret.ts";
import { bytesOf, openServer, readDocuments, withoutUuid } from "./mongo_edges.ts";
import { large, members, nested, scalars, withId } from "./raw_documents.ts";
import { backUp, restore } from "./engine_jobs.ts";

type Server = Awaited<ReturnType<typeof openServer>>;

/** Everything that the source tells of its databases, raw, and the server's own hashes. */
async function readAll({ app, source }: Pick<Server, "app" | "source">): Promise<Document> {
  const all: Document = {};
  for (const name of await source.listDatabases()) {
    const { collections } = await app.client.db(name).command({ dbHash: 1 });
    all[`${name} hashes`] = collections;
    for (const collection of await source.listCollections(name)) {
      const { namespace, data } = collection;
      const documents = data === null ? [] : await readDocuments(source, data);
      const isCapped = collection.metadata.includes('"capped":true');
      all[formatNamespace(namespace)] = {
        metadata: withoutUuid(collection),
        documents: isCapped ? documents : documents.sort(),
      };
    }
  }
  return all;
}

/** Backs up everything, drops it, restores it, and holds what is there against what was there. */
async function assertJobRoundTrip(server: Server): Promise<void> {
  // A last entry of the oplog that everything else lies before: what is looked at here is the dump, not the replay.
  await server.app.client.db("last").collection("entry").insertOne({}, { writeConcern: { w: "majority" } });
  const before = await readAll(server);
  const { sink } = await backUp(server.source);
  for (const name of await server.source.listDatabases()) {
    await server.app.client.db(name).dropDatabase({ writeConcern: { w: "majority" } });
  }
  assert.deepEqual(await server.source.listDatabases(), []);
  // The job closes its target.
  await restore(sink, await openTarget(new Secret(server.set.uri)));
  assert.deepEqual(await readAll(server), before);
}

/** Adds raw documents, and looks that the server holds these very bytes. */
async function fill(
  { source, target }: Server,
  name: string,
  documents: readonly Uint8Array[],
): Promise<void> {
  const collection = (await source.listCollections("app")).find(({ namespace }) =>
    namespace.collection === name
  )!;
  const hex = documents.map((document) => document.toHex());
  await target.write(collection, bytesOf(hex));
  assert.deepEqual((await readDocuments(source, collection.namespace)).sort(), hex.sort());
}

const versionOf = ({ set }: Server) => Number(set.binary.version.split(".")[0]);

Deno.test("A Full and its restore bring back random documents of every BSON type byte for byte", async () => {
  await using server = await openServer();
  const { app } = server;
  const kinds: Record<string, Document> = {
    plain: {},
    capped: { capped: true, size: 1 << 24 },
    collated: { collation: { locale: "de", strength: 1 } },
    ...versionOf(server) >= 6 ? { clustered: { clusteredIndex: { key: { _id: 1 }, unique: true } } } : {},
  };
  const documents = fc.array(members(versionOf(server) >= 5), { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(documents, async (contents) => {
      await app.dropDatabase({ writeConcern: { w: "majority" } });
      for (const [name, options] of Object.entries(kinds)) {
        await app.command({ create: name, ...options });
        await fill(server, name, contents.map((content, at) => withId(at, content)));
      }
      await assertJobRoundTrip(server);
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

Deno.test("A Full and its restore bring back each type on its own, deep nesting, and documents of 16 MiB", async () => {
  await using server = await openServer();
  const { app } = server;
  for (const name of ["types", "deep", "large"]) await app.createCollection(name);
  const types = Object.entries(scalars).flatMap(([key, values]) =>
    fc.sample(values, 20).map((one) => ({ key, ...one }))
  );
  await fill(server, "types", types.map((one, at) => withId(at, [one])));
  await fill(server, "deep", [10, 100, 150].map((depth, at) => withId(at, [nested(depth)])));
  const overhead = withId(0, [large(0)]).length;
  await fill(server, "large", [0, 1].map((at) => withId(at, [large((16 << 20) - overhead - at)])));
  await assertJobRoundTrip(server);
});

const longest = `long ${"x".repeat(230)}`;

/** Names that a file system, a path or a pattern would mind. */
const oddNames = [
  "a/b",
  "a:b",
  "a*b?",
  "newline\n",
  "\n",
  " ",
  "a..b",
  "%41",
  "A",
  "a",
  "orders",
  "Orders",
  "orders.bson",
  "orders.metadata.json",
  "orders.bson.00001",
  "äöü \u{1f600}",
  "a\\b|<>\"'",
  "__proto__",
  longest,
  "ä".repeat(115),
];

Deno.test("A Full and its restore bring back collections and databases of odd names, also as a directory", async () => {
  await using server = await openServer();
  const { app, source } = server;
  const databaseNames = ["app", "a-b", "ä", "a:b*?", "%41", "x|<>", "__proto__x"];
  for (const database of databaseNames) {
    const db = app.client.db(database);
    for (const name of database === "app" ? oddNames : ["one"]) {
      await db.collection<{ _id: string }>(name).insertOne({ _id: `${database}.${name}` });
    }
  }
  await app.createCollection("empty");
  const { sink } = await backUp(source);
  const root = await Deno.makeTempDir();
  try {
    await restore(sink, await DumpDirectory.open(`${root}/dump`));
    const metadata: string[] = [];
    for (const database of databaseNames) {
      const folder = `${root}/dump/${database}`;
      for await (const { name } of Deno.readDir(folder)) {
        if (!name.endsWith(".metadata.json")) continue;
        const { collectionName } = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
        const data = await Deno.readFile(`${folder}/${name.replace(/\.metadata\.json$/, ".bson")}`);
        const found = collectionName === "empty"
          ? data.length === 0
          : new TextDecoder().decode(data).includes(`${database}.${collectionName}`);
        assert.ok(found, `${database}.${collectionName}`);
        metadata.push(`${database}.${collectionName}`);
      }
    }
    assert.equal(new Set(metadata).size, oddNames.length + 1 + databaseNames.length - 1);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
  await assertJobRoundTrip(server);
});

Deno.test("A Full and its restore bring back GridFS, system.js, views of views, and time series with their buckets", async () => {
  await using server = await openServer();
  const { app } = server;
  const files = app.collection("fs.files");
  await files.insertOne({ filename: "x", length: 600_000, chunkSize: 261_120, uploadDate: new Date(0) });
  await files.createIndex({ filename: 1, uploadDate: 1 });
  await app.collection("fs.chunks").insertMany(
    [0, 1, 2].map((n) => ({ files_id: 1, n, data: new Uint8Array(200_000).fill(n) })),
  );
  await app.collection("fs.chunks").createIndex({ files_id: 1, n: 1 }, { unique: true });
  await app.collection<{ _id: string }>("system.js").insertOne({ _id: "f" });
  const pipeline = [{ $match: { "10": 1, "2": { $gt: 1 } } }, {
    $addFields: { x: { $literal: { "": 1, "10": 1, "2": 1 } } },
  }];
  await app.createCollection("view", { viewOn: "fs.files", pipeline, collation: { locale: "fr" } });
  await app.createCollection("view of view", { viewOn: "view", pipeline: [], collation: { locale: "fr" } });
  await app.createCollection("view of nothing", { viewOn: "nothing", pipeline: [] });
  if (versionOf(server) >= 5) {
    const rows = [
      { timeField: "t" },
      { timeField: "t", metaField: "m", granularity: "minutes" },
      { timeField: "t", metaField: "m", granularity: "hours" },
    ] as const;
    for (const [at, timeseries] of rows.entries()) {
      const name = `series ${at}`;
      await app.createCollection(name, { timeseries, expireAfterSeconds: 1e9 });
      await app.collection(name).insertMany(
        Array.from(
          { length: 200 },
          (_, n) => ({ t: new Date(1.7e12 + n * 1e6), m: n % 3, n: [n, { "": n }] }),
        ),
      );
    }
  }
  await assertJobRoundTrip(server);
});

Deno.test("A Full says of pre-images and of encrypted fields what it can't carry", async () => {
  await using server = await openServer();
  const { app, source } = server;
  await app.createCollection("plain");
  const rows: { name: string; options: Document; want: RegExp }[] = [];
  if (versionOf(server) >= 6) {
    const images = { changeStreamPreAndPostImages: { enabled: true } };
    rows.push({ name: "images", options: images, want: /images are not in the backup/ });
    const encryptedFields = { fields: [{ keyId: new UUID(), path: "secret", bsonType: "string" }] };
    rows.push({ name: "secret", options: { encryptedFields }, want: /Queryable Encryption/ });
  }
  for (const { name, options } of rows) await app.command({ create: name, ...options });
  const { log } = await backUp(source);
  for (const { name, want } of rows) {
    const said = log.lines.filter((line) => line.includes(`app.${name}: `));
    assert.equal(said.length, 1, said.join());
    assert.match(said[0]!, want);
  }
  assert.ok(!log.lines.some((line) => line.includes("app.plain: ")));
  assert.ok(
    log.lines.some((line) => line.includes("Not included: the databases config and local")),
    log.lines.join(),
  );
  await assertJobRoundTrip(server);
});
