/**
 * Where a restore may use another engine than its own.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { Options } from "../options/table.ts";

/**
 * Refuses an engine that would not be used: whoever named it counts on what it does.
 *
 * @param where the directory that is restored to, null for a server
 * @throws PluginError `optionUnavailable`
 */
export function requireUsedEngine(
  { engine }: Pick<Options, "engine">,
  isRehearsal: boolean,
  where: string | null,
): void {
  if (engine === "native" || (!isRehearsal && where === null)) return;
  throw new PluginError(
    "optionUnavailable",
    `Cannot restore with engine=${engine} ${
      isRehearsal ? "in a rehearsal" : `to ${where}`
    }: its tool inserts into the server that the connection string names, and nowhere else`,
    { hint: "Leave engine= out, or restore into a server." },
  );
}
