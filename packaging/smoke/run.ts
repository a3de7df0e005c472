/**
 * Tries the packages where they are to run: `deno task smoke [image…]` installs, uses, upgrades and removes them in a container of each image, by default
 * of those that are made of Debian's own packages. `deno task smoke --list` says which there are.
 *
 * Exit status: 0 all good, 1 something failed, 2 could not run.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { MongoClient } from "mongodb";
import { program } from "../../backend/version.ts";
import { freePort, ScratchFolder } from "../../tests/lab/daemon.ts";
import { ReplicaSet } from "../../tests/lab/mongod.ts";
import { makePackages, type Packages } from "../package.ts";
import { type Image, type ImageName, images } from "./images.ts";
import { Podman } from "./podman.ts";

/** A version after this one, to upgrade to. */
const nextVersion = `${program.version}.1`;

async function smoke(names: readonly ImageName[]): Promise<boolean> {
  await using scratch = await ScratchFolder.make("smoke");
  const packages = `${scratch.path}/packages`;
  const made = await makePackages(packages);
  const next = await makePackages(packages, { version: nextVersion });
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  const documents = Array.from({ length: 1000 }, (_, at) => ({ _id: at, text: "x".repeat(100) }));
  await client.db("app").collection<{ _id: number }>("orders").insertMany(documents);
  const podman = await Podman.prepare(scratch.path);
  const script = await Deno.readTextFile(new URL("inside.sh", import.meta.url));
  let isGood = true;
  for (const name of names) {
    console.log(`=== ${name}`);
    try {
      const variables = variablesFor(name, made, next, set.uri);
      console.log(await podman.run(await podman.image(name), script, { "/packages": packages }, variables));
      await compareRestored(client);
    } catch (cause) {
      isGood = false;
      console.log(cause instanceof Error ? cause.message : cause);
    }
  }
  return isGood;
}

/** Compares what was restored with what it was made of, and removes it. */
async function compareRestored(client: MongoClient): Promise<void> {
  const read = (name: string) =>
    client.db(name).collection("orders").find({}, { raw: true }).sort({ _id: 1 }).toArray();
  assert.deepEqual(await read("restored"), await read("app"));
  await client.db("restored").dropDatabase();
  console.log("ok the restored documents are those that were backed up");
}

function variablesFor(name: ImageName, made: Packages, next: Packages, uri: string): Record<string, string> {
  const { format }: Image = images[name];
  const [old, newer] = [made, next].map((packages) => packages[format].split("/").at(-1)!) as [
    string,
    string,
  ];
  return {
    FORMAT: format,
    OLD: old,
    OLD_VERSION: `${program.version}-1`,
    NEW: newer,
    NEW_VERSION: `${nextVersion}-1`,
    URI: uri,
    PORT: `${freePort()}`,
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
