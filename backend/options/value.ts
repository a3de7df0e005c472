/**
 * One option's text and value.
 *
 * @module
 */

import type { OptionRow } from "./table.ts";

/** A value of any option. */
export type OptionValue = string | number | boolean | readonly string[] | null;

/** What is wrong with a text, as the end of a sentence. */
export class ValueFault extends Error {
  override readonly name = "ValueFault";
}

const truths = new Map([["yes", true], ["true", true], ["on", true], ["1", true], ["no", false], ["false", false], ["off", false], ["0", false]]);
const units = new Map([["", 1], ["k", 1024], ["m", 1024 ** 2], ["g", 1024 ** 3]]);

/** Reads a value; throws a {@linkcode ValueFault}. */
export function parseValue(row: OptionRow, text: string): OptionValue {
  if (text === "") throw new ValueFault("has no value");
  switch (row.kind) {
    case "bool": {
      const truth = truths.get(text.toLowerCase());
      if (truth === undefined) throw new ValueFault(`is "${text}", wanted yes or no`);
      return truth;
    }
    case "integer":
      if (!/^\d{1,9}$/.test(text)) throw new ValueFault(`is "${text}", wanted a whole number`);
      return withinRange(Number(text), row.min, row.max, text);
    case "size": {
      const match = /^(\d{1,12})([kmg]?)(?:i?b)?$/i.exec(text);
      if (match === null) throw new ValueFault(`is "${text}", wanted a size such as 32M`);
      return withinRange(Number(match[1]) * units.get(match[2]!.toLowerCase())!, row.min, row.max, text);
    }
    case "choice":
      if (!row.values.includes(text)) throw new ValueFault(`is "${text}", wanted ${row.values.join(", ")}`);
      return text;
    case "list": {
      const items = text.split(",").map((item) => item.trim());
      if (items.includes("")) throw new ValueFault(`is "${text}", wanted names separated by single commas`);
      return [...new Set(items)];
    }
    case "name":
      if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) {
        throw new ValueFault(`is "${text}", wanted at most 64 letters, digits, "_", "." and "-", a letter or digit first`);
      }
      return text;
    case "path":
      if (!text.startsWith("/") || text.split("/").includes("..")) throw new ValueFault(`is "${text}", wanted an absolute path without ".."`);
      return text;
    case "uri":
      if (!/^mongodb(\+srv)?:\/\/./.test(text)) throw new ValueFault('has no connection string that begins with "mongodb://" or "mongodb+srv://"');
      return text;
  }
}

/** The text that {@linkcode parseValue} reads as this value. */
export function formatValue(value: Exclude<OptionValue, null>): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(",") : String(value);
}

function withinRange(number: number, min: number, max: number, text: string): number {
  if (number < min || number > max) throw new ValueFault(`is "${text}", wanted ${min} to ${max}`);
  return number;
}
