/**
 * Makes the DEB.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { run } from "../tests/lab/command.ts";
import type { PackagedFile } from "./contents.ts";
import { layOut } from "./layout.ts";
import type { Target } from "./target.ts";

/** What a package of either format says of itself. */
export interface Release {
  readonly version: string;
  readonly target: Target;
  /** The time of all files, and of the package. */
  readonly epochSeconds: number;
  /** Oldest glibc that it runs with. */
  readonly glibc: string;
}

const maintainer = "PodHeitor <packages@podheitor.invalid>";
const changelog = "/usr/share/doc/podheitor-mongodb/changelog.Debian.gz";
const overrides = "/usr/share/lintian/overrides/podheitor-mongodb";

/** Makes the package in the folder `out`, by way of the new folder `work`, and returns its path. */
export async function makeDeb(
  checkout: string,
  files: readonly PackagedFile[],
  release: Release,
  { work, out }: { work: string; out: string },
): Promise<string> {
  const { version, epochSeconds, target } = release;
  const root = `${work}/deb`;
  const all = [
    ...files,
    { path: changelog, mode: 0o644, from: { file: await writeChangelog(work, release) } },
    { path: overrides, mode: 0o644, from: { file: `${checkout}/packaging/deb/lintian-overrides` } },
  ];
  await layOut([...all, ...await controlFiles(checkout, all, release)], root, epochSeconds);
  const deb = `${out}/podheitor-mongodb_${version}-1_${target.architecture}.deb`;
  // Debian 11's dpkg knows gzip and xz; xz takes a minute, and more than 6 twice as long for nothing.
  await run("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z6", "--build", root, deb], {
    env: { SOURCE_DATE_EPOCH: `${epochSeconds}` },
  });
  return deb;
}

async function controlFiles(
  checkout: string,
  files: readonly PackagedFile[],
  release: Release,
): Promise<PackagedFile[]> {
  const sums: string[] = [];
  let kibibytes = 0;
  for (const { path, from, isConfiguration } of files) {
    const bytes = "file" in from ? await Deno.readFile(from.file) : new TextEncoder().encode(from.text);
    kibibytes += Math.ceil(bytes.length / 1024);
    if (!isConfiguration) sums.push(`${createHash("md5").update(bytes).digest("hex")}  ${path.slice(1)}\n`);
  }
  const configuration = files.filter(({ isConfiguration }) => isConfiguration).map(({ path }) => `${path}\n`);
  return [
    { path: "/DEBIAN/control", mode: 0o644, from: { text: control(release, kibibytes) } },
    { path: "/DEBIAN/conffiles", mode: 0o644, from: { text: configuration.join("") } },
    { path: "/DEBIAN/md5sums", mode: 0o644, from: { text: sums.join("") } },
    ...["postinst", "prerm", "postrm"].map((name) => ({
      path: `/DEBIAN/${name}`,
      mode: 0o755,
      from: { file: `${checkout}/packaging/deb/${name}` },
    })),
  ];
}

function control({ version, glibc, target }: Release, kibibytes: number): string {
  return `Package: podheitor-mongodb
Version: ${version}-1
Architecture: ${target.architecture}
Maintainer: ${maintainer}
Installed-Size: ${kibibytes}
Depends: libc6 (>= ${glibc}), libgcc-s1, passwd
Suggests: bacula-fd, b3sum, openssl
Section: admin
Priority: optional
Description: MongoDB backup and restore for Bacula
 A plugin of Bacula's File Daemon that backs up MongoDB as one consistent point
 in time, follows its oplog in Incrementals, and restores to any second of it.
`;
}

async function writeChangelog(work: string, { version, epochSeconds }: Release): Promise<string> {
  const path = `${work}/changelog.Debian`;
  const date = new Date(epochSeconds * 1000).toUTCString().replace("GMT", "+0000");
  const head = `podheitor-mongodb (${version}-1) stable; urgency=medium`;
  await Deno.writeTextFile(path, `${head}\n\n  * See CHANGELOG.md.\n\n -- ${maintainer}  ${date}\n`);
  await run("gzip", ["-9nf", path]);
  return `${path}.gz`;
}
