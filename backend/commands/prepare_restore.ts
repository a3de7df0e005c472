/**
 * Leaves parameters for the next restore of a resource.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { checkRenames } from "../options/command.ts";
import { maskUri } from "../options/credentials.ts";
import { nearest } from "../options/nearest.ts";
import { describeParameters, isRestoreParameter, readParameter } from "../options/restore_parameters.ts";
import { type OptionName, optionRows } from "../options/table.ts";
import type { OptionValue } from "../options/value.ts";
import { ValueFault } from "../options/value_fault.ts";
import { writeParameters } from "../state/restore_parameter_file.ts";

const parameterNames = optionRows.filter(([, row]) => row.form).map(([name]) => name);

/**
 * Writes the file; returns lines for the operator.
 *
 * @param pairs `resource=NAME` and `key=value` for each parameter
 * @throws PluginError `usage`, `optionInvalid` or `stateWrite`
 */
export async function prepareRestore(
  pairs: readonly string[],
  workingDirectory: string,
  now: Date,
): Promise<string[]> {
  const { resource, ...values } = readPairs(pairs);
  if (resource === undefined) throw wrong("no resource=NAME is given");
  const parameters = new Map(Object.entries(values) as [OptionName, OptionValue][]);
  if (parameters.size === 0) throw wrong("no parameter is given");
  checkRenames({ ns_from: listOf(values.ns_from), ns_to: listOf(values.ns_to) });
  const prepared = { resource: String(resource), values: parameters };
  const { path, expiresAt } = await writeParameters(workingDirectory, prepared, now);
  return [
    `Prepared the next restore of resource "${resource}": ${path}`,
    describeParameters(new Map(), parameters)!,
    `It is good until ${expiresAt.toISOString()}, for one restore, whether that succeeds or fails. Only the file's owner can read it, who must be the user that jobs run as.`,
    ...secretWarning(values.uri),
  ];
}

/** What stands behind each key. A key that isn't known is named by its place: a connection string that the shell has torn apart leaves pieces anywhere. */
function readPairs(pairs: readonly string[]): Partial<Record<OptionName, OptionValue>> {
  const values: Partial<Record<OptionName, OptionValue>> = {};
  for (const [at, pair] of pairs.entries()) {
    const [, key, text = ""] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined) throw wrong(`argument ${at + 1} is no key=value`);
    if (key !== "resource" && !isRestoreParameter(key)) {
      const near = nearest(key, ["resource", ...parameterNames]);
      throw wrong(
        `argument ${at + 1} names no parameter of a restore${
          near === undefined ? "" : `: did you mean "${near}"?`
        }`,
      );
    }
    if (values[key] !== undefined) throw wrong(`option "${key}" is given twice`);
    try {
      values[key] = readParameter(key, text);
    } catch (cause) {
      if (!(cause instanceof ValueFault)) throw cause;
      throw wrong(cause.message);
    }
  }
  return values;
}

function secretWarning(uri: OptionValue | undefined): string[] {
  return typeof uri !== "string" || maskUri(uri) === uri ? [] : [
    "Warning: uri= holds a secret. It is in that file until a restore takes it, and stays in this shell's history.",
  ];
}

function listOf(value: OptionValue | undefined): readonly string[] {
  return Array.isArray(value) ? value : [];
}

function wrong(reason: string): PluginError {
  return new PluginError("usage", `Cannot prepare a restore: ${reason}`, {
    hint: `Say it like: prepare-restore resource=rs0 pit=2026-11-23T08:15:00Z drop=yes. Parameters: ${
      parameterNames.join(", ")
    }.`,
  });
}
