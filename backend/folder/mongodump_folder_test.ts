import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Long, serialize, Timestamp } from "bson";
import { formatNamespace } from "../namespace.ts";
import { collectionFileName } from "./dump_name.ts";
import { MongodumpFolder } from "./mongodump_folder.ts";

const document = serialize({ _id: 1 });
const plain = '{"indexes":[]}';

/** Files by path; a string or BSON. Those that end with .gz are compressed. */
type Tree = Record<string, string | Uint8Array>;

async function withTree(tree: Tree, use: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const [path, content] of Object.entries(tree)) {
      await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${root}/${path}`, path.endsWith(".gz") ? gzipSync(bytes) : bytes);
    }
    await use(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function open(root: string, accepts: (name: string) => boolean = () => true): Promise<MongodumpFolder> {
  return MongodumpFolder.open(root, (namespace) => accepts(formatNamespace(namespace)));
}

function entry(t: number, term?: number): Uint8Array {
  return serialize({
    ts: new Timestamp({ t, i: 1 }),
    ...(term === undefined ? {} : { t: Long.fromNumber(term) }),
    op: "n",
    ns: "",
    o: {},
  });
}

Deno.test("MongodumpFolder: finds every kind of collection, by mongodump's names", async () => {
  const long = "l".repeat(250);
  const cut = await collectionFileName(long);
  const cutBuckets = await collectionFileName(`system.buckets.${long}s`);
  await withTree({
    "prelude.json": '{"ServerVersion":"7.0.16","ToolVersion":"100.12.0"}',
    "app/a+b%2F.bson": document,
    "app/a+b%2F.metadata.json":
      `{"indexes":[],"uuid":"0123456789abcdef0123456789abcdef","collectionName":"a b/"}`,
    "app/gz.bson.gz": document,
    "app/gz.metadata.json.gz": '{"options": {"capped": true}, "indexes": []}\n',
    "app/v.metadata.json": '{"options":{"viewOn":"gz"},"indexes":[],"type":"view"}',
    "app/system.js.bson": document,
    "app/system.js.metadata.json": plain,
    "ts/t.metadata.json": '{"options":{"timeseries":{"timeField":"t"}},"indexes":[]}',
    "ts/system.buckets.t.bson": document,
    [`ts/${cut}.bson`]: document,
    [`ts/${cut}.metadata.json`]: `{"indexes":[],"collectionName":"${long}"}`,
    [`ts/${await collectionFileName(`${long}s`)}.metadata.json`]:
      `{"options":{"timeseries":{"timeField":"t"}},"indexes":[],"collectionName":"${long}s"}`,
    [`ts/${cutBuckets}.bson`]: document,
  }, async (root) => {
    strictEqual(await MongodumpFolder.isOne(root), true);
    const folder = await open(root);
    deepStrictEqual([folder.serverVersion, folder.toolVersion, folder.oplog, folder.warnings], [
      "7.0.16",
      "100.12.0",
      null,
      [],
    ]);
    deepStrictEqual(
      folder.collections.map(({ namespace, kind, data, uuid }) => [
        formatNamespace(namespace),
        kind,
        data?.collection ?? null,
        uuid,
      ]),
      [
        ["app.a b/", "collection", "a b/", "0123456789abcdef0123456789abcdef"],
        ["app.gz", "collection", "gz", null],
        ["app.system.js", "collection", "system.js", null],
        ["app.v", "view", null, null],
        [`ts.${long}`, "collection", long, null],
        [`ts.${long}s`, "timeseries", `system.buckets.${long}s`, null],
        ["ts.t", "timeseries", "system.buckets.t", null],
      ],
    );
    strictEqual(folder.collections[1]!.metadata, '{"options":{"capped":true},"indexes":[]}');
    for (const one of folder.collections.filter(({ data }) => data !== null)) {
      const sizes: number[] = [];
      for await (const batch of folder.readBatches(one, new AbortController().signal)) {
        sizes.push(batch.length);
      }
      deepStrictEqual(sizes, [document.length + 8]);
    }
  });
});

Deno.test("MongodumpFolder: says what it leaves out", async () => {
  await withTree({
    "admin/system.users.bson": document,
    "admin/system.users.metadata.json": plain,
    "admin/system.js.bson": document,
    "admin/system.js.metadata.json": plain,
    "app/$admin.system.roles.bson": document,
    "app/a.bson": document,
    "app/a.metadata.json": plain,
    "app/notes.txt": "x",
    "config/settings.bson": document,
    "config/settings.metadata.json": plain,
    "empty/x/y": "x",
    "README": "x",
  }, async (root) => {
    const folder = await MongodumpFolder.open(root, ({ database }) => database === "app");
    deepStrictEqual(folder.collections.map(({ namespace }) => formatNamespace(namespace)), ["app.a"]);
    deepStrictEqual(folder.warnings, [
      `Not restored of ${root}: README, admin/system.js, admin/system.users, app/$admin.system.roles, app/notes.txt, config/, empty/ ` +
      "(users and roles where they aren't wanted, what is the server's own, and what mongodump doesn't write)",
    ]);
    deepStrictEqual([folder.serverVersion, folder.toolVersion], ["unknown", "unknown"]);
  });
});

for (
  const { what, tree, code = "objectDamaged", want } of [
    {
      what: "documents without metadata",
      tree: { "app/a.bson": document },
      want: /app\/a\.bson: no metadata file/,
    },
    {
      what: "metadata without documents",
      tree: { "app/a.metadata.json": plain },
      want: /restore app\.a: .*a\.metadata\.json is there/,
    },
    {
      what: "buckets without their time series",
      tree: { "app/system.buckets.t.bson": document },
      want: /system\.buckets\.t\.bson: no metadata file/,
    },
    {
      what: "a time series without buckets",
      tree: { "app/t.bson": document, "app/t.metadata.json": '{"options":{"timeseries":{}},"indexes":[]}' },
      code: "unsupportedServer",
      want: /app\.t: it is a time series without a bucket collection/,
    },
    {
      what: "metadata that is no JSON",
      tree: { "app/a.bson": document, "app/a.metadata.json": "{" },
      want: /a\.metadata\.json: at offset 0, /,
    },
    {
      what: "empty metadata",
      tree: { "app/a.bson": document, "app/a.metadata.json": "" },
      want: /a\.metadata\.json: at offset 0, /,
    },
    {
      what: "a file twice",
      tree: { "app/a.bson": document, "app/a.bson.gz": document, "app/a.metadata.json": plain },
      want: /a\.bson: it is there both plain and compressed/,
    },
    {
      what: "a cut name without the whole one",
      tree: {
        [`app/${"l".repeat(208)}%24${"A".repeat(27)}.metadata.json`]:
          '{"indexes":[],"collectionName":"other"}',
      },
      want: /collectionName is "other", which doesn't fit/,
    },
    {
      what: "a prelude that is no JSON",
      tree: { "prelude.json": "x" },
      want: /prelude\.json: at offset 0, it is no JSON/,
    },
    {
      what: "an oplog of other documents",
      tree: { "oplog.bson": document },
      want: /oplog\.bson: at offset 0, the document is no oplog entry/,
    },
    {
      what: "a database's folder alone",
      tree: { "a.bson": document, "a.metadata.json": plain },
      code: "usage",
      want: /as a database's folder/,
    },
    {
      what: "a folder that is no database's",
      tree: { "a.b/a.bson": document },
      code: "usage",
      want: /"a\.b" is no name of a database/,
    },
  ] as { what: string; tree: Tree; code?: string; want: RegExp }[]
) {
  Deno.test(`MongodumpFolder.open() refuses ${what}`, async () => {
    await withTree(tree, async (root) => {
      await rejects(open(root), { code, message: want });
    });
  });
}

Deno.test("MongodumpFolder.open() doesn't mind what is wrong with collections that aren't wanted", async () => {
  await withTree({
    "app/a.bson": document,
    "app/a.metadata.json": plain,
    "app/b.bson": document,
    "app/c.bson": document,
    "app/c.metadata.json": "{",
    "app/system.buckets.t.bson": document,
  }, async (root) => {
    const folder = await open(root, (name) => name === "app.a");
    deepStrictEqual(folder.collections.map(({ namespace }) => formatNamespace(namespace)), ["app.a"]);
  });
});

Deno.test("MongodumpFolder: the oplog has its ends, with the term where there is one", async () => {
  for (const term of [7, undefined]) {
    await withTree({
      "oplog.bson.gz": new Uint8Array(Buffer.concat([entry(1, term), entry(2, term), entry(3, term)])),
    }, async (root) => {
      const { oplog } = await open(root);
      deepStrictEqual(oplog?.from, { t: 1, i: 0, term: term ?? -1 });
      deepStrictEqual(await oplog?.committed(), { t: 3, i: 1, term: term ?? -1 });
    });
  }
  await withTree({ "oplog.bson": "" }, async (root) => strictEqual((await open(root)).oplog, null));
});

Deno.test("MongodumpFolder.isOne() is no for other folders", async () => {
  await withTree(
    { "a/b.txt": "x", "c": "x" },
    async (root) => strictEqual(await MongodumpFolder.isOne(root), false),
  );
});
