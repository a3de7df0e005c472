/**
 * Debian packages of a suite that is not the machine's own: unpacked into a folder, nothing installed.
 *
 * @module
 */

import { run } from "./command.ts";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Downloads packages of a Debian suite from where the machine gets its own ones and unpacks them into `root`. apt checks
 * signatures and hashes as ever; its lists and downloads go to a folder of their own, so no root rights are needed.
 *
 * @param suite "bullseye", "trixie"
 * @param architecture for which processor, by Debian's name
 */
export async function unpackPackages(
  suite: string,
  packages: readonly string[],
  root: string,
  architecture = "amd64",
): Promise<void> {
  const archive = await machineArchive();
  const work = await Deno.makeTempDir({ prefix: "podheitor-apt-" });
  try {
    for (const folder of ["lists/partial", "cache/archives/partial", "debs"]) {
      await Deno.mkdir(`${work}/${folder}`, { recursive: true });
    }
    await Deno.writeTextFile(`${work}/status`, "");
    await Deno.writeTextFile(
      `${work}/lab.sources`,
      `Types: deb\nURIs: ${archive}\nSuites: ${suite}\nComponents: main\nArchitectures: ${architecture}\n` +
        `Targets: Packages\nLanguages: none\nSigned-By: ${keyring}\n`,
    );
    const options = [
      ...[`Dir::Etc::sourcelist=${work}/lab.sources`, "Dir::Etc::sourceparts=/dev/null"],
      ...["Dir::Etc::preferences=/dev/null", "Dir::Etc::preferencesparts=/dev/null"],
      ...[`Dir::State::lists=${work}/lists`, `Dir::State::status=${work}/status`, `Dir::Cache=${work}/cache`],
      ...[`APT::Architecture=${architecture}`, "APT::Sandbox::User=root", "Acquire::Retries=3"],
    ].flatMap((setting) => ["-o", setting]);
    const cwd = `${work}/debs`;
    await run("apt-get", [...options, "-q", "update"], { cwd });
    await run("apt-get", [...options, "-q", "download", ...packages], { cwd });
    for await (const { name } of Deno.readDir(cwd)) await run("dpkg-deb", ["-x", `${cwd}/${name}`, root]);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot fetch ${packages.join(" ")} of Debian ${suite}: ${said}`, { cause });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** URI from which the machine's own apt gets the packages of the machine's own release. */
export async function machineArchive(): Promise<string> {
  const release = await Deno.readTextFile("/etc/os-release").catch(() => "");
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || codename === undefined || Deno.build.arch !== "x86_64") {
    throw new Error(
      "the machine is not Debian on x86-64; run the tests in a container of debian:12 or debian:13",
    );
  }
  for (const path of await sourceFiles()) {
    const archive = findArchive(path, await Deno.readTextFile(path), codename);
    if (archive !== null) return archive;
  }
  throw new Error(`no apt source of this machine has the suite ${codename} with the component main`);
}

async function sourceFiles(): Promise<string[]> {
  const parts = "/etc/apt/sources.list.d";
  const names: string[] = [];
  for await (const { name } of Deno.readDir(parts)) {
    if (/\.(list|sources)$/.test(name)) names.push(`${parts}/${name}`);
  }
  const main = "/etc/apt/sources.list";
  if (await Deno.stat(main).then(({ isFile }) => isFile, () => false)) names.push(main);
  return names.sort();
}

/** The archive's URI in the text of an apt source file (both of apt's formats), if it has the suite's `main`. */
export function findArchive(path: string, text: string, suite: string): string | null {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  if (path.endsWith(".list")) {
    for (const line of lines) {
      const [, uri, lineSuite, components] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line) ??
        [];
      if (uri !== undefined && lineSuite === suite && words(components).includes("main")) return uri;
    }
    return null;
  }
  for (const stanza of lines.join("\n").split(/\n\s*\n/)) {
    const field = (name: string) =>
      words(new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, "mi").exec(stanza)?.[1]);
    const uri = field("URIs")[0];
    const fits = field("Types").includes("deb") && field("Suites").includes(suite) &&
      field("Components").includes("main");
    if (uri !== undefined && fits && !field("Enabled").includes("no")) return uri;
  }
  return null;
}

function words(text = ""): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
