/**
 * The plugin command: `podheitor-mongodb: key=value key="a value with spaces"`.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { maskUri } from "./credentials.ts";
import { nearest } from "./nearest.ts";
import { type OptionName, optionRows, type Options, optionTable } from "./table.ts";
import { formatValue, type OptionValue, parseValue, ValueFault } from "./value.ts";

/** What the command begins with. */
export const pluginName = "podheitor-mongodb";

/**
 * Reads a plugin command. Every fault is reported at once.
 *
 * @throws PluginError `optionInvalid`, or `optionUnavailable` for what later versions offer
 */
export function parsePluginCommand(text: string): Options {
  const faults: string[] = [];
  const given = new Map<OptionName, OptionValue>();
  let later: string | undefined;
  for (const { key, value } of tokenize(text, faults)) {
    if (!isOption(key)) {
      const near = nearest(key, Object.keys(optionTable));
      faults.push(`unknown option "${key}"${near === undefined ? "" : `: did you mean "${near}"?`}`);
    } else if (given.has(key)) {
      faults.push(`option "${key}" is given twice`);
    } else {
      const row = optionTable[key];
      if (row.kind === "choice" && (row.later as readonly string[]).includes(value)) later = value;
      else given.set(key, readValue(key, value, faults));
    }
  }
  if (faults.length === 0 && later !== undefined) throw unavailable(later);
  if (given.has("uri") === given.has("uri_file")) {
    faults.push(given.has("uri") ? 'options "uri" and "uri_file" exclude each other' : 'one of the options "uri" and "uri_file" must be given');
  }
  if (faults.length > 0) {
    throw new PluginError("optionInvalid", `Cannot read the plugin command: ${faults.join("; ")}`, {
      hint: 'Correct the Plugin line of the FileSet; it looks like: Plugin = "podheitor-mongodb: mode=dump uri=mongodb://host:27017 database=*"',
    });
  }
  return withDefaults(given);
}

/** The command as it may be shown: passwords masked, defaults left out. */
export function formatPluginCommand(options: Options): string {
  const parts = optionRows.flatMap(([name, row]) => {
    const value = options[name];
    const text = value === null ? "" : formatValue(value);
    if (value === null || text === (row.default === null ? "" : formatValue(row.default))) return [];
    return `${name}=${quote(row.kind === "uri" ? maskUri(text) : text)}`;
  });
  return [`${pluginName}:`, ...parts].join(" ");
}

/** Options with some of them replaced. */
export function overrideOptions(options: Options, overrides: ReadonlyMap<OptionName, OptionValue>): Options {
  const replaced = { ...options, ...Object.fromEntries(overrides) } as Options;
  return overrides.has("uri") ? { ...replaced, uri_file: null } : replaced;
}

function readValue(key: OptionName, value: string, faults: string[]): OptionValue {
  try {
    return parseValue(optionTable[key], value);
  } catch (cause) {
    if (!(cause instanceof ValueFault)) throw cause;
    faults.push(`option "${key}" ${cause.message}`);
    return null;
  }
}

function withDefaults(given: ReadonlyMap<OptionName, OptionValue>): Options {
  return Object.fromEntries(optionRows.map(([name, row]) => [name, given.get(name) ?? row.default])) as unknown as Options;
}

function unavailable(mode: string): PluginError {
  return new PluginError("optionUnavailable", `Cannot run mode=${mode}: it is not available yet in this version, which has mode=dump`, {
    hint: "Say mode=dump in the FileSet's Plugin line, or install a version that has this mode.",
  });
}

function isOption(key: string): key is OptionName {
  return Object.hasOwn(optionTable, key);
}

/** `key=value` pairs; a value may stand in double or single quotes, in which a backslash takes the next character as it is. */
function tokenize(text: string, faults: string[]): { key: string; value: string }[] {
  const head = new RegExp(`^\\s*${pluginName}\\s*:?`).exec(text);
  if (head === null) {
    faults.push(`it doesn't begin with "${pluginName}:"`);
    return [];
  }
  const pairs: { key: string; value: string }[] = [];
  const token = /\s+|([^\s=]+)=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']\S*|)(?=\s|$)|(\S+)/gsy;
  token.lastIndex = head[0].length;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, key, value, stray] = match;
    if (stray !== undefined) faults.push(describeStray(stray));
    else if (key !== undefined) pairs.push({ key, value: unquote(value ?? "") });
  }
  return pairs;
}

/** A part that is no pair. Its value isn't shown: it may be half of a secret. */
function describeStray(stray: string): string {
  const [key] = stray.split("=");
  return stray.includes("=") ? `option "${key}" has a quote that isn't closed` : `"${maskUri(stray)}" is no key=value`;
}

function unquote(value: string): string {
  return /^["']/.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value;
}

function quote(text: string): string {
  return /^[^\s"']+$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
