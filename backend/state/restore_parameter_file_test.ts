import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { PluginError } from "../errors.ts";
import { formatParameters } from "../options/restore_parameters.ts";
import type { OptionName } from "../options/table.ts";
import type { OptionValue } from "../options/value.ts";
import { takeParameters, writeParameters } from "./restore_parameter_file.ts";

const now = new Date("2026-11-23T08:00:00Z");
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const values = new Map<OptionName, OptionValue>([["drop", true], ["uri", "mongodb://u:secret@h"]]);
const text = formatParameters({ resource: "rs0", createdAt: now, expiresAt: later(3600), values });

async function withFolder(use: (folder: string, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder, `${folder}/podheitor-mongodb-rs0-restore.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

async function place(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  await Deno.chmod(path, mode);
}

Deno.test("writeParameters() leaves a file for its owner alone, for an hour", () =>
  withFolder(async (folder, path) => {
    deepStrictEqual(await writeParameters(folder, { resource: "rs0", values }, now), {
      path,
      expiresAt: later(3600),
    });
    strictEqual((await Deno.lstat(path)).mode! & 0o777, 0o600);
    deepStrictEqual(namesIn(folder), ["podheitor-mongodb-rs0-restore.json"]);
    strictEqual(await Deno.readTextFile(path), text);
  }));

Deno.test("writeParameters() says that the folder can't be written", async () => {
  await rejects(writeParameters("/nowhere/at/all", { resource: "rs0", values }, now), {
    code: "stateWrite",
    hint: /--working-dir/,
  });
});

Deno.test("takeParameters() gives what was written, once", () =>
  withFolder(async (folder) => {
    await writeParameters(folder, { resource: "rs0", values: new Map([["drop", false]]) }, now);
    await writeParameters(folder, { resource: "rs0", values }, now);
    strictEqual(await takeParameters(folder, "rs1", now), null);
    deepStrictEqual((await takeParameters(folder, "rs0", later(3600)))?.values, values);
    deepStrictEqual(namesIn(folder), []);
    strictEqual(await takeParameters(folder, "rs0", now), null);
  }));

Deno.test("takeParameters() is nothing where there is no folder", async () => {
  strictEqual(await takeParameters("/nowhere/at/all", "rs0", now), null);
});

Deno.test("takeParameters() gives a file to one of several that take it at once", () =>
  withFolder(async (folder) => {
    for (let round = 0; round < 20; round++) {
      await writeParameters(folder, { resource: "rs0", values }, now);
      const taken = await Promise.all(Array.from({ length: 8 }, () => takeParameters(folder, "rs0", now)));
      strictEqual(taken.filter((one) => one !== null).length, 1);
    }
    deepStrictEqual(namesIn(folder), []);
  }));

Deno.test("takeParameters() takes a file that even its owner can only read", () =>
  withFolder(async (folder, path) => {
    await place(path, text, 0o400);
    deepStrictEqual((await takeParameters(folder, "rs0", now))?.values, values);
  }));

/** What may stand in the file's place, and what is said of it. */
const faulty: { name: string; place: (path: string) => Promise<void>; want: RegExp }[] = [
  {
    name: "it has another mode",
    place: (path) => place(path, text, 0o640),
    want: /its mode is 640, wanted 600/,
  },
  { name: "others may write to it", place: (path) => place(path, text, 0o602), want: /its mode is 602/ },
  {
    name: "it is a link",
    place: async (path) => {
      await place(`${path}.other`, text);
      await Deno.symlink(`${path}.other`, path);
    },
    want: /it is no regular file/,
  },
  {
    name: "it has two names",
    place: async (path) => {
      await place(`${path}.other`, text);
      await Deno.link(`${path}.other`, path);
    },
    want: /it has several names/,
  },
  { name: "it is a folder", place: (path) => Deno.mkdir(path), want: /it is no regular file/ },
  {
    name: "it is too large",
    place: (path) => place(path, text + " ".repeat(64 << 10)),
    want: /it has more than 65536 bytes/,
  },
  { name: "it is empty", place: (path) => place(path, ""), want: /it is no JSON/ },
  { name: "it is cut off", place: (path) => place(path, text.slice(0, -9)), want: /it is no JSON/ },
  {
    name: "it is no UTF-8",
    place: (path) => {
      const bytes = new TextEncoder().encode(text);
      bytes[text.indexOf("secret")] = 0xff;
      return place(path, bytes);
    },
    want: /not valid/,
  },
  {
    name: "it holds what is no parameter",
    place: (path) => place(path, text.replace('"drop"', '"sign"')),
    want: /parameters: .*"sign"/,
  },
  {
    name: "it is for another resource",
    place: (path) => place(path, text.replace('"rs0"', '"rs1"')),
    want: /it is for resource "rs1"/,
  },
];

for (const { name, place, want } of faulty) {
  Deno.test(`takeParameters() discards and refuses a file when ${name}`, () =>
    withFolder(async (folder, path) => {
      await place(path);
      await rejects(takeParameters(folder, "rs0", now), (thrown) => {
        ok(thrown instanceof PluginError);
        strictEqual(thrown.code, "stateRead");
        ok(thrown.message.startsWith(`Cannot use ${path}: `), thrown.message);
        ok(want.test(thrown.message), thrown.message);
        ok(/^It was discarded\. /.test(thrown.hint), thrown.hint);
        ok(!thrown.report.includes("secret"), thrown.report);
        return true;
      });
      ok(namesIn(folder).every((name) => name.endsWith(".other")), namesIn(folder).join());
      strictEqual(await takeParameters(folder, "rs0", now), null);
    }));
}

Deno.test({
  name: "takeParameters() discards and refuses a file of another user",
  // Only root can give a file away.
  ignore: Deno.uid() !== 0,
  fn: () =>
    withFolder(async (folder, path) => {
      await place(path, text);
      await Deno.chown(path, 12345, null);
      await rejects(takeParameters(folder, "rs0", now), {
        code: "stateRead",
        message: /it belongs to user 12345, wanted 0 or root/,
      });
      deepStrictEqual(namesIn(folder), []);
    }),
});

const times = [
  { name: "after its hour", at: later(3600.001) },
  { name: "a day later", at: later(86400) },
  { name: "before it was written", at: later(-0.001) },
];

for (const { name, at } of times) {
  Deno.test(`takeParameters() discards and refuses a file ${name}`, () =>
    withFolder(async (folder) => {
      await writeParameters(folder, { resource: "rs0", values }, now);
      await rejects(takeParameters(folder, "rs0", at), {
        code: "restoreRequest",
        message: /good from 2026-11-23T08:00:00\.000Z to 2026-11-23T09:00:00\.000Z, now it is /,
        hint: /^It was discarded\. /,
      });
      deepStrictEqual(namesIn(folder), []);
    }));
}
