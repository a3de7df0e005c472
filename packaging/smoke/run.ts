/**
 * Tries the packages where they are to run: `deno task smoke [image…]` installs, uses, upgrades and removes them in a container of each image, or follows
 * the operator's guide where that has a Bacula; by default in those that are made of Debian's own packages. `deno task smoke --list` says which there are.
 *
 * Exit status: 0 all good, 1 something failed, 2 could not run.
 *
 * @module
 */

import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { parseArgs } from "node:util";
import { MongoClient } from "mongodb";
import { program } from "../../backend/version.ts";
import { freePort, ScratchFolder } from "../../tests/lab/daemon.ts";
import { ReplicaSet } from "../../tests/lab/mongod.ts";
import { findMongod } from "../../tests/lab/mongod_binary.ts";
import { makePackages, type Packages } from "../package.ts";
import { followGuide } from "./follow_guide.ts";
import { type Image, type ImageName, images } from "./images.ts";
import { Podman } from "./podman.ts";

/** A version after this one, to upgrade to. */
const nextVersion = `${program.version}.1`;

async function smoke(names: readonly ImageName[]): Promise<boolean> {
  await using scratch = await ScratchFolder.make("smoke");
  const folder = `${scratch.path}/packages`;
  const made = await makePackages(folder);
  const next = await makePackages(folder, { version: nextVersion });
  const podman = await Podman.prepare(scratch.path);
  let isGood = true;
  for (const name of names) {
    console.log(`=== ${name}`);
    try {
      const { format, hasBacula }: Image = images[name];
      const image = await podman.image(name);
      const started = performance.now();
      if (hasBacula) await tryGuide(podman, image, folder, made.deb);
      else await trySteps(podman, image, folder, variablesFor(format, made, next));
      console.log(`${name}: all steps passed, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    } catch (cause) {
      isGood = false;
      console.log(cause instanceof Error ? cause.message : cause);
    }
  }
  return isGood;
}

/** The steps of `inside.sh`, on a replica set of their own. */
async function trySteps(
  podman: Podman,
  image: string,
  packages: string,
  variables: Record<string, string>,
): Promise<void> {
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  const documents = Array.from({ length: 1000 }, (_, at) => ({ _id: at, text: "x".repeat(100) }));
  await client.db("app").collection<{ _id: number }>("orders").insertMany(documents);
  const script = await Deno.readTextFile(new URL("inside.sh", import.meta.url));
  const given = { ...variables, URI: set.uri, PORT: `${freePort()}` };
  console.log((await podman.run(image, script, { "/packages": packages }, given)).trim());
  await compareRestored(client);
}

/** The operator's guide, on a replica set of its own. */
async function tryGuide(podman: Podman, image: string, packages: string, deb: string): Promise<void> {
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  const { path } = await findMongod();
  const folders = { "/packages": packages, "/mongod": dirname(path) };
  await using container = await podman.start(image, folders);
  await followGuide(container, basename(deb), set.uri, client);
}

/** Compares what was restored with what it was made of. */
async function compareRestored(client: MongoClient): Promise<void> {
  const read = async (name: string) => {
    const cursor = client.db(name).collection("orders").find({}, { raw: true }).sort({ _id: 1 });
    return Buffer.concat(await cursor.toArray() as unknown[] as Uint8Array[]);
  };
  assert.ok((await read("restored")).equals(await read("app")), "app.orders isn't what was restored of it");
  console.log("ok the restored documents are those that were backed up");
}

function variablesFor(format: Image["format"], made: Packages, next: Packages): Record<string, string> {
  return {
    FORMAT: format,
    OLD: basename(made[format]),
    OLD_VERSION: `${program.version}-1`,
    NEW: basename(next[format]),
    NEW_VERSION: `${nextVersion}-1`,
  };
}

function chooseImages(args: string[]): ImageName[] {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { list: { type: "boolean" } },
  });
  const known = Object.keys(images) as ImageName[];
  if (values.list) {
    for (const name of known) console.log(name);
    Deno.exit(0);
  }
  const unknown = positionals.filter((name) => !Object.hasOwn(images, name));
  if (unknown.length > 0) {
    console.error(`There is no image ${unknown.join(", ")}; there are ${known.join(", ")}`);
    Deno.exit(2);
  }
  return positionals.length > 0 ? positionals as ImageName[] : known.filter((name) => name.endsWith("-made"));
}

const chosen = chooseImages(Deno.args);
Deno.exit(await smoke(chosen) ? 0 : 1);
