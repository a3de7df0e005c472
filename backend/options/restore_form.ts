/**
 * The form of options that bconsole shows before a restore (`mod`, `Plugin Options`), and its answers.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { OptionRow } from "./row.ts";
import { type OptionName, optionRows } from "./table.ts";
import { type OptionValue, parseValue } from "./value.ts";
import { ValueFault } from "./value_fault.ts";

/** Name under which Bacula keeps the form. */
export const restoreFormName = "RestoreOptions";

/** The form's text, one field for each option that may be given at a restore. */
export function restoreForm(): string {
  return optionRows.filter(([, row]) => row.form).map(([name, row]) =>
    `OptPrompt="${row.summary.replaceAll('"', "'")}"\n${name}=${row.kind === "bool" ? "@BOOL@" : "@STR@"}\n`
  ).join("\n");
}

/** The answers of a filled form. */
export function parseRestoreForm(text: string): Map<OptionName, OptionValue> {
  const answers = new Map<OptionName, OptionValue>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const match = /^\s*(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S*))\s*$/.exec(line);
    const row = optionRows.find(([name, row]) => row.form && name === match?.[1]?.toLowerCase());
    if (match === null || row === undefined) throw unreadable("it has a line that is no answer to the form");
    const answer = match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
    if (answer !== "") answers.set(row[0], readAnswer(row, answer));
  }
  return answers;
}

function readAnswer([name, row]: readonly [OptionName, OptionRow], answer: string): OptionValue {
  try {
    return parseValue(row, answer);
  } catch (cause) {
    if (cause instanceof ValueFault) throw unreadable(`option "${name}" ${cause.message}`);
    throw cause;
  }
}

function unreadable(reason: string): PluginError {
  return new PluginError(
    "optionInvalid",
    `Cannot read the options given at the restore's prompt: ${reason}`,
    {
      hint: "Start the restore again and answer the form anew.",
    },
  );
}
