/**
 * The form that Bacularis shows for the plugin: its parameters, from the table of options.
 *
 * @module
 */

import type { OptionRow } from "../../backend/options/row.ts";
import { sourceRows } from "../../backend/options/source_rows.ts";
import { type OptionName, optionRows } from "../../backend/options/table.ts";
import { formatValue } from "../../backend/options/value.ts";
import { program } from "../../backend/version.ts";
import { formatSize, root } from "./tables.ts";

/** Where the class is. */
export const bacularisPath = "packaging/bacularis/PodHeitorMongoDBBackup.php";

/** Bacularis puts a heading over each, in this order. */
const categories = ["Connection", "Backup", "Member to read", "Backup and restore", "Restore"] as const;

type Category = (typeof categories)[number];

/** The class, with the table in the place between its marks. */
export async function bacularisClass(): Promise<string> {
  const text = await Deno.readTextFile(`${root}${bacularisPath}`);
  const parameters = categories.flatMap((category) =>
    optionRows.filter(([name, row]) => categoryOf(name, row) === category)
      .map(([name, row]) => `\t\t\t${phpArray(parameterOf(name, row, category))},`)
  );
  return text
    .replace(/(?<=\/\/ begin: [^\n]*\n)[^]*?(?=\t\t\t\/\/ end\n)/, () => `${parameters.join("\n")}\n`)
    .replace(/(?<=const VERSION = ')[^']*/, program.version);
}

/** What is said of one restore, at its prompt: in a FileSet it would be meant for all of them. */
const ofOneRestore: ReadonlySet<OptionName> = new Set([
  "allow_unsigned",
  "drop",
  "dry_run",
  "ns_from",
  "ns_to",
  "pit",
  "where",
]);

function categoryOf(name: OptionName, row: OptionRow): Category | null {
  if (ofOneRestore.has(name)) return null;
  if (["uri", "uri_file", "password_file"].includes(name)) return "Connection";
  if (Object.hasOwn(sourceRows, name)) return "Member to read";
  return row.use === "both" ? "Backup and restore" : row.use === "backup" ? "Backup" : "Restore";
}

function parameterOf(name: OptionName, row: OptionRow, category: Category) {
  const [label] = row.summary.split(/[.;:] |[.;:]$/, 1);
  const standing = { name, ...fieldOf(row) };
  return { ...standing, label: `${label} (${name})`, category: [category] };
}

function fieldOf(
  row: OptionRow,
): { type: string; default: string | number | boolean; data?: readonly string[] } {
  if (row.kind === "size") return { type: "string", default: formatSize(row.default) };
  const text = row.default === null ? "" : formatValue(row.default);
  // Its form takes a box without a tick for one that nobody touched: what is on by itself needs a word to be off.
  if (row.kind === "bool" && row.default) return { type: "array", default: "yes", data: ["yes", "no"] };
  if (row.kind === "bool") return { type: "boolean", default: row.default };
  if (row.kind === "integer") return { type: "integer", default: row.default };
  if (row.kind !== "choice") return { type: "string", default: text };
  // A backup refuses to be a rehearsal.
  const values = row.values.filter((value) => value !== "rehearse");
  return { type: "array", default: text, data: [...row.default === null ? [""] : [], ...values] };
}

function phpArray(value: Readonly<Record<string, unknown>>): string {
  return `[${Object.entries(value).map(([key, one]) => `'${key}' => ${phpValue(one)}`).join(", ")}]`;
}

function phpValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(phpValue).join(", ")}]`;
  return typeof value === "string" ? `'${value.replaceAll(/['\\]/g, "\\$&")}'` : String(value);
}
