/**
 * The manual pages, from the same tables as the reference.
 *
 * @module
 */

import { errorTable } from "../../backend/errors.ts";
import { environmentTable } from "../../backend/options/environment.ts";
import { optionRows } from "../../backend/options/table.ts";
import { program } from "../../backend/version.ts";
import { readUsage } from "./command_lines.ts";
import { defaultOf, fileRows, usage, uses, valueOf } from "./tables.ts";

const product = `podheitor-mongodb ${program.version}`;

/** podheitor-mongodb-backend(8) */
export async function backendPage(): Promise<string> {
  const { program, commands, paragraphs, exits } = readUsage(await usage("backend"));
  return page(program, 8, "backs up and restores MongoDB, with Bacula and without", [
    ["SYNOPSIS", commands.flatMap(({ synopsis }) => [".PP", `\\fB${roff(program)}\\fR ${roff(synopsis)}`])],
    ["DESCRIPTION", paragraphs.flatMap((text) => [".PP", prose(text)])],
    ["EXIT STATUS", exits.flatMap(([status, meaning]) => item(status, `${meaning}.`))],
    ["ENVIRONMENT", Object.entries(environmentTable).flatMap(([name, meaning]) => item(name, meaning))],
    ["FILES", fileRows.flatMap(([path, what]) => item(path.replaceAll("`", ""), what))],
    [
      "DIAGNOSTICS",
      Object.values(errorTable).flatMap(({ number, summary }) => item(`MONGO-${number}`, `${summary}.`)),
    ],
    ["SEE ALSO", [reference("podheitor-mongodb", 5), reference("bacula-fd", 8), reference("bconsole", 8)]],
  ]);
}

/** podheitor-mongodb(5) */
export function optionsPage(): string {
  const head = [
    ".PP",
    prose(
      'The plugin command in a FileSet is Plugin = "podheitor-mongodb: key=value key=value". A value with spaces stands in double or single quotes; within quotes a backslash takes ' +
        "the next character as it is. An unknown, repeated or malformed option fails the job before anything is read.",
    ),
  ];
  const options = optionRows.flatMap(([name, row]) => [
    ...item(`${name}=`, row.summary),
    ".IP",
    prose(
      `Value: ${valueOf(row)}. Default: ${defaultOf(name, row)}. Used by: ${uses[row.use]}${
        row.form ? "; also at a restore's prompt and with prepare-restore" : ""
      }. Example: \`${row.example}\`.`,
    ),
  ]);
  return page("podheitor-mongodb", 5, "options of the plugin command for MongoDB", [
    ["DESCRIPTION", head],
    ["OPTIONS", options],
    ["SEE ALSO", [reference("podheitor-mongodb-backend", 8), reference("bacula-fd", 8)]],
  ]);
}

type Section = readonly [heading: string, lines: readonly string[]];

function page(name: string, section: number, about: string, sections: readonly Section[]): string {
  return `${
    [
      '.\\" Written by deno task docs from the tables in the code: change those, not this file.',
      `.TH ${roff(name.toUpperCase())} ${section} "" "${roff(product)}"`,
      // Paths and options are neither hyphenated nor set apart.
      ".nh",
      ".ad l",
      ".SH NAME",
      `${roff(name)} \\- ${roff(about)}`,
      ...sections.flatMap(([heading, lines]) => [`.SH ${heading}`, ...lines]),
    ].join("\n")
  }\n`;
}

function item(term: string, text: string): string[] {
  return [".TP", `\\fB${roff(term)}\\fR`, prose(text)];
}

function reference(name: string, section: number): string {
  return `.BR ${roff(name)} (${section})`;
}

/** A paragraph, with what stands in backticks in bold. */
function prose(text: string): string {
  return text.split("`").map((part, at) => at % 2 === 1 ? `\\fB${roff(part)}\\fR` : roff(part)).join("");
}

const special: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

/** Plain text for a formatter, wherever in a line it stands. */
function roff(text: string): string {
  const plain = text.replace(
    /[\\\-'`^~"]|[^\n -~]/gu,
    (sign) => special[sign] ?? `\\[u${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`,
  );
  return plain.startsWith(".") ? `\\&${plain}` : plain;
}
