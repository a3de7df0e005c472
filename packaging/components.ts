/**
 * What of others is in the packages: npm packages of `deno.lock`, crates of `wasm/Cargo.lock`, Rust's library, musl and Deno, each with its
 * licence.
 *
 * @module
 */

import { run } from "../tests/lab/command.ts";
import { muslVersion } from "./musl.ts";
import { denoPackages, denoVersion } from "./runtime.ts";
import type { Target } from "./target.ts";

/** Something of others' that is shipped. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** As package URL's type and name say it: `npm/bson`. */
  readonly url: string;
  /** An SPDX expression: what the authors offer. */
  readonly licence: string;
  /** The licence's text, with its copyright notice. */
  readonly text: string;
  readonly digest?: { readonly algorithm: "SHA256" | "SHA512"; readonly hex: string };
}

/**
 * Crates of the lock file. Those that only run while building have no licence here, since nothing of them is shipped. The texts are in
 * `licences/`: where authors offer several licences, the one that is taken.
 */
const crates: Readonly<Record<string, string | null>> = {
  arrayvec: "MIT OR Apache-2.0",
  blake3: "CC0-1.0 OR Apache-2.0 OR Apache-2.0 WITH LLVM-exception",
  "cfg-if": "MIT OR Apache-2.0",
  constant_time_eq: "CC0-1.0 OR MIT-0 OR Apache-2.0",
  once_cell: "MIT OR Apache-2.0",
  "wasm-bindgen": "MIT OR Apache-2.0",
  bumpalo: null,
  cc: null,
  // Of blake3 on other processors.
  cpufeatures: null,
  "find-msvc-tools": null,
  libc: null,
  "proc-macro2": null,
  quote: null,
  rustversion: null,
  shlex: null,
  syn: null,
  "unicode-ident": null,
  "wasm-bindgen-macro": null,
  "wasm-bindgen-macro-support": null,
  "wasm-bindgen-shared": null,
};
const ownCrate = "podheitor_mongodb_wasm";

/** Packages that only tests import. */
const testPackages = ["fast-check"];

/**
 * Everything, by name.
 *
 * @throws Error for a component that has no row here, no licence or no text
 */
export async function findComponents(checkout: string, target: Target): Promise<Component[]> {
  const found = [
    ...await readNpm(checkout),
    ...await readCrates(checkout),
    await rustLibrary(checkout),
    await muslLibrary(checkout, target),
    await deno(checkout, target),
  ];
  return found.sort((a, b) => a.url < b.url ? -1 : 1);
}

interface DenoLock {
  readonly specifiers: Record<string, string>;
  readonly npm: Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>;
}

async function readNpm(checkout: string): Promise<Component[]> {
  const lock: DenoLock = JSON.parse(await Deno.readTextFile(`${checkout}/deno.lock`));
  const keys = new Set<string>();
  const visit = (wanted: string) => {
    const key = Object.keys(lock.npm).find((key) => key === wanted || key.startsWith(`${wanted}@`));
    if (key === undefined) throw new Error(`deno.lock has no ${wanted}`);
    if (keys.has(key)) return;
    keys.add(key);
    for (const dependency of lock.npm[key]!.dependencies ?? []) visit(dependency);
  };
  for (const specifier of Object.keys(lock.specifiers)) {
    const name = specifier.replace(/^npm:/, "").replace(/(?<!^)@[^@]*$/, "");
    if (!testPackages.includes(name)) visit(name);
  }
  const places = await findNpmPlaces(checkout);
  // Declarations are for the type checker alone.
  const shipped = [...keys].filter((key) => !key.startsWith("@types/"));
  return await Promise.all(shipped.map(async (key) => {
    const at = key.lastIndexOf("@");
    const [name, version] = [key.slice(0, at), key.slice(at + 1)];
    const place = places.get(key);
    if (place === undefined) throw new Error(`Deno's cache has no ${key}`);
    const { license } = JSON.parse(await Deno.readTextFile(`${place}/package.json`));
    if (typeof license !== "string") throw new Error(`${key} says no licence`);
    const [, integrity] = lock.npm[key]!.integrity.split("sha512-");
    const hex = Uint8Array.fromBase64(integrity!).toHex();
    const url = `npm/${name.replace("@", "%40")}`;
    return {
      name,
      version,
      url,
      licence: license,
      text: await readNotices(key, place),
      digest: { algorithm: "SHA512", hex },
    } as const;
  }));
}

/** Folders of npm packages in Deno's cache, by name and version. */
async function findNpmPlaces(checkout: string): Promise<Map<string, string>> {
  const info: { npmPackages: Record<string, { localPath: string }> } = JSON.parse(
    await run(Deno.execPath(), ["info", "--json", "backend/main.ts"], { cwd: checkout }),
  );
  return new Map(Object.entries(info.npmPackages).map(([key, { localPath }]) => [key, localPath]));
}

async function readNotices(key: string, folder: string): Promise<string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort();
  if (names.length === 0) throw new Error(`${key} has no text of its licence`);
  return (await Promise.all(names.map((name) => Deno.readTextFile(`${folder}/${name}`)))).join("\n");
}

async function readCrates(checkout: string): Promise<Component[]> {
  const lock = await Deno.readTextFile(`${checkout}/wasm/Cargo.lock`);
  const found: Component[] = [];
  for (const stanza of lock.split("[[package]]").slice(1)) {
    const field = (name: string) => new RegExp(`^${name} = "(.*)"$`, "m").exec(stanza)?.[1];
    const [name = "", version = "", hex] = [field("name"), field("version"), field("checksum")];
    if (name === ownCrate) continue;
    const licence = crates[name];
    if (licence === undefined || hex === undefined) throw new Error(`The crate ${name} isn't known here`);
    if (licence === null) continue;
    const digest = { algorithm: "SHA256", hex } as const;
    found.push({
      name,
      version,
      url: `cargo/${name}`,
      licence,
      text: await readText(checkout, name),
      digest,
    });
  }
  return found;
}

async function rustLibrary(checkout: string): Promise<Component> {
  return {
    name: "rust-std",
    version: (await Deno.readTextFile(`${checkout}/wasm/rust-version`)).trim(),
    url: "generic/rust-std",
    licence: "MIT OR Apache-2.0",
    text: await readText(checkout, "rust-std"),
  };
}

/** What is linked into the launchers. */
async function muslLibrary(checkout: string, target: Target): Promise<Component> {
  return {
    name: "musl",
    version: await muslVersion(target),
    url: "generic/musl",
    licence: "MIT",
    text: await readText(checkout, "musl"),
  };
}

async function deno(checkout: string, { architecture }: Target): Promise<Component> {
  const { name, integrity } = denoPackages[architecture];
  const hex = Uint8Array.fromBase64(integrity.replace("sha512-", "")).toHex();
  return {
    name: "deno",
    version: denoVersion,
    url: `npm/${name.replace("@", "%40")}`,
    licence: "MIT",
    text: await readText(checkout, "deno"),
    digest: { algorithm: "SHA512", hex },
  };
}

async function readText(checkout: string, name: string): Promise<string> {
  return await Deno.readTextFile(`${checkout}/packaging/licences/${name}.txt`);
}
