/** What a build refuses: a program that isn't ours, a Deno that isn't the pinned one, binaries for newer machines. */

import assert from "node:assert/strict";
import { buildExecutable, proveOurs } from "../../packaging/build.ts";
import { checkProcessor } from "../../packaging/elf.ts";
import { neededGlibc } from "../../packaging/glibc.ts";
import { makePackages } from "../../packaging/package.ts";
import { checkIntegrity } from "../../packaging/runtime.ts";
import { findTarget, ownTarget } from "../../packaging/target.ts";
import { run } from "../lab/command.ts";
import { withFolder } from "../lab/folder.ts";
import { ensureTools } from "../lab/tools.ts";

const backend = { room: "backend", name: "podheitor-mongodb-backend", entry: "backend/main.ts" } as const;

Deno.test("proveOurs() refuses a program that is only Deno", async () => {
  await assert.rejects(proveOurs(Deno.execPath(), backend.name), /says "deno [^]*isn't its version/);
});

Deno.test("buildExecutable() refuses a DENORT_BIN that is only Deno", async () => {
  await withFolder(async (folder) => {
    Deno.env.set("DENORT_BIN", Deno.execPath());
    try {
      await assert.rejects(buildExecutable(backend, folder), /isn't its version/);
    } finally {
      Deno.env.delete("DENORT_BIN");
    }
  });
});

Deno.test("checkProcessor() refuses binaries of another processor", async () => {
  const text = { path: "/text", mode: 0o644, from: { text: "\x7fELF" } };
  const own = { path: "/deno", mode: 0o755, from: { file: Deno.execPath() } };
  await checkProcessor([text, own], ownTarget);
  const other = findTarget(ownTarget.architecture === "amd64" ? "arm64" : "amd64");
  await assert.rejects(checkProcessor([text, own], other), /deno is for the processor \d+ of ELF; a/);
});

Deno.test("findTarget() refuses a processor that packages aren't for", () => {
  assert.throws(() => findTarget("riscv64"), /no packages for riscv64, only for amd64 and arm64/);
});

Deno.test("makePackages() refuses this machine's DENORT_BIN for another processor", async () => {
  const target = findTarget(ownTarget.architecture === "amd64" ? "arm64" : "amd64");
  Deno.env.set("DENORT_BIN", Deno.execPath());
  try {
    await assert.rejects(makePackages("/nowhere", { target }), /are made without DENORT_BIN/);
  } finally {
    Deno.env.delete("DENORT_BIN");
  }
});

Deno.test("checkIntegrity() refuses other bytes", async () => {
  const integrity =
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
  await checkIntegrity(new Uint8Array(), integrity, "nothing");
  await assert.rejects(
    checkIntegrity(Uint8Array.of(0), integrity, "a byte"),
    /^Error: a byte has the integrity sha512-.*, wanted sha512-z4Ph/,
  );
});

Deno.test("neededGlibc() says the newest of all binaries, and refuses one that is too new", async () => {
  await ensureTools(["gcc", "objdump"]);
  await withFolder(async (folder) => {
    /** A library that needs a symbol of that version. */
    const make = async (symbol: string, version: string) => {
      const path = `${folder}/${symbol}.so`;
      const map = `${folder}/${symbol}.map`;
      await Deno.writeTextFile(map, `GLIBC_${version} { global: ${symbol}; };\n`);
      const compile = (args: string[], input: string) =>
        run("gcc", ["-shared", "-fPIC", "-nostdlib", "-x", "c", "-", ...args], { input });
      const libc = `${folder}/libc-${symbol}.so`;
      await compile(["-o", libc, `-Wl,--version-script=${map}`], `void ${symbol}(void) {}`);
      await compile(
        ["-o", path, "-x", "none", libc],
        `void ${symbol}(void); void use(void) { ${symbol}(); }`,
      );
      return { path, mode: 0o644, from: { file: path } };
    };
    const text = { path: "/text", mode: 0o644, from: { text: "GLIBC_9.9" } };
    const allowed = [await make("older", "2.9"), text, await make("newest", "2.34")];
    assert.equal(await neededGlibc(allowed), "2.34");
    await assert.rejects(
      neededGlibc([...allowed, await make("newer", "2.35")]),
      /newer\.so needs glibc 2\.35; packages are for 2\.34/,
    );
  });
});
