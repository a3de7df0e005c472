/**
 * Reading what a newer version of this program may have written.
 *
 * @module
 */

import * as z from "zod";

/** Objects within objects at most: each round finds unknown fields one level deeper at least. */
const roundsMax = 8;

/**
 * A parser that gives a value as its schema has it, fields left out that the schema doesn't know. It changes what it is given, and throws an Error that
 * says what else is wrong with it.
 */
export function lenientParser<T>(schema: z.ZodType<T>): (value: unknown) => T {
  // Who reads leniently reads the records of years. What is as it should be costs a fraction then; what isn't goes through the schema as it stands.
  let compiled: z.ZodType<T> | undefined;
  return (value) => parseLeniently(compiled ??= z.compile(schema, { strict: true }), value);
}

function parseLeniently<T>(schema: z.ZodType<T>, value: unknown): T {
  for (let round = 1;; round++) {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const { issues } = parsed.error;
    const wrong = issues.find(({ code }) => code !== "unrecognized_keys") ??
      (round === roundsMax ? issues[0] : undefined);
    if (wrong !== undefined) throw new Error(describeIssue(wrong));
    for (const issue of issues) if (issue.code === "unrecognized_keys") removeKeys(value, issue);
  }
}

/** `oplog.end.t: what is wrong`. */
export function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}

function removeKeys(value: unknown, { path, keys }: z.core.$ZodIssueUnrecognizedKeys): void {
  const holder = path.reduce<unknown>((one, key) => (one as Record<PropertyKey, unknown>)[key], value);
  for (const key of keys) delete (holder as Record<string, unknown>)[key];
}
