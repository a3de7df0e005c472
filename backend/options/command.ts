/**
 * The plugin command: `podheitor-mongodb: key=value key="a value with spaces"`.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { countStars } from "./namespace_pattern.ts";
import { nearest } from "./nearest.ts";
import { type OptionName, optionRows, type Options, optionTable } from "./table.ts";
import { type OptionValue, parseValue } from "./value.ts";
import { ValueFault } from "./value_fault.ts";

/** What the command begins with. */
const pluginName = "podheitor-mongodb";

/**
 * Reads a plugin command. Every fault is reported at once. What isn't understood is named by its place, not by its text: a connection string that
 * white space or a quote has torn apart leaves pieces of a password everywhere.
 *
 * @throws PluginError `optionInvalid`, or `optionUnavailable` for what later versions offer
 */
export function parsePluginCommand(text: string): Options {
  const faults: string[] = [];
  const seen = new Set<OptionName>();
  const given = new Map<OptionName, OptionValue>();
  let later: string | undefined;
  for (const { key, value } of tokenize(text, faults)) {
    if (seen.has(key)) faults.push(`option "${key}" is given twice`);
    seen.add(key);
    const row = optionTable[key];
    if (row.kind === "choice" && (row.later as readonly string[]).includes(value)) later = value;
    else given.set(key, readValue(key, value, faults));
  }
  if (faults.length === 0 && later !== undefined) throw unavailable(later);
  if (seen.has("uri") && seen.has("uri_file")) faults.push('options "uri" and "uri_file" exclude each other');
  if (faults.length > 0) throw unreadable(faults);
  const options = withDefaults(given);
  // One of them alone may be waiting for the other one, which the restore's prompt gives.
  if (given.has("ns_from") && given.has("ns_to")) checkRenames(options);
  return options;
}

/**
 * Refuses renames that don't come in pairs. For options that nothing will be added to.
 *
 * @throws PluginError `optionInvalid`
 */
export function checkRenames({ ns_from, ns_to }: Pick<Options, "ns_from" | "ns_to">): void {
  const isPaired = ns_from.length === ns_to.length &&
    ns_from.every((pattern, at) => countStars(pattern) === countStars(ns_to[at]!));
  if (isPaired) return;
  throw new PluginError(
    "optionInvalid",
    'Cannot rename collections: "ns_from" and "ns_to" need as many patterns, and each pair as many "*"',
    { hint: "Say it like ns_from=app.*,shop.orders ns_to=app_copy.*,shop.orders_old." },
  );
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
  return Object.fromEntries(
    optionRows.map(([name, row]) => [name, given.get(name) ?? row.default]),
  ) as unknown as Options;
}

function unreadable(faults: readonly string[]): PluginError {
  return new PluginError("optionInvalid", `Cannot read the plugin command: ${faults.join("; ")}`, {
    hint:
      `Correct the Plugin line of the FileSet; it looks like: Plugin = "${pluginName}: mode=dump uri=mongodb://host:27017 database=*"`,
  });
}

function unavailable(mode: string): PluginError {
  return new PluginError(
    "optionUnavailable",
    `Cannot run mode=${mode}: it is not available yet in this version, which has mode=dump`,
    {
      hint: "Say mode=dump in the FileSet's Plugin line, or install a version that has this mode.",
    },
  );
}

function isOption(key: string): key is OptionName {
  return Object.hasOwn(optionTable, key);
}

/** `key=value` pairs; a value may stand in double or single quotes, in which a backslash takes the next character as it is. */
function tokenize(text: string, faults: string[]): { key: OptionName; value: string }[] {
  const head = new RegExp(`^\\s*${pluginName}(?:\\s*:|(?=\\s|$))`).exec(text);
  if (head === null) throw unreadable([describeHead(text)]);
  const pairs: { key: OptionName; value: string }[] = [];
  const token = /\s+|([^\s=]+)=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']\S*|)(?=\s|$)|(\S+)/gsy;
  token.lastIndex = head[0].length;
  let part = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, key, value, stray] = match;
    if (key === undefined && stray === undefined) continue;
    part++;
    if (stray !== undefined) faults.push(describeStray(part, stray));
    else if (key !== undefined && isOption(key)) pairs.push({ key, value: unquote(value ?? "") });
    else if (key !== undefined) faults.push(describeUnknown(part, key));
  }
  return pairs;
}

function describeHead(text: string): string {
  const [, word] = /^\s*([A-Za-z][\w.-]{0,63})(?:\s*:|\s+\w+=)/.exec(text) ?? [];
  return word === undefined
    ? `it doesn't begin with "${pluginName}:"`
    : `it begins with "${word}", wanted "${pluginName}:"`;
}

function describeUnknown(part: number, key: string): string {
  const near = nearest(key, Object.keys(optionTable));
  return `part ${part} names an unknown option${near === undefined ? "" : `: did you mean "${near}"?`}`;
}

function describeStray(part: number, stray: string): string {
  const key = stray.split("=", 1)[0]!;
  if (key === stray) return `part ${part} is no key=value`;
  if (key === "") return `part ${part} has no name before its "="`;
  return `${
    isOption(key) ? `option "${key}"` : `part ${part}`
  } has a quote that isn't closed, or text right behind a closed one`;
}

function unquote(value: string): string {
  return /^["']/.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value;
}
