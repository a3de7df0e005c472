/**
 * The code of a document in Markdown: its blocks, fenced or indented, and what stands between backquotes in its text.
 *
 * @module
 */

/** A piece of code, as it stands in the document. */
export interface Code {
  /** The first line of the code itself, from 1. */
  readonly line: number;
  /** The heading above it, or "" before the first one. */
  readonly section: string;
  /** What is behind the fence; null for a block without a language, and for code in the text. */
  readonly language: string | null;
  readonly place: "fence" | "indented" | "text";
  readonly text: string;
}

/**
 * Reads the code of a document, in its order.
 *
 * @throws Error with the line of a fence that is never closed
 */
export function readCode(markdown: string): Code[] {
  const lines = markdown.split("\n");
  const found: Code[] = [];
  let section = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const [, indent = "", fence, language = ""] = /^( *)(```+)(\w*)$/.exec(line) ?? [];
    if (fence !== undefined) {
      const end = lines.indexOf(indent + fence, at + 1);
      if (end < 0) throw new Error(`line ${at + 1}: the block has no end`);
      const text = dedent(lines.slice(at + 1, end), indent.length);
      found.push({ line: at + 2, section, language: language || null, place: "fence", text });
      at = end;
    } else if (isIndented(line) && (lines[at - 1] ?? "") === "") {
      const indent = /^ */.exec(line)![0].length;
      let end = at + 1;
      while (isIndented(lines[end]) || (lines[end] === "" && isIndented(lines[end + 1]))) end++;
      const text = dedent(lines.slice(at, end), indent);
      found.push({ line: at + 1, section, language: null, place: "indented", text });
      at = end - 1;
    } else {
      section = /^#+ (.*)$/.exec(line)?.[1] ?? section;
      for (const [, text] of line.matchAll(/`([^`]+)`/g)) {
        found.push({ line: at + 1, section, language: null, place: "text", text: text! });
      }
    }
  }
  return found;
}

function isIndented(line: string | undefined): boolean {
  return /^ {4,}\S/.test(line ?? "");
}

function dedent(lines: readonly string[], columns: number): string {
  return lines.map((line) => line.slice(columns)).join("\n");
}
