/**
 * Makes the packages: `deno task package [--arch amd64|arm64]… [--key ID]` leaves in `dist/` a DEB and an RPM for each processor that is named, or for
 * this machine's, and the checksums of all. `--key` names a key of this user's GnuPG, which signs them; without it they are unsigned.
 *
 * The bytes depend on the checkout alone, and on the time that `SOURCE_DATE_EPOCH` says; without it, on that of the last commit.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { program } from "../backend/version.ts";
import { run } from "../tests/lab/command.ts";
import { ensureTools } from "../tests/lab/tools.ts";
import { describeForm } from "./build.ts";
import { listContents } from "./contents.ts";
import { makeDeb } from "./deb.ts";
import { checkProcessor } from "./elf.ts";
import { neededGlibc } from "./glibc.ts";
import { makeRpm } from "./rpm.ts";
import { signPackages, writeChecksums } from "./sign.ts";
import { findTarget, ownTarget, type Target, toolsFor } from "./target.ts";

const checkout = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** Paths of what was made. */
export interface Packages {
  readonly deb: string;
  readonly rpm: string;
}

/** How packages are made. */
export interface PackageOptions {
  /** The processor that they are for, if that isn't this machine's. */
  readonly target?: Target;
  /** Signs them. */
  readonly key?: string;
  /** What they say in place of the program's own version. */
  readonly version?: string;
}

/** Makes both packages of a processor in the folder `out`. */
export async function makePackages(out: string, options: PackageOptions = {}): Promise<Packages> {
  const { target = ownTarget, key, version = program.version } = options;
  if (target !== ownTarget && Deno.env.get("DENORT_BIN")) {
    throw new Error(
      `Packages for ${target.architecture} are made without DENORT_BIN on this machine: unset it`,
    );
  }
  await ensureTools([...toolsFor(target), "objdump", "npm", "dpkg-deb", "rpmbuild", "rpmsign", "gpg"]);
  await Deno.mkdir(out, { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "podheitor-package-" });
  try {
    const epochSeconds = await findEpoch();
    const files = await listContents(checkout, `${work}/build`, epochSeconds, target);
    await checkProcessor(files, target);
    const release = { version, target, epochSeconds, glibc: await neededGlibc(files) };
    const deb = await makeDeb(checkout, files, release, { work, out });
    const rpm = await makeRpm(checkout, files, release, { work, out });
    if (key !== undefined) await signPackages({ deb, rpm }, key);
    return { deb, rpm };
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function findEpoch(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH");
  const text = given ??
    await run("git", ["-c", `safe.directory=${checkout}`, "log", "-1", "--format=%ct"], { cwd: checkout })
      .catch((cause) => {
        throw new Error("There is no commit to take the packages' time from: set SOURCE_DATE_EPOCH", {
          cause,
        });
      });
  if (!/^\d+\n?$/.test(text)) throw new Error(`SOURCE_DATE_EPOCH is "${text}", wanted seconds`);
  return Number(text);
}

if (import.meta.main) {
  const { values: { arch = [ownTarget.architecture], key } } = parseArgs({
    args: Deno.args,
    options: { arch: { type: "string", multiple: true }, key: { type: "string" } },
  });
  const out = `${checkout}/dist`;
  const made: string[] = [];
  for (const target of new Set(arch.map(findTarget))) {
    const { deb, rpm } = await makePackages(out, key === undefined ? { target } : { target, key });
    made.push(deb, rpm);
  }
  await writeChecksums(out, made.map((path) => path.slice(out.length + 1)), key);
  console.log([...made, describeForm()].join("\n"));
  if (key === undefined) console.log("Unsigned: --key names a key of GnuPG's to sign with.");
}
