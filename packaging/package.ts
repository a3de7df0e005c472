/**
 * Makes the packages: `deno task package [--key ID]` leaves in `dist/` a DEB, an RPM and their checksums. `--key` names a key of this user's GnuPG, which
 * signs them; without it they are unsigned.
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
import { neededGlibc } from "./glibc.ts";
import { makeRpm } from "./rpm.ts";
import { signPackages, writeChecksums } from "./sign.ts";

const checkout = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** Paths of what was made. */
export interface Packages {
  readonly deb: string;
  readonly rpm: string;
}

/** How packages are made. */
export interface PackageOptions {
  /** Signs them. */
  readonly key?: string;
  /** What they say in place of the program's own version. */
  readonly version?: string;
}

/** Makes both packages in the folder `out`. */
export async function makePackages(out: string, options: PackageOptions = {}): Promise<Packages> {
  const { key, version = program.version } = options;
  await ensureTools(["gcc", "make", "musl", "objdump", "npm", "dpkg-deb", "rpmbuild", "rpmsign", "gpg"]);
  await Deno.mkdir(out, { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "podheitor-package-" });
  try {
    const epochSeconds = await findEpoch();
    const files = await listContents(checkout, `${work}/build`, epochSeconds);
    const release = { version, epochSeconds, glibc: await neededGlibc(files) };
    const deb = await makeDeb(checkout, files, release, { work, out });
    const rpm = await makeRpm(checkout, files, release, { work, out });
    if (key !== undefined) await signPackages({ deb, rpm }, key);
    await writeChecksums(out, [deb, rpm].map((path) => path.slice(out.length + 1)), key);
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
  const { values } = parseArgs({ args: Deno.args, options: { key: { type: "string" } } });
  const { deb, rpm } = await makePackages(
    `${checkout}/dist`,
    values.key === undefined ? {} : { key: values.key },
  );
  console.log(`${deb}\n${rpm}\n${describeForm()}`);
  if (values.key === undefined) console.log("Unsigned: --key names a key of GnuPG's to sign with.");
}
