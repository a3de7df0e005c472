/**
 * What a package holds: each path with its mode and where its bytes come from. DEB and RPM are made of this one list.
 *
 * @module
 */

import { program } from "../backend/version.ts";
import { run } from "../tests/lab/command.ts";
import { buildExecutable, buildPlugin, type Parts, proveOurs } from "./build.ts";
import { findComponents } from "./components.ts";
import { copyright } from "./copyright.ts";
import { environmentFile } from "./environment_file.ts";
import { type Executable, executables, installed } from "./executables.ts";
import { compileLauncher } from "./launcher.ts";
import { findRuntime } from "./runtime.ts";
import { billOfMaterials } from "./sbom.ts";
import { ownTarget, type Target, toolFor } from "./target.ts";

/** A file of a package. */
export interface PackagedFile {
  /** Where it is installed. */
  readonly path: string;
  readonly mode: number;
  /** A file to copy, or the text itself. */
  readonly from: { readonly file: string } | { readonly text: string };
  /** Whether it is configuration, which an upgrade leaves as the operator made it. */
  readonly isConfiguration?: true;
}

const documents = "/usr/share/doc/podheitor-mongodb";
const configuration = "/etc/podheitor";

/**
 * Builds what is shipped in the folder `work`, and lists all files, by path.
 *
 * @param epochSeconds the time that the package says
 */
export async function listContents(
  checkout: string,
  work: string,
  epochSeconds: number,
  target: Target,
): Promise<PackagedFile[]> {
  const files = [
    ...await programFiles(checkout, work, target),
    {
      path: `${configuration}/podheitor-mongodb.env`,
      mode: 0o600,
      from: { text: environmentFile() },
      isConfiguration: true,
    } as const,
    ...listFolder(`${checkout}/packaging/conf`).map((name) =>
      ({
        ...copied(`${configuration}/${name}`, `${checkout}/packaging/conf/${name}`),
        isConfiguration: true,
      }) as const
    ),
    ...copiedFolder(checkout, "systemd", "/usr/lib/systemd/system"),
    ...copiedFolder(checkout, "completion", "/usr/share/bash-completion/completions", /\.bash$/),
    ...copiedFolder(checkout, "bacularis", `${documents}/examples/bacularis`),
    ...["examples", "grafana", "prometheus"].flatMap((folder) =>
      copiedFolder(checkout, folder, `${documents}/examples`)
    ),
    ...await documentFiles(checkout, epochSeconds, target),
    ...await manualPages(checkout, work),
  ];
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

async function programFiles(checkout: string, work: string, target: Target): Promise<PackagedFile[]> {
  const plugin = await buildPlugin(work, target);
  await run(toolFor(target, "strip"), ["--strip-unneeded", plugin]);
  const files = [copied(`${installed.plugins}/podheitor-mongodb-fd.so`, plugin)];
  let needsRuntime = false;
  for (const executable of executables) {
    const { room, name } = executable;
    const parts = await buildExecutable(executable, work);
    const launched = "program" in parts
      ? { program: `${installed.runtime}/${name}` }
      : { deno: `${installed.runtime}/deno`, module: `${installed.runtime}/${name}.js` };
    await compileLauncher(room, `${work}/${name}.launcher`, launched, { target });
    files.push(copied(`${installed.programs}/${name}`, `${work}/${name}.launcher`, 0o755));
    if ("program" in parts) files.push(copied(launched.program!, parts.program, 0o755));
    else files.push(copied(launched.module!, parts.module));
    needsRuntime ||= "module" in parts;
    await proveShipped(executable, parts, work);
  }
  if (needsRuntime) files.push(copied(`${installed.runtime}/deno`, await findRuntime(target), 0o755));
  files.push(
    copied(`${installed.runtime}/verify-artifacts.sh`, `${checkout}/packaging/verify-artifacts.sh`, 0o755),
  );
  files.push(...copiedFolder(checkout, "roles", `${installed.runtime}/roles`));
  return files;
}

/** What is installed under other names, or is another processor's, can't be started here, so a launcher of the same parts is. */
async function proveShipped({ room, name }: Executable, parts: Parts, work: string): Promise<void> {
  const path = `${work}/${name}`;
  const launched = "module" in parts ? { deno: await findRuntime(ownTarget), ...parts } : parts;
  await compileLauncher(room, path, launched);
  await proveOurs(path, name);
}

/** Documents keep their places, so that what they say of each other leads there. */
async function documentFiles(
  checkout: string,
  epochSeconds: number,
  target: Target,
): Promise<PackagedFile[]> {
  const components = await findComponents(checkout, target);
  const licence = await Deno.readTextFile(`${checkout}/LICENSE`);
  const pages = ["README.md", "REFERENCE.md", "CHANGELOG.md", "ARCHITECTURE.md"];
  for (const folder of ["backend", "docs", "exporter"]) pages.push(...listPages(checkout, folder));
  return [
    ...pages.map((page) => copied(`${documents}/${page}`, `${checkout}/${page}`)),
    written(`${documents}/copyright`, copyright(licence, components)),
    written(`${documents}/sbom.spdx.json`, await billOfMaterials(program.version, components, epochSeconds)),
    written(`${documents}/licences/PodHeitor.txt`, licence),
    copied(`${documents}/licences/AGPL-3.0.txt`, `${checkout}/cshim/LICENSE`),
    ...components.map(({ name, text }) =>
      written(`${documents}/licences/${name.replace("@", "").replace("/", "-")}.txt`, text)
    ),
  ];
}

/** Manual pages, compressed as `man` expects them. */
async function manualPages(checkout: string, work: string): Promise<PackagedFile[]> {
  const folder = `${checkout}/packaging/man`;
  return await Promise.all(
    listFolder(folder).map(async (name) => {
      const section = /\.(\d)$/.exec(name)?.[1];
      if (section === undefined) throw new Error(`${folder}/${name} is no manual page by its name`);
      await Deno.copyFile(`${folder}/${name}`, `${work}/${name}`);
      await run("gzip", ["-9nf", `${work}/${name}`]);
      return copied(`/usr/share/man/man${section}/${name}.gz`, `${work}/${name}.gz`);
    }),
  );
}

function copied(path: string, file: string, mode = 0o644): PackagedFile {
  return { path, mode, from: { file } };
}

/** The files of a folder of this one, which needn't be there, without the end of their names that `ending` has. */
function copiedFolder(checkout: string, folder: string, target: string, ending = /$/): PackagedFile[] {
  const source = `${checkout}/packaging/${folder}`;
  return listFolder(source).map((name) =>
    copied(`${target}/${name.replace(ending, "")}`, `${source}/${name}`)
  );
}

function written(path: string, text: string): PackagedFile {
  return { path, mode: 0o644, from: { text } };
}

/** Names of the files in a folder, which needn't be there. */
function listFolder(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name).sort();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
}

/** Paths of the pages below a folder of the checkout, which needn't be there. */
function listPages(checkout: string, folder: string): string[] {
  try {
    return [...Deno.readDirSync(`${checkout}/${folder}`)].flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? listPages(checkout, path) : name.endsWith(".md") ? [path] : [];
    });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw cause;
  }
}
