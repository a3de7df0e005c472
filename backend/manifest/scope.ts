/**
 * What of a source belongs to a job: all jobs of a chain have the same.
 *
 * @module
 */

import * as z from "zod";

const name = z.string().min(1).max(4096);

/** What the options of a job say of it. What older manifests and tip files don't have is as it was then: no patterns, no users. */
export const scopeSchema = z.strictObject({
  databases: z.array(name),
  include: z.array(name).default([]),
  exclude: z.array(name).default([]),
  users: z.boolean().default(false),
});

export type Scope = z.infer<typeof scopeSchema>;

/** A scope as the options that say it, each list sorted and without repeats: `database=app,shop users=no`. One text for one meaning. */
export function describeScope({ databases, include, exclude, users }: Scope): string {
  const lists = [["include", include], ["exclude", exclude]] as const;
  return [
    `database=${listed(databases)}`,
    ...lists.flatMap(([option, patterns]) => patterns.length === 0 ? [] : [`${option}=${listed(patterns)}`]),
    `users=${users ? "yes" : "no"}`,
  ].join(" ");
}

function listed(names: readonly string[]): string {
  return [...new Set(names)].sort().join(",");
}
