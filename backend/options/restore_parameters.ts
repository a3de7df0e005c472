/**
 * Parameters for the next restore of a resource, prepared on the File Daemon's machine: `podheitor-mongodb-<resource>-restore.json`.
 *
 * @module
 */

import * as z from "zod";
import { maskUri } from "./credentials.ts";
import type { OptionRow } from "./row.ts";
import { type OptionName, optionRows, optionTable } from "./table.ts";
import { formatValue, type OptionValue, parseValue } from "./value.ts";
import { ValueFault } from "./value_fault.ts";

const format = "podheitor-mongodb-restore/1";

/** How long prepared parameters wait for their restore. */
export const parametersLiveSeconds = 3600;

const file = z.strictObject({
  format: z.literal(format),
  resource: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  // Not a record, which would pass over a key "__proto__".
  parameters: z.strictObject(
    Object.fromEntries(
      optionRows.filter(([, row]) => row.form).map(([name]) => [name, z.string().optional()]),
    ),
  ),
});

/** What was prepared. */
export interface RestoreParameters {
  readonly resource: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly values: ReadonlyMap<OptionName, OptionValue>;
}

/** Whether an option may be given for a restore. */
export function isRestoreParameter(name: string): name is OptionName {
  return Object.hasOwn(optionTable, name) && (optionTable[name as OptionName] as OptionRow).form === true;
}

/** Reads a file's text; throws an Error that says what is wrong with it, without its values. */
export function parseParameters(text: string): RestoreParameters {
  const parsed = file.safeParse(readJson(text));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new Error(`${path.join(".") || "the file"}: ${message}`);
  }
  const { resource, createdAt, expiresAt, parameters } = parsed.data;
  if (Date.parse(expiresAt) - Date.parse(createdAt) > parametersLiveSeconds * 1000) {
    throw new Error(`expiresAt: more than ${parametersLiveSeconds} seconds after createdAt`);
  }
  const values = new Map<OptionName, OptionValue>();
  for (const [name, value] of Object.entries(parameters)) {
    if (isRestoreParameter(name) && value !== undefined) values.set(name, readParameter(name, value));
  }
  return { resource, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt), values };
}

/** The text of a file. */
export function formatParameters({ resource, createdAt, expiresAt, values }: RestoreParameters): string {
  const parameters = Object.fromEntries(
    [...values].flatMap(([name, value]) => value === null ? [] : [[name, formatValue(value)]]),
  );
  const times = { createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
  return `${JSON.stringify({ format, resource, ...times, parameters }, null, 1)}\n`;
}

/** A parameter's value; throws a {@linkcode ValueFault} that names it. */
export function readParameter(name: OptionName, text: string): OptionValue {
  try {
    return parseValue(optionTable[name], text);
  } catch (cause) {
    if (!(cause instanceof ValueFault)) throw cause;
    throw new ValueFault(`option "${name}" ${cause.message}`);
  }
}

/** Where each parameter of a restore comes from, for the job's log; null where none was given. The prompt has its way. */
export function describeParameters(
  prompt: ReadonlyMap<OptionName, OptionValue>,
  prepared: ReadonlyMap<OptionName, OptionValue>,
): string | null {
  const shown = optionRows.flatMap(([name]) => {
    const source = prompt.has(name) ? "prompt" : "prepared file";
    const value = prompt.get(name) ?? prepared.get(name);
    return value === undefined || value === null
      ? []
      : [`${name}=${maskUri(formatValue(value))} (${source})`];
  });
  return shown.length === 0
    ? null
    : `Restore parameters: ${
      shown.join(", ")
    }; the prompt comes before the prepared file, that before the Plugin line`;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would quote the text.
    throw new Error("it is no JSON");
  }
}
