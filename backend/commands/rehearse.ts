/**
 * Proves a backup by restoring it into a server of its own, which is thrown away.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { JobFolder } from "../folder/job_folder.ts";
import { formatSeconds } from "../job/wording.ts";
import { openManifest } from "../manifest/reader.ts";
import { joinParts } from "../manifest/seal.ts";
import { parsePluginCommand } from "../options/command.ts";
import { chooseChain, placeFolders } from "./folder_chain.ts";
import { findTrust, systemClock } from "./machine.ts";
import { describeProof, type Proof, Rehearsals } from "./rehearsals.ts";
import { restoreFromFolder } from "./standalone.ts";
import type { TerminalListener } from "./terminal.ts";

/** What a rehearsal found. */
export interface Rehearsal extends Proof {
  /** Name of the last job of the chain. */
  readonly job: string;
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
}): Promise<Rehearsal> {
  const startedAt = systemClock.now();
  const pluginCommand = completeCommand(run.pluginCommand);
  const { job, serverVersion } = await readLastJob(run.from, run.jobName, run.keyFile);
  await using rehearsals = new Rehearsals(run.workingDirectory, run.signal);
  const { server, witness } = await rehearsals.open(serverVersion);
  await restoreFromFolder({
    ...run,
    pluginCommand,
    where: "/",
    only: [],
    // Parameters that were prepared for a real restore are not for this one, and its record is nobody's.
    workingDirectory: server.folder,
    openTarget: () => Promise.resolve(witness),
  });
  const proof = (await rehearsals.prove())!;
  const endedAt = systemClock.now();
  for (const line of describeProof(proof, job, formatSeconds(startedAt, endedAt))) run.listener.line(line);
  return {
    job,
    ...proof,
    documents: proof.collections.reduce((sum, one) => sum + one.documents, 0),
    seconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
  };
}

/**
 * The plugin command with the one option that none may lack. Nobody connects there: the rehearsal's own server takes its place.
 *
 * @throws PluginError `optionInvalid` where the command names a target, since whoever does means something else
 */
function completeCommand(pluginCommand: string): string {
  if (!/\s(uri|uri_file|where|dry_run|users)\s*=/.test(pluginCommand)) {
    const completed = `${pluginCommand} users=no uri=mongodb://127.0.0.1/`;
    parsePluginCommand(completed);
    return completed;
  }
  throw new PluginError(
    "optionInvalid",
    "Cannot rehearse with uri=, uri_file=, where=, dry_run= or users=: a rehearsal restores into a server of its own, whose users aren't yours",
    { hint: "Leave them out, or use restore." },
  );
}

async function readLastJob(
  from: string,
  jobName: string | undefined,
  keyFile: string | undefined,
): Promise<{ job: string; serverVersion: string }> {
  const last = chooseChain(await placeFolders(await JobFolder.find(from)), jobName, from).at(-1)!;
  const parts = (await last.restoreObjects()).filter(({ header }) => header.objectType === 25)
    .map(({ header, bytes }) => ({ name: header.name, bytes }));
  const [sealed] = joinParts(parts).values();
  // The restore decides whether an unsigned one will do.
  const { manifest } = await openManifest(sealed!, { ...await findTrust(keyFile), allowUnsigned: true });
  return { job: manifest.job.name, serverVersion: manifest.deployment.serverVersion };
}
