/**
 * Makes the RPM.
 *
 * @module
 */

import { run } from "../tests/lab/command.ts";
import type { PackagedFile } from "./contents.ts";
import type { Release } from "./deb.ts";
import { layOut } from "./layout.ts";

/** Folders that are the package's own; the others belong to Bacula or to the system. */
const ownFolders = [
  "/etc/podheitor",
  "/opt/bacula/lib/podheitor-mongodb",
  "/usr/share/doc/podheitor-mongodb",
];

/** Makes the package in the folder `out`, by way of the new folder `work`, and returns its path. */
export async function makeRpm(
  checkout: string,
  files: readonly PackagedFile[],
  { version, epochSeconds, glibc, target: { machine } }: Release,
  { work, out }: { work: string; out: string },
): Promise<string> {
  const stage = `${work}/rpm`;
  await layOut(files, stage, epochSeconds);
  const listing = `${work}/rpm-files`;
  await Deno.writeTextFile(listing, formatListing(files));
  const [weekday, day, month, year] = new Date(epochSeconds * 1000).toUTCString().split(/,? /);
  const macros = {
    _topdir: `${work}/rpmbuild`,
    _rpmdir: out,
    _rpmfilename: "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
    _buildhost: "podheitor",
    _binary_payload: "w3.zstdio",
    use_source_date_epoch_as_buildtime: "1",
    clamp_mtime_to_source_date_epoch: "1",
    source_date_epoch_from_changelog: "0",
    stage,
    listing,
    glibc,
    version_built: version,
    date: `${weekday} ${month} ${day} ${year}`,
  };
  await run("rpmbuild", [
    ...["-bb", "--target", machine],
    ...Object.entries(macros).flatMap(([name, value]) => ["--define", `${name} ${value}`]),
    `${checkout}/packaging/rpm/podheitor-mongodb.spec`,
  ], { env: { SOURCE_DATE_EPOCH: `${epochSeconds}` } });
  return `${out}/podheitor-mongodb-${version}-1.${machine}.rpm`;
}

function formatListing(files: readonly PackagedFile[]): string {
  const folders = new Set(files.flatMap(({ path }) => {
    const own = ownFolders.find((folder) => path.startsWith(`${folder}/`));
    if (own === undefined) return [];
    const names = path.slice(own.length + 1).split("/").slice(0, -1);
    return [own, ...names.map((_, at) => [own, ...names.slice(0, at + 1)].join("/"))];
  }));
  const lines = [
    ...[...folders].sort().map((folder) => `%dir %attr(0755, root, root) ${folder}`),
    ...files.map(({ path, mode, isConfiguration }) => {
      const kind = isConfiguration
        ? "%config(noreplace) "
        : path.startsWith("/usr/share/doc/")
        ? "%doc "
        : "";
      return `${kind}%attr(0${mode.toString(8)}, root, root) ${path}`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}
