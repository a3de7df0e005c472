import assert from "node:assert/strict";
import { withFolder } from "../../tests/lab/folder.ts";
import { loadSigningKey } from "../manifest/signature.ts";
import { Secret } from "../secret.ts";
import { generateKey } from "./keygen.ts";
import { findTrust, readSecretFile, requireSigningKey } from "./machine.ts";

const now = new Date("2026-11-23T08:15:00Z");

/** Runs with variables of the environment, which are as before then. */
async function withVariables(variables: Record<string, string>, use: () => Promise<void>): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await use();
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}

Deno.test("generateKey() leaves a private file, a public one, and no key in what it says but the public one", () =>
  withFolder(async (folder) => {
    const path = `${folder}/signing.pem`;
    const said = await generateKey(path, now);
    const key = await loadSigningKey(new Secret(path), readSecretFile);
    assert.equal(said[0], `Key ${key.id}`);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    const line = await Deno.readTextFile(`${path}.pub`);
    assert.equal(said.at(-1), line.trimEnd());
    assert.match(line, new RegExp(`# key ${key.id}, made 2026-11-23\\n$`));
    assert.deepEqual((await findTrust(`${path}.pub`)).keys.map(({ id }) => id), [key.id]);
    const secret = (await Deno.readTextFile(path)).split("\n")[1]!.slice(16);
    assert.ok(!said.join("\n").includes(secret.slice(0, 12)));
  }));

Deno.test("generateKey() overwrites nothing, follows no link, and leaves nothing where it fails", () =>
  withFolder(async (folder) => {
    const names = async () => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    await Deno.writeTextFile(`${folder}/a`, "kept");
    await Deno.writeTextFile(`${folder}/b.pub`, "kept");
    await Deno.symlink(`${folder}/elsewhere`, `${folder}/c`);
    for (const name of ["a", "b", "c"]) {
      await assert.rejects(generateKey(`${folder}/${name}`, now), {
        code: "signingKey",
        message: /it is there already/,
      });
    }
    await assert.rejects(generateKey(`${folder}/no/folder`, now), { code: "signingKey" });
    assert.deepEqual(await names(), ["a", "b.pub", "c"]);
    assert.equal(await Deno.readTextFile(`${folder}/a`), "kept");
  }));

Deno.test("requireSigningKey() signs with no key that this machine would not believe", () =>
  withFolder(async (folder) => {
    const [path, list] = [`${folder}/signing.pem`, `${folder}/list`];
    await generateKey(path, now);
    await generateKey(`${folder}/other.pem`, now);
    const [line, other] = [
      await Deno.readTextFile(`${path}.pub`),
      await Deno.readTextFile(`${folder}/other.pem.pub`),
    ];
    const settings = { PODHEITOR_MONGODB_SIGNING_KEY: path, PODHEITOR_MONGODB_TRUSTED_KEYS: list };
    await withVariables(settings, async () => {
      const rows = [
        { text: other, want: /is not among the keys of/ },
        { text: `${line}${line.replace("#", "revoked #")}`, want: /is revoked/ },
        { text: line.replace("#", "not-after=2020-01-01 #"), want: /is trusted for manifests to 2020/ },
      ];
      for (const { text, want } of rows) {
        await Deno.writeTextFile(list, text);
        await assert.rejects(requireSigningKey(true), { code: "signingKey", message: want });
      }
      // After a rotation: the new key signs, the old one is believed for what it has signed.
      await Deno.writeTextFile(list, other.replace("#", "not-after=2020-01-01 #") + line);
      assert.notEqual(await requireSigningKey(true), null);
      assert.equal((await findTrust()).keys.length, 2);
      await Deno.chmod(path, 0o640);
      await assert.rejects(requireSigningKey(true), {
        code: "secretUnreadable",
        hint: `Run: chmod 0600 ${path}`,
      });
    });
  }));

Deno.test({
  name: "requireSigningKey() and findTrust() take no file of another user, but for the operator's own word",
  ignore: Deno.uid() !== 0,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/signing.pem`;
      await generateKey(path, now);
      await Deno.chown(path, 65534, null);
      await Deno.chown(`${path}.pub`, 65534, null);
      const foreign = { code: "signingKey", message: /belongs to user 65534, wanted root/ };
      await withVariables({ PODHEITOR_MONGODB_SIGNING_KEY: path }, () =>
        assert.rejects(requireSigningKey(true), foreign));
      await withVariables(
        { PODHEITOR_MONGODB_TRUSTED_KEYS: `${path}.pub` },
        () =>
          assert.rejects(findTrust(), foreign),
      );
      assert.equal((await findTrust(`${path}.pub`)).keys.length, 1);
    }),
});

Deno.test("readSecretFile() reads no pipe, no device, no folder, and nothing that is too large for a secret", () =>
  withFolder(async (folder) => {
    const pipe = `${folder}/pipe`;
    assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
    for (const path of [pipe, "/dev/zero", folder]) {
      await assert.rejects(readSecretFile(path), /no regular file/);
    }
    using file = await Deno.open(`${folder}/large`, { write: true, create: true });
    await file.truncate(2 ** 40);
    await assert.rejects(readSecretFile(`${folder}/large`), /bytes, wanted at most/);
  }));
