/**
 * What no file may hold, and how long it may be.
 *
 * @module
 */

import { codeOf, isCode, isTypeScript, locate, type ProjectFile } from "./project.ts";

const linesMax = 350;

/** Files and folders named after nothing in particular. */
const vagueName = /(^|\/)(utils?|helpers?|misc|common|types|index)(\.\w+)?(\/|$)/;

/** Marks of unfinished work; in two pieces, for this file is read too. */
const unfinished = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`, "g");

const silenced = /(\/\/|\/\*)\s*(@ts-(ignore|nocheck|expect-error)|deno-lint-ignore)/g;

/** Hosts that package clients know by themselves: name and domain apart, for this file is read too. */
const registries = [
  ["npmjs", "org"],
  ["npmjs", "com"],
  ["yarnpkg", "com"],
  ["jsr", "io"],
  ["deno", "land"],
  ["esm", "sh"],
  ["unpkg", "com"],
  ["jsdelivr", "net"],
  ["crates", "io"],
  ["pypi", "org"],
  ["pythonhosted", "org"],
  ["golang", "org"],
  ["rubygems", "org"],
  ["deb.debian", "org"],
  ["archive.ubuntu", "com"],
  ["ghcr", "io"],
  ["docker", "io"],
] as const;
const registryHost = new RegExp(
  registries.map(([name, domain]) => `\\b${name}\\.${domain}\\b`).join("|"),
  "gi",
);

/** No file is longer than a reader can hold in mind. */
export function findLong(files: readonly ProjectFile[]): string[] {
  return files.filter(isCode).flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, "").split("\n").length;
    return lines > linesMax ? [`${path} has ${lines} lines, ${linesMax} at most`] : [];
  });
}

/** Each file and class says what it is. */
export function findVagueNames(files: readonly ProjectFile[]): string[] {
  return files.filter(isCode).flatMap(({ path, text }) => [
    ...vagueName.test(path) ? [`${path} has a name that says nothing`] : [],
    ...locate(
      path,
      codeOf(text),
      /\b(class|interface|struct)\s+\w*(Manager|Service|Handler|Helper|Util)s?\b/g,
    )
      .map((at) => `${at} has a name that says nothing`),
  ]);
}

/** The public face in the root is the only file that passes others' exports on. */
export function findBarrels(files: readonly ProjectFile[]): string[] {
  return files.filter(isTypeScript).filter(({ path }) => path !== "mod.ts").flatMap(({ path, text }) => [
    ...path.endsWith("/mod.ts") ? [`${path} is a second public face`] : [],
    ...locate(path, text, /^export\s+(type\s+)?[{*][^;]*?\bfrom\s+"/gm).map((at) =>
      `${at} passes on another file's exports`
    ),
  ]);
}

/** No marks of unfinished work, in any file. */
export function findUnfinished(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => locate(path, text, unfinished).map((at) => `${at} is unfinished`));
}

/** Nothing is hidden from compiler or linter, and nothing is typed `any`. */
export function findSilenced(files: readonly ProjectFile[]): string[] {
  const sources = files.filter(isTypeScript);
  return sources.flatMap(({ path, text }) => [
    ...locate(path, text, silenced).map((at) => `${at} hides something from a tool`),
    ...locate(path, codeOf(text), /(?:[:<|&,=]|\bas)\s*any\b(?!\s*[:(?=])/g).map((at) => `${at} says any`),
  ]);
}

/** Package clients find their registries by themselves. Lock files are theirs. */
export function findRegistryHosts(files: readonly ProjectFile[]): string[] {
  return files.filter(({ path }) => !path.endsWith(".lock"))
    .flatMap(({ path, text }) =>
      locate(path, text, registryHost).map((at) => `${at} names a registry's host`)
    );
}

const testName = /\bDeno\.test(?:\.\w+)?\(\s*(?:\{\s*name:\s*)?("(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`)/g;

/** A test's name leads to one test of its file. */
export function findRepeatedTestNames(files: readonly ProjectFile[]): string[] {
  return files.filter(({ path }) => path.endsWith("_test.ts")).flatMap(({ path, text }) => {
    const names = [...text.matchAll(testName)].map(([, name]) => name!);
    const repeated = names.filter((name, at) => names.indexOf(name) !== at);
    return repeated.map((name) => `${path} has two tests named ${name}`);
  });
}

/** Every test runs: none alone, none left out. */
export function findLeftOutTests(files: readonly ProjectFile[]): string[] {
  return files.filter(isTypeScript).flatMap(({ path, text }) =>
    locate(path, codeOf(text), /\bDeno\.test\.(only|ignore)\b|\b(only|ignore):\s*true\b/g)
      .map((at) => `${at} keeps tests from running`)
  );
}

/** Workflows run what they were reviewed with: actions stand by their full commit. */
export function findUnpinnedActions(files: readonly ProjectFile[]): string[] {
  return files.filter(({ path }) => path.startsWith(".github/")).flatMap(({ path, text }) =>
    locate(path, text, /\buses:\s+(?!\.\/|\S+@[0-9a-f]{40}\s)/g).map((at) =>
      `${at} uses an action without its full commit`
    )
  );
}
