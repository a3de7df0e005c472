import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { RestoredCollection } from "../ports.ts";
import { program } from "../version.ts";
import { DumpDirectory } from "./dump_directory.ts";

const encoder = new TextEncoder();

function collection(
  database: string,
  name: string,
  kind: RestoredCollection["kind"] = "collection",
): RestoredCollection {
  const namespace = { database, collection: name };
  return { namespace, kind, data: kind === "view" ? null : namespace, metadata: `{"name":"${name.length}"}` };
}

async function withDirectory(test: (target: DumpDirectory, root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/dump`);
    await using target = await DumpDirectory.open(`${root}/dump`);
    await test(target, `${root}/dump`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

/** Every file's text by its path. */
function treeOf(root: string, below = ""): Record<string, string> {
  return Object.assign(
    {},
    ...[...Deno.readDirSync(`${root}/${below}`)].map(({ name, isDirectory }) =>
      isDirectory
        ? treeOf(root, `${below}${name}/`)
        : { [`${below}${name}`]: Deno.readTextFileSync(`${root}/${below}${name}`) }
    ),
  );
}

Deno.test("DumpDirectory: writes mongodump's layout", async () => {
  await withDirectory(async (target, root) => {
    const users = collection("app", "us/ers");
    const series = {
      ...collection("app", "ts", "timeseries"),
      data: { database: "app", collection: "system.buckets.ts" },
    };
    for (const one of [users, series, collection("app", "v", "view")]) {
      await target.create(one);
      if (one.data !== null) {
        await target.write(one, encoder.encode("one"));
        await target.write(one, encoder.encode("two"));
      }
      await target.finish(one);
    }
    deepStrictEqual(namesIn(root), ["app"]);
    deepStrictEqual(namesIn(`${root}/app`), [
      "system.buckets.ts.bson",
      "ts.metadata.json",
      "us%2Fers.bson",
      "us%2Fers.metadata.json",
      "v.metadata.json",
    ]);
    strictEqual(await Deno.readTextFile(`${root}/app/us%2Fers.bson`), "onetwo");
    strictEqual(await Deno.readTextFile(`${root}/app/us%2Fers.metadata.json`), users.metadata);
    strictEqual((await Deno.stat(`${root}/app/us%2Fers.bson`)).mode! & 0o777, 0o600);
    strictEqual((await Deno.stat(`${root}/app`)).mode! & 0o777, 0o700);
  });
});

Deno.test("DumpDirectory: leaves mongodump's tree, byte for byte", async () => {
  await withDirectory(async (target, root) => {
    const { oplog } = target;
    if (oplog.kind !== "directory") throw new Error("a directory keeps its oplog");
    const index = '{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}';
    const long = "l".repeat(239);
    const uuid = "0123456789abcdef0123456789abcdef";
    const describe = (name: string, options: string, indexes: string, type: string, id = uuid) =>
      `{"options":${options},"indexes":[${indexes}],"uuid":"${id}","collectionName":"${name}","type":"${type}"}`;
    const collections: RestoredCollection[] = [
      { ...collection("app", "my coll+$"), metadata: describe("my coll+$", "{}", index, "collection") },
      { ...collection("app", long), metadata: describe(long, '{"capped":true}', index, "collection") },
      {
        ...collection("app", "v", "view"),
        metadata: describe("v", '{"viewOn":"orders","pipeline":[]}', "", "view", ""),
      },
      {
        ...collection("Käse", "ts", "timeseries"),
        data: { database: "Käse", collection: "system.buckets.ts" },
        metadata: describe("ts", '{"timeseries":{"timeField":"t"}}', "", "timeseries"),
      },
    ];
    await oplog.describe("6.0.5", false);
    for (const one of collections) {
      await target.create(one);
      if (one.data !== null) await target.write(one, encoder.encode(`documents of ${one.data.collection}`));
      await target.finish(one);
    }
    await oplog.append(encoder.encode("entries"));
    const cut = `${"l".repeat(208)}%24${createHash("sha1").update(long).digest("base64url")}`;
    deepStrictEqual(treeOf(root), {
      "Käse/system.buckets.ts.bson": "documents of system.buckets.ts",
      "Käse/ts.metadata.json":
        '{"options":{"timeseries":{"timeField":"t"}},"indexes":[],"collectionName":"ts","type":"timeseries"}',
      "app/my+coll%2B%24.bson": "documents of my coll+$",
      "app/my+coll%2B%24.metadata.json":
        `{"indexes":[${index}],"uuid":"${uuid}","collectionName":"my coll+$","type":"collection"}`,
      [`app/${cut}.bson`]: `documents of ${long}`,
      [`app/${cut}.metadata.json`]:
        `{"options":{"capped":true},"indexes":[${index}],"uuid":"${uuid}","collectionName":"${long}","type":"collection"}`,
      "app/v.metadata.json":
        '{"options":{"viewOn":"orders","pipeline":[]},"indexes":[],"collectionName":"v","type":"view"}',
      "oplog.bson": "entries",
      "prelude.json": `{"ServerVersion":"6.0.5","ToolVersion":"${program.name} ${program.version}"}`,
    });
  });
});

Deno.test("DumpDirectory: a prelude of an earlier restore stays where it says the same, and gives way only to drop", async () => {
  await withDirectory(async ({ oplog }, root) => {
    if (oplog.kind !== "directory") throw new Error("a directory keeps its oplog");
    await oplog.describe("6.0.5", false);
    await using again = await DumpDirectory.open(root);
    if (again.oplog.kind !== "directory") throw new Error("a directory keeps its oplog");
    await again.oplog.describe("6.0.5", false);
    await rejects(again.oplog.describe("5.0.4", false), {
      code: "restoreTarget",
      message: /prelude.json: an earlier/,
    });
    strictEqual(JSON.parse(Deno.readTextFileSync(`${root}/prelude.json`)).ServerVersion, "6.0.5");
    await again.oplog.describe("5.0.4", true);
    strictEqual(JSON.parse(Deno.readTextFileSync(`${root}/prelude.json`)).ServerVersion, "5.0.4");
  });
});

Deno.test("DumpDirectory: a database's name can't lead out of the directory", async () => {
  await withDirectory(async (target) => {
    await rejects(target.create(collection("../outside", "a")), { code: "restoreTarget" });
  });
});

for (const root of ["relative", "", "/tmp/../etc"]) {
  Deno.test(`DumpDirectory.open: refuses ${JSON.stringify(root)}`, async () => {
    await rejects(DumpDirectory.open(root), { code: "restoreRequest" });
  });
}

Deno.test("DumpDirectory.open: a file in the way is a sentence", async () => {
  const file = await Deno.makeTempFile();
  await rejects(DumpDirectory.open(file), {
    code: "restoreTarget",
    message: /^Cannot write/,
  });
  await Deno.remove(file);
});

Deno.test("DumpDirectory: an existing file is found, kept, and removed only by drop()", async () => {
  await withDirectory(async (target, root) => {
    const [users, shops] = [collection("app", "users"), collection("app", "shops")];
    await Deno.mkdir(`${root}/app`);
    await Deno.writeTextFile(`${root}/app/users.bson`, "precious");
    deepStrictEqual(await target.findOccupied([users, shops]), [users.namespace]);
    await rejects(target.create(users), { code: "restoreTarget" });
    strictEqual(await Deno.readTextFile(`${root}/app/users.bson`), "precious");
    await target.drop(users);
    deepStrictEqual(namesIn(`${root}/app`), []);
  });
});

Deno.test("DumpDirectory: a link in the place of a file is found and not followed", async () => {
  await withDirectory(async (target, root) => {
    const users = collection("app", "users");
    await Deno.mkdir(`${root}/app`);
    await Deno.symlink(`${root}/outside`, `${root}/app/users.metadata.json`);
    deepStrictEqual(await target.findOccupied([users]), [users.namespace]);
    await rejects(target.create(users), { code: "restoreTarget" });
    deepStrictEqual(namesIn(root), ["app"]);
  });
});

Deno.test("DumpDirectory: a link in the place of a database's folder is not followed", async () => {
  await withDirectory(async (target, root) => {
    await Deno.mkdir(`${root}/outside`);
    await Deno.symlink(`${root}/outside`, `${root}/app`);
    await rejects(target.create(collection("app", "users")), {
      code: "restoreTarget",
      message: /symbolic link/,
    });
    deepStrictEqual(namesIn(`${root}/outside`), []);
  });
});

Deno.test("DumpDirectory: what can't be removed or brought to the disk is a sentence", async () => {
  await withDirectory(async (target, root) => {
    await Deno.mkdir(`${root}/app/users.bson/x`, { recursive: true });
    await rejects(target.drop(collection("app", "users")), { code: "restoreTarget" });
    await rejects(target.finish(collection("app", "shops")), { code: "restoreTarget" });
  });
});

Deno.test("DumpDirectory.write: a view has no documents", async () => {
  await withDirectory((target) =>
    rejects(target.write(collection("app", "v", "view"), new Uint8Array()), { code: "internal" })
  );
});
