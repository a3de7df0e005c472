/**
 * The tables in code are complete, used and documented.
 *
 * @module
 */

import { environmentTable } from "../../backend/options/environment.ts";
import { errorTable } from "../../backend/errors.ts";
import { errorHundreds } from "../docs.ts";
import {
  codeOf,
  importsOf,
  isCode,
  isTestPath,
  isTypeScript,
  type ProjectFile,
  resolvePath,
} from "./project.ts";

type ErrorTable = Readonly<Record<string, { readonly number: number }>>;

/** Numbers of errors are unique, ascend in the table, and stand in the hundred of their room. */
export function findMisnumbered(table: ErrorTable = errorTable): string[] {
  const rows = Object.entries(table);
  return rows.flatMap(([code, { number }], at) => {
    const hundred = [...errorHundreds].find(([, { codes }]) => codes.test(code))?.[0];
    const before = rows[at - 1]?.[1].number ?? 0;
    return [
      ...hundred === undefined ? [`${code} belongs to no hundred`] : [],
      ...hundred !== undefined && Math.floor(number / 100) !== hundred
        ? [`${code} is ${number}, wanted ${hundred}xx`]
        : [],
      ...number <= before ? [`${code} is ${number}, after ${before}`] : [],
    ];
  });
}

/** Every code of an error is raised somewhere in the product. */
export function findUnusedCodes(files: readonly ProjectFile[], table: ErrorTable = errorTable): string[] {
  const sources = files.filter((file) =>
    isTypeScript(file) && !isTestPath(file.path) && file.path !== "backend/errors.ts"
  );
  return Object.keys(table).filter((code) => !sources.some(({ text }) => text.includes(`"${code}"`)))
    .map((code) => `${code} is never raised`);
}

/** The troubleshooting guide has an entry for each code, in their order, with the table's own words, a reason and a remedy. */
export function findUndescribedCodes(
  files: readonly ProjectFile[],
  table: Readonly<Record<string, { readonly number: number; readonly summary: string }>> = errorTable,
): string[] {
  const path = "docs/troubleshooting.md";
  const text = files.find((file) => file.path === path)?.text ?? "";
  const entries = text.split(/^## MONGO-/m).slice(1).map((entry) => {
    const [, number, summary] =
      /^(\d+)\n\n(.*)\.\n\n\*\*Why:\*\* .+\n\n\*\*What to do:\*\* .+\n*$/.exec(entry) ?? [];
    return { number, summary, head: entry.split("\n")[0]! };
  });
  const rows = Object.values(table);
  return [
    ...entries.filter(({ number, summary }) =>
      !rows.some((row) => String(row.number) === number && row.summary === summary)
    ).map(({ head }) => `${path}: MONGO-${head} isn't an entry of a code of the table`),
    ...rows.filter((row) => entries.filter(({ number }) => number === String(row.number)).length !== 1)
      .map(({ number }) => `${path} has not one entry for MONGO-${number}`),
  ];
}

/** The environment's table and what sources read name the same variables. */
export function findUnlistedVariables(
  files: readonly ProjectFile[],
  table: Readonly<Record<string, string>> = environmentTable,
): string[] {
  const read = new Map(
    files.filter((file) => isCode(file) && !isTestPath(file.path)).flatMap(({ path, text }) =>
      [...text.matchAll(/"(PODHEITOR_MONGODB_[A-Z_]+|CREDENTIALS_DIRECTORY)"/g)].map(([, name]) =>
        [name!, path] as const
      )
    ),
  );
  return [
    ...[...read].filter(([name]) => !Object.hasOwn(table, name)).map(([name, path]) =>
      `${path} reads ${name}, which no table has`
    ),
    ...Object.keys(table).filter((name) => !read.has(name)).map((name) => `${name} is never read`),
  ];
}

/** Every source file is part of a program, a task or a test. */
export function findDeadFiles(files: readonly ProjectFile[]): string[] {
  const sources = new Map(files.filter(isTypeScript).map((file) => [file.path, file]));
  const started = files.filter(({ path }) => /^(deno\.json|README\.md|\.ci\/.*|\.github\/.*)$/.test(path))
    .map(({ text }) => text).join("\n");
  const alive = new Set<string>();
  function visit(path: string): void {
    const file = sources.get(path);
    if (file === undefined || alive.has(path)) return;
    alive.add(path);
    for (const name of importsOf(file).filter((name) => name.startsWith("."))) visit(resolvePath(path, name));
    for (const [, name] of file.text.matchAll(/["'`$}/]([\w./-]+\.ts)["'`]/g)) {
      visit(name!);
      visit(resolvePath(path, name!));
    }
  }
  for (const path of sources.keys()) {
    if (/(^mod|\/main|_test)\.ts$/.test(path) || started.includes(path)) visit(path);
  }
  return [...sources.keys()].filter((path) => !alive.has(path)).map((path) =>
    `${path} belongs to no program, task or test`
  );
}

/** What a file exports is used in another one, and not by tests alone. */
export function findDeadExports(files: readonly ProjectFile[]): string[] {
  const sources = files.filter(isTypeScript).map(({ path, text }) => ({ path, code: codeOf(text) }));
  const users = new Map<string, string[]>();
  for (const { path, code } of sources) {
    for (const word of new Set(code.match(/\w+/g))) users.set(word, [...users.get(word) ?? [], path]);
  }
  const exported = /^export\s+(?:async\s+)?(?:function\*?|const|class)\s+(\w+)/gm;
  return sources.filter(({ path }) => path !== "mod.ts").flatMap(({ path, code }) =>
    [...code.matchAll(exported)].flatMap(([, name]) => {
      const others = users.get(name!)!.filter((other) => other !== path);
      if (others.length === 0) return [`${path} exports ${name}, which no other file uses`];
      const usedHere = code.match(new RegExp(`\\b${name}\\b`, "g"))!.length > 1;
      return isTestPath(path) || usedHere || !others.every(isTestPath)
        ? []
        : [`${path} exports ${name}, which only tests use`];
    })
  );
}

/** Every test that a document's table names as a proof is there. "…" at the end of a name leaves out its rest. */
export function findMissingProofs(files: readonly ProjectFile[]): string[] {
  const tests = files.filter((file) => isTypeScript(file) && isTestPath(file.path));
  const isThere = (proof: string) =>
    tests.some(({ path, text }) => path === proof || text.includes(proof.replace(/[, ]*…$/, "")));
  return files.filter(({ path }) => path.endsWith(".md")).flatMap(({ path, text }) =>
    tablesOf(text).filter(([head]) => head?.at(-1) === "Proof").flatMap(([, , ...rows]) =>
      rows.flatMap((cells) => [...cells.at(-1)!.matchAll(/`([^`]+)`/g)].map(([, proof]) => proof!))
    ).filter((proof) => !isThere(proof)).map((proof) => `${path} names a proof that isn't there: ${proof}`)
  );
}

/** Each table of a document: its rows, and their cells. */
function tablesOf(markdown: string): string[][][] {
  return markdown.split(/\n(?!\|)/).map((part) =>
    part.split("\n").filter((line) => line.startsWith("|")).map((line) =>
      line.split("|").slice(1, -1).map((cell) => cell.trim())
    )
  );
}
