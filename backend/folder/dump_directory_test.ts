import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { RestoredCollection } from "../ports.ts";
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
    await using target = await DumpDirectory.open(`${root}/dump`, encodeURIComponent);
    await test(target, `${root}/dump`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
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

Deno.test("DumpDirectory: a long name is cut as mongodump cuts it", async () => {
  await withDirectory(async (target, root) => {
    const longest = "a".repeat(238);
    await target.create(collection("app", longest, "view"));
    await target.create(collection("app", `${longest}b`, "view"));
    // The SHA-1 of 238 times "a" and a "b".
    const hash = "KEqLva9yrlECKuassyci9KmiSfk";
    deepStrictEqual(namesIn(`${root}/app`), [
      `${"a".repeat(208)}%24${hash}.metadata.json`,
      `${longest}.metadata.json`,
    ]);
  });
});

for (const root of ["relative", "", "/tmp/../etc"]) {
  Deno.test(`DumpDirectory.open: refuses ${JSON.stringify(root)}`, async () => {
    await rejects(DumpDirectory.open(root, encodeURIComponent), { code: "restoreRequest" });
  });
}

Deno.test("DumpDirectory.open: a file in the way is a sentence", async () => {
  const file = await Deno.makeTempFile();
  await rejects(DumpDirectory.open(file, encodeURIComponent), {
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
