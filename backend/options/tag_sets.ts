/**
 * Tags of members, as they are chosen by: `use:backup,dc:east;dc:east`.
 *
 * @module
 */

import { ValueFault } from "./value_fault.ts";

/** Tags that a member must have, all of them; none for any member. */
export type TagSet = ReadonlyMap<string, string>;

/** Reads tag sets in their order, the first one first; throws a {@linkcode ValueFault}. */
export function parseTagSets(text: string): TagSet[] {
  return text.split(";").map((set) => {
    if (set.trim() === "") return new Map();
    return new Map(
      set.split(",").map((tag) => {
        const match = /^\s*([^:\s]+)\s*:\s*([^:\s]+)\s*$/.exec(tag);
        if (match === null) {
          throw new ValueFault('has tags that are not "name:value" separated by "," and ";"');
        }
        return [match[1]!, match[2]!] as const;
      }),
    );
  });
}

/** The text that {@linkcode parseTagSets} reads so. */
export function formatTagSets(sets: readonly TagSet[]): string {
  return sets.map((set) => [...set].map(([name, value]) => `${name}:${value}`).join(",")).join(";");
}
