/**
 * The commands that the documents tell their readers to type.
 *
 * @module
 */

import { type ProjectFile, readProject } from "../tidy/project.ts";
import { type Code, readCode } from "./markdown.ts";

/** A command as it stands in a document: a line of a block or of the text, or a whole block that has a language. */
export interface Command {
  /** From the project's root. */
  readonly document: string;
  readonly line: number;
  readonly section: string;
  readonly place: Code["place"];
  readonly tool: Tool;
  readonly text: string;
}

/** What takes a command. */
export type Tool = "shell" | "bconsole" | "mongosh";

/** Documents, but for the one of releases that were, and files that packages bring as they are, whose comments tell their readers what to type. */
const documentPath = /^(?!CHANGELOG\.md).*\.md$|^packaging\/(conf|examples|prometheus|roles|systemd)\//;

/** What a command begins with; a document that names another program adds it here. */
const beginnings: readonly (readonly [RegExp, Tool])[] = [
  [/^(podheitor-mongodb-(backend|exporter)|packaging\/verify-artifacts\.sh|deno|npx|cargo) \S/, "shell"],
  // The runbooks' word for the first of these.
  [/^backend [a-z-]+ --/, "shell"],
  [/^(apt|apt-get|dnf|rpm|rpmkeys|dpkg|gpg|gpgv|openssl|promtool|curl|sed|grep|printf) \S/, "shell"],
  [/^(systemctl|journalctl|systemd-analyze|runuser|chown|chmod|install|ls|cat|echo|set) \S/, "shell"],
  [/^(mongosh|mongodump|mongorestore) \S/, "shell"],
  [/^(\.ls|\.query|restore|list|status|run|estimate|cancel|wait|cd|mark|update|delete|prune) \S/, "bconsole"],
  [/^(db|rs)\.\w.*\)$/, "mongosh"],
];

const languages: Readonly<Record<string, Tool>> = { bash: "shell", sh: "shell", bconsole: "bconsole" };

/** A block without a language that isn't of commands. */
export interface OtherBlock {
  readonly document: string;
  readonly line: number;
  readonly firstLine: string;
}

/** The commands of all documents in their order, and the blocks of which only a register can say that they are none. */
export async function readDocuments(): Promise<{ commands: Command[]; others: OtherBlock[] }> {
  const documents = (await readProject()).filter(({ path }) => documentPath.test(path));
  const read = documents.map(readDocument);
  return {
    commands: read.flatMap(({ commands }) => commands),
    others: read.flatMap(({ others }) => others),
  };
}

/**
 * Reads one document.
 *
 * @throws Error with the place of a block that has commands and other lines
 */
export function readDocument({ path, text }: ProjectFile): { commands: Command[]; others: OtherBlock[] } {
  const commands: Command[] = [];
  const others: OtherBlock[] = [];
  for (
    const { line, section, language, place, text: code } of readCode(
      path.endsWith(".md") ? text : commentsOf(text),
    )
  ) {
    const add = (tool: Tool, text: string, at = line) =>
      commands.push({ document: path, line: at, section, place, tool, text });
    const lines = code.split("\n");
    const tools = lines.map(toolOf);
    if (language !== null) {
      // Its lines belong together: what is typed in one shell, or answered in one console.
      if (languages[language] !== undefined) add(languages[language], code);
    } else if (tools.every((tool) => tool === null)) {
      if (place !== "text") others.push({ document: path, line, firstLine: lines[0]! });
    } else {
      for (const [at, tool] of tools.entries()) {
        if (tool === null) throw new Error(`${path}:${line + at}: a line among commands that is none`);
        add(tool, lines[at]!, line + at);
      }
    }
  }
  return { commands, others };
}

/** The comments of a file, each line in its place. */
function commentsOf(text: string): string {
  return text.replace(/^(?:(?:#|\/\/) ?(.*)|.*)$/gm, (_, comment = "") => comment);
}

function toolOf(line: string): Tool | null {
  return beginnings.find(([form]) => form.test(line))?.[1] ?? null;
}
