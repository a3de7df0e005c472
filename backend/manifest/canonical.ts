/**
 * Canonical JSON: the one way in which a value is written. Keys sorted by UTF-16 code units, no white space, JSON.stringify's escapes, integers only.
 *
 * @module
 */

/** A value that has a canonical form. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | {
  readonly [key: string]: JsonValue;
};

/** The canonical text of a value; throws a `TypeError` for what has none. */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isSafeInteger(value)) {
        throw new TypeError(`No canonical form: ${value} is not a safe integer`);
      }
      return String(value);
    case "string":
      if (!value.isWellFormed()) throw new TypeError("No canonical form: a string has half a surrogate pair");
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
      return `{${
        Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, member]) => `${canonicalText(key)}:${canonicalText(member)}`).join(",")
      }}`;
    default:
      throw new TypeError(`No canonical form: a ${typeof value}`);
  }
}
