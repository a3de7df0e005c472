/**
 * The project's files as the rules see them.
 *
 * @module
 */

/** A file of the project; of one that is no text, only its name counts. */
export interface ProjectFile {
  /** From the project's root, without a leading slash. */
  readonly path: string;
  readonly text: string;
}

const root = new URL("../../", import.meta.url).pathname;
const binary = /\.(wasm|png|gz|deb|rpm)$/;

/** Every file that belongs to the project: all but what `.gitignore` names. */
export async function readProject(): Promise<ProjectFile[]> {
  const ignored = (await Deno.readTextFile(`${root}.gitignore`)).split("\n").filter((line) => line !== "");
  const files: ProjectFile[] = [];
  async function walk(folder: string): Promise<void> {
    for await (const { name, isDirectory, isFile } of Deno.readDir(`${root}${folder}`)) {
      const path = `${folder}${name}`;
      if (isDirectory && path !== ".git" && !ignored.includes(`${path}/`)) await walk(`${path}/`);
      if (!isFile) continue;
      files.push({ path, text: binary.test(name) ? "" : await Deno.readTextFile(`${root}${path}`) });
    }
  }
  await walk("");
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** TypeScript that people wrote. */
export function isTypeScript({ path }: ProjectFile): boolean {
  return path.endsWith(".ts") && !isGenerated(path);
}

/** Source code of any language that people wrote. */
export function isCode({ path }: ProjectFile): boolean {
  return /\.(ts|c|h|rs|sh)$/.test(path) && !isGenerated(path);
}

/** What other programs write: bindings of the WebAssembly module. */
function isGenerated(path: string): boolean {
  return path.startsWith("wasm/pkg/");
}

/** Tests and all that only they need. */
export function isTestPath(path: string): boolean {
  return path.startsWith("tests/") || path.startsWith("cshim/tests/") || path.endsWith("_test.ts");
}

/** Programs that build the product and are no part of it. */
export function isScriptPath(path: string): boolean {
  return path.startsWith("packaging/") || path === "wasm/build.ts";
}

const comment = String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const quoted = String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`;
const template = "`(?:\\\\[\\s\\S]|[^`\\\\])*`";
const pattern = String
  .raw`(?<=(?:[(,=:[!&|?{};]|=>|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/`;
const noCode = new RegExp(`${comment}|${quoted}|${template}|${pattern}`, "g");

/** A TypeScript text with comments, strings and regular expressions blanked; every line keeps its number. */
export function codeOf(text: string): string {
  return text.replace(noCode, (part) => part.replace(/[^\n]/g, " "));
}

/** `path:line` of every match, for the beginning of a finding. */
export function locate(path: string, text: string, wanted: RegExp): string[] {
  return [...text.matchAll(wanted)].map(({ index }) => `${path}:${text.slice(0, index).split("\n").length}`);
}

/** What a file imports or re-exports, in its own words: `./x.ts`, `npm` names, `node:` modules. */
export function importsOf({ text }: ProjectFile): string[] {
  const statement = /^(?:import|export)\s+(?:type\s+)?(?:[\w$*{][\w$\s,*{}]*?\s+from\s+)?"([^"]+)"/gm;
  return [...text.matchAll(statement), ...text.matchAll(/\bimport\(\s*"([^"]+)"/g)].map(([, name]) => name!);
}

/** A relative name as a path from the project's root. */
export function resolvePath(from: string, relative: string): string {
  return new URL(relative, `file:///${from}`).pathname.slice(1);
}
