/**
 * The commands as the program's own usage has them.
 *
 * @module
 */

/** A command that an operator may type. */
export interface CommandLine {
  readonly name: string;
  /** Its line, without the program's name. */
  readonly synopsis: string;
  /** Options, and what stands behind each; null for one that stands alone. */
  readonly options: ReadonlyMap<string, string | null>;
}

/** What a usage says. */
export interface Usage {
  readonly program: string;
  readonly commands: readonly CommandLine[];
  /** What is said of them, a paragraph each. */
  readonly paragraphs: readonly string[];
  /** Status, and what it means. */
  readonly exits: readonly (readonly [status: string, meaning: string])[];
}

/** Takes a usage apart. */
export function readUsage(text: string): Usage {
  const [head = "", body = ""] = text.split(/\n\n/, 2);
  const lines = head.split("\n").slice(1).map((line) => line.trim());
  const program = lines[0]!.split(" ", 1)[0]!;
  const commands = lines.map((line) => readLine(line.slice(program.length).trim()));
  const names = new Set(commands.map(({ name }) => name));
  const paragraphs: string[] = [];
  const exits: (readonly [string, string])[] = [];
  for (const line of body.trim().split("\n")) {
    const [, said] = /^Exit status: (.*)\.$/.exec(line) ?? [];
    if (said !== undefined) {
      for (const [, status, meaning] of said.matchAll(/(\d) ([^,]+)/g)) exits.push([status!, meaning!]);
      continue;
    }
    const last = paragraphs.at(-1);
    const begins = last === undefined || (last.endsWith(".") && names.has(line.split(" ", 1)[0]!));
    if (begins) paragraphs.push(line);
    else paragraphs[paragraphs.length - 1] = `${last} ${line}`;
  }
  return { program, commands, paragraphs, exits };
}

function readLine(line: string): CommandLine {
  const [name = "", ...rest] = line.split(/\s+/);
  const options = [...rest.join(" ").matchAll(/(--[a-z-]+)(?: ([A-Z][^\s\]]*|\d\w*))?/g)];
  return {
    name,
    synopsis: `${name} ${rest.join(" ")}`.trim(),
    options: new Map(options.map(([, option, value]) => [option!, value ?? null])),
  };
}
