/**
 * Proves a backup by restoring it into a server of its own, which is thrown away.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { ProvenCollection } from "../job/proof.ts";
import { parsePluginCommand } from "../options/command.ts";
import { systemClock } from "./machine.ts";
import { isProven, Rehearsals } from "./rehearsals.ts";
import { restoreFromFolder } from "./standalone.ts";
import type { TerminalListener } from "./terminal.ts";

/** What a rehearsal found. */
interface RehearsalResult {
  /** Name of the last job of the chain. */
  readonly job: string;
  readonly mongodVersion: string;
  readonly collections: readonly ProvenCollection[];
  /** Whether nothing was found. */
  readonly proven: boolean;
  readonly documents: number;
  readonly seconds: number;
}

/** Restores a chain from a folder into a throw-away server and reads it back. */
export async function rehearse(run: {
  readonly from: string;
  readonly jobName: string | undefined;
  readonly pluginCommand: string;
  readonly workingDirectory: string;
  readonly listener: TerminalListener;
  readonly signal: AbortSignal;
  readonly keyFile?: string;
}): Promise<RehearsalResult> {
  const startedAtMs = systemClock.monotonicMs();
  const pluginCommand = completeCommand(run.pluginCommand);
  await using rehearsals = new Rehearsals(run.workingDirectory, run.signal);
  try {
    await restoreFromFolder({ ...run, pluginCommand, where: "/", only: [], rehearsals });
  } catch (cause) {
    // What wasn't proven fails the job; here it is the answer.
    if (rehearsals.all.length === 0 || rehearsals.all.some(({ collections }) => collections === null)) {
      throw cause;
    }
  }
  const { opened, mongodVersion, collections } = rehearsals.all[0]!;
  return {
    job: opened.manifest.job.name,
    mongodVersion,
    collections: collections!,
    proven: isProven(rehearsals.all),
    documents: collections!.reduce((sum, one) => sum + one.documents, 0),
    seconds: Math.round(systemClock.monotonicMs() - startedAtMs) / 1000,
  };
}

/**
 * The plugin command with the one option that none may lack. Nobody connects there: the rehearsal's own server takes its place.
 *
 * @throws PluginError `optionInvalid` where the command names a target, since whoever does means something else
 */
function completeCommand(pluginCommand: string): string {
  if (!/\s(uri|uri_file|where|dry_run|users)\s*=/.test(pluginCommand)) {
    const mode = /\smode\s*=/.test(pluginCommand) ? "" : " mode=rehearse";
    const completed = `${pluginCommand} users=no uri=mongodb://127.0.0.1/${mode}`;
    parsePluginCommand(completed);
    return completed;
  }
  throw new PluginError(
    "optionInvalid",
    "Cannot rehearse with uri=, uri_file=, where=, dry_run= or users=: a rehearsal restores into a server of its own, whose users aren't yours",
    { hint: "Leave them out, or use restore." },
  );
}
