/**
 * What the commands that README.md gives for verifying say of packages: good ones, changed ones, unsigned ones, and those of another key.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Packages } from "../../packaging/package.ts";
import { signPackages, writeChecksums } from "../../packaging/sign.ts";
import { commandsOf } from "../documents/register.ts";
import { run } from "../lab/command.ts";

/** Signs copies of the packages in the new folder, and tries. */
export async function checkSignatures(made: Packages, folder: string): Promise<void> {
  const documented = await commandsOf("tests/package/signatures.ts");
  const lines = documented.filter(({ place }) => place === "indented").map(({ text }) => text);
  assert.equal(lines.length, 5);
  const key = await makeKey(`${folder}/gnupg`, "release");
  const other = await makeKey(`${folder}/gnupg-other`, "somebody");
  const names = [made.deb, made.rpm].map((path) => path.slice(path.lastIndexOf("/") + 1)) as [string, string];

  /** Lines that fail in a folder with these packages, `change` made to them after they were signed. */
  const refusals = async (
    name: string,
    signer: typeof key | undefined,
    change: (files: { deb: string; rpm: string }, place: string) => Promise<void> = async () => {},
  ) => {
    const place = `${folder}/${name}`;
    await Deno.mkdir(place);
    for (const path of [made.deb, made.rpm]) await run("cp", [path, place]);
    const files = { deb: `${place}/${names[0]}`, rpm: `${place}/${names[1]}` };
    if (signer !== undefined) await withHome(signer.home, () => signPackages(files, signer.id));
    await withHome(signer?.home ?? key.home, () => writeChecksums(place, names, signer?.id));
    await change(files, place);
    await Deno.writeTextFile(`${place}/podheitor.asc`, key.publicKey);
    const refused: number[] = [];
    for (const [at, line] of lines.entries()) {
      await run("sh", ["-c", line], { cwd: place }).catch(() => refused.push(at));
    }
    return refused;
  };

  assert.deepEqual(await refusals("good", key), []);
  assert.deepEqual(await refusals("unsigned", undefined), [1, 2, 4]);
  // Named in the text for what it doesn't find.
  for (const { text } of documented.filter(({ place }) => place === "text")) {
    await run("sh", ["-c", `${text} ${names[1]}`], { cwd: `${folder}/unsigned` });
  }
  assert.deepEqual(await refusals("of-another", other), [1, 2, 4]);
  assert.deepEqual(
    await refusals("changed", key, async ({ deb, rpm }) => {
      for (const path of [deb, rpm]) await changeByte(path);
    }),
    [1, 2, 4],
  );
  assert.deepEqual(
    await refusals("other-sums", key, async ({ deb }, place) => {
      await changeByte(deb);
      await writeChecksums(place, names);
    }),
    [1, 2],
  );
}

async function makeKey(home: string, name: string) {
  await Deno.mkdir(home, { recursive: true, mode: 0o700 });
  const address = `${name}@podheitor.invalid`;
  const gpg = (...args: string[]) => run("gpg", ["--homedir", home, "--batch", ...args]);
  await gpg("--passphrase", "", "--quick-generate-key", address, "rsa3072", "sign", "never");
  return { home, id: address, publicKey: await gpg("--armor", "--export", address) };
}

async function withHome(home: string, work: () => Promise<void>): Promise<void> {
  Deno.env.set("GNUPGHOME", home);
  try {
    await work();
  } finally {
    Deno.env.delete("GNUPGHOME");
  }
}

/** Changes one byte in the middle. */
async function changeByte(path: string): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  const at = Math.floor((await file.stat()).size / 2);
  const byte = new Uint8Array(1);
  await file.seek(at, Deno.SeekMode.Start);
  await file.read(byte);
  await file.seek(at, Deno.SeekMode.Start);
  await file.write(Uint8Array.of(byte[0]! ^ 1));
}
