/**
 * One option's text and value.
 *
 * @module
 */

import { countStars } from "./namespace_pattern.ts";
import { parsePointInTime } from "./point_in_time.ts";
import type { OptionRow } from "./row.ts";
import { formatTagSets, parseTagSets } from "./tag_sets.ts";
import { ValueFault } from "./value_fault.ts";

/** A value of any option. */
export type OptionValue = string | number | boolean | readonly string[] | null;

const truths = new Map([
  ["yes", true],
  ["true", true],
  ["on", true],
  ["1", true],
  ["no", false],
  ["false", false],
  ["off", false],
  ["0", false],
]);
const units = new Map([["", 1], ["k", 1024], ["m", 1024 ** 2], ["g", 1024 ** 3]]);

/** Members of a replica set. */
const membersMax = 50;

/** Stars in one pattern. */
const starsMax = 8;

/** Reads a value; throws a {@linkcode ValueFault}. */
export function parseValue(row: OptionRow, text: string): OptionValue {
  if (text === "") throw new ValueFault("has no value");
  switch (row.kind) {
    case "bool": {
      const truth = truths.get(text.toLowerCase());
      if (truth === undefined) throw unlike(text, "yes or no");
      return truth;
    }
    case "integer":
      if (!/^\d{1,9}$/.test(text)) throw unlike(text, "a whole number");
      return withinRange(Number(text), row.min, row.max, text);
    case "size": {
      const match = /^(\d{1,12})([kmg]?)(?:i?b)?$/i.exec(text);
      if (match === null) throw unlike(text, "a size such as 32M");
      return withinRange(Number(match[1]) * units.get(match[2]!.toLowerCase())!, row.min, row.max, text);
    }
    case "choice":
      if (!row.values.includes(text)) {
        throw new ValueFault(`has an unknown value, wanted ${row.values.join(", ")}`);
      }
      return text;
    case "list": {
      const items = text.split(",").map((item) => item.trim());
      if (items.includes("")) throw unlike(text, "names separated by single commas");
      return [...new Set(items)];
    }
    case "patterns": {
      const patterns = text.split(",").map((pattern) => pattern.trim());
      for (const pattern of patterns) {
        if (!/^[^.]+\.[^.]/.test(pattern)) {
          throw unlike(text, 'patterns such as "app.*" separated by single commas');
        }
        if (countStars(pattern) > starsMax) throw unlike(text, `at most ${starsMax} "*" in a pattern`);
      }
      return patterns;
    }
    case "instant":
      parsePointInTime(text);
      return text;
    case "member":
      return parseMember(text, text);
    case "members":
      return [...new Set(text.split(",").map((member) => parseMember(member.trim(), text)))];
    case "tags":
      return formatTagSets(parseTagSets(text));
    case "name":
      if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) {
        throw unlike(text, 'at most 64 letters, digits, "_", "." and "-", a letter or digit first');
      }
      return text;
    case "path":
      if (!text.startsWith("/") || text.split("/").includes("..")) {
        throw new ValueFault('is no absolute path without ".."');
      }
      return text;
    case "uri":
      if (!/^mongodb(\+srv)?:\/\/./.test(text)) {
        throw new ValueFault('has no connection string that begins with "mongodb://" or "mongodb+srv://"');
      }
      if (/\s/.test(text)) {
        throw new ValueFault("has white space within the connection string, which is written %20 there");
      }
      return text;
    case "write_concern":
      if (text === "majority") return text;
      if (!/^\d{1,2}$/.test(text)) throw unlike(text, '"majority" or a number of members');
      // Nobody's word for a write is no word that it was done.
      return withinRange(Number(text), 1, membersMax, text);
  }
}

/** The text that {@linkcode parseValue} reads as this value. */
export function formatValue(value: Exclude<OptionValue, null>): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** A member as the driver and the set's configuration name it: in lower case, and always with its port. */
function parseMember(member: string, text: string): string {
  const match = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(member);
  if (match === null) throw unlike(text, "host:port");
  return `${match[1]!.toLowerCase()}:${Number(match[2] ?? 27017)}`;
}

function withinRange(number: number, min: number, max: number, text: string): number {
  if (number < min || number > max) throw unlike(text, `${min} to ${max}`);
  return number;
}

/** The fault of a value that is shown, unless it looks like a piece of a connection string. */
function unlike(text: string, wanted: string): ValueFault {
  return new ValueFault(
    /:\/\/|@/.test(text)
      ? `has a value that isn't shown here, wanted ${wanted}`
      : `is "${text}", wanted ${wanted}`,
  );
}
