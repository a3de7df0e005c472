import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { withFolder } from "../../tests/lab/folder.ts";
import { readSidecar, replaceFile, sidecarPath } from "./atomic_file.ts";

const bitsOf = async (path: string) => (await Deno.lstat(path)).mode! & 0o777;

Deno.test("replaceFile() leaves the text under its name, with its mode, and nothing else", () =>
  withFolder(async (folder) => {
    for (const mode of [0o640, 0o600]) {
      for (const text of ["first", "second", ""]) {
        await replaceFile(`${folder}/x`, text, mode);
        strictEqual(await Deno.readTextFile(`${folder}/x`), text);
        strictEqual(await bitsOf(`${folder}/x`), mode);
        deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["x"]);
      }
    }
  }));

Deno.test("replaceFile() gives a private text to no file that is there already, nor through a link", () =>
  withFolder(async (folder) => {
    const other = `${folder}/other`;
    await Deno.writeTextFile(other, "kept", { mode: 0o644 });
    await Deno.chmod(other, 0o644);
    for (const taken of ["x", "x.tmp"]) await Deno.symlink(other, `${folder}/${taken}`);
    await replaceFile(`${folder}/x`, "secret", 0o600);
    strictEqual(await Deno.readTextFile(other), "kept");
    strictEqual(await Deno.readTextFile(`${folder}/x`), "secret");
    strictEqual(await bitsOf(`${folder}/x`), 0o600);
    await Deno.remove(`${folder}/x.tmp`);
    await Deno.writeTextFile(`${folder}/x.tmp`, "", { mode: 0o644 });
    await replaceFile(`${folder}/x`, "secret", 0o600);
    strictEqual(await bitsOf(`${folder}/x`), 0o600);
    strictEqual(await Deno.readTextFile(`${folder}/x.tmp`), "");
  }));

Deno.test("replaceFile() writes through no link, and over what a killed writer left", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/other`, "kept");
    await Deno.symlink(`${folder}/other`, `${folder}/x.tmp`);
    await replaceFile(`${folder}/x`, "text", 0o640);
    strictEqual(await Deno.readTextFile(`${folder}/other`), "kept");
    strictEqual((await Deno.lstat(`${folder}/x`)).isFile, true);
    await Deno.writeTextFile(`${folder}/x.tmp`, "half");
    await replaceFile(`${folder}/x`, "new", 0o640);
    strictEqual(await Deno.readTextFile(`${folder}/x`), "new");
  }));

Deno.test("readSidecar() reads no link, no pipe, no folder, and nothing without end", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/x`, "text");
    strictEqual(await readSidecar(`${folder}/x`), "text");
    await Deno.symlink(`${folder}/x`, `${folder}/link`);
    await Deno.mkdir(`${folder}/folder`);
    strictEqual((await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output()).success, true);
    for (const name of ["link", "folder", "pipe"]) {
      await rejects(readSidecar(`${folder}/${name}`), /no regular file|a directory/);
    }
    await Deno.truncate(`${folder}/x`, 2 ** 40);
    await rejects(readSidecar(`${folder}/x`), /bytes, wanted at most/);
    await rejects(readSidecar(`${folder}/nothing`), Deno.errors.NotFound);
  }));

Deno.test("replaceFile() that fails leaves what was there, and no temporary file", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/x/full`, { recursive: true });
    for (const mode of [0o640, 0o600]) await rejects(replaceFile(`${folder}/x`, "text", mode));
    deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["x"]);
  }));

Deno.test("sidecarPath() names a resource's file, and no file elsewhere", () => {
  strictEqual(sidecarPath("/w", "rs-0.b_1", "restore"), "/w/podheitor-mongodb-rs-0.b_1-restore.json");
  for (const resource of ["", "../x", "a/b", ".x", "a".repeat(65)]) {
    throws(() => sidecarPath("/w", resource, "restore"), { code: "internal" });
  }
});
