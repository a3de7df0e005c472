/**
 * Proves a backup by restoring it into a server of its own, which is thrown away.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { JobFolder } from "../folder/job_folder.ts";
import { type ProvenCollection, proveRestore } from "../job/proof.ts";
import { Witness } from "../job/witness.ts";
import { formatCount, formatNumberOf, formatSeconds } from "../job/wording.ts";
import { openManifest } from "../manifest/reader.ts";
import { joinParts } from "../manifest/seal.ts";
import { openSource } from "../mongo/source.ts";
import { openTarget } from "../mongo/target.ts";
import { findProgram, ThrowawayServer } from "../mongo/throwaway_server.ts";
import { parsePluginCommand } from "../options/command.ts";
import { chooseChain, placeFolders } from "./folder_chain.ts";
import { findTrust, mongodPath, systemClock } from "./machine.ts";
import { restoreFromFolder } from "./standalone.ts";
import type { TerminalListener } from "./terminal.ts";

/** What a rehearsal found. */
export interface Rehearsal {
  /** Name of the last job of the chain. */
  readonly job: string;
  readonly mongodVersion: string;
  readonly collections: readonly ProvenCollection[];
  readonly documents: number;
  readonly seconds: number;
  /** Whether nothing was found. */
  readonly proven: boolean;
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
  const program = await findProgram(mongodPath());
  const { job, serverVersion } = await readLastJob(run.from, run.jobName, run.keyFile);
  requireFitting(program.version, serverVersion);
  await using server = await ThrowawayServer.start(run.workingDirectory, program, run.signal);
  const witnesses: Witness[] = [];
  await restoreFromFolder({
    ...run,
    pluginCommand,
    where: "/",
    only: [],
    // Parameters that were prepared for a real restore are not for this one.
    workingDirectory: server.folder,
    openTarget: async () => {
      const witness = new Witness(await openTarget(server.uri));
      witnesses.push(witness);
      return witness;
    },
  });
  const [witness] = witnesses;
  if (witness === undefined) throw new PluginError("internal", "The rehearsal restored nothing");
  await using source = await openSource(server.uri);
  const collections = await proveRestore(source, witness, (one) => server.validate(one), run.signal);
  const endedAt = systemClock.now();
  const rehearsal = {
    job,
    mongodVersion: program.version,
    collections,
    documents: collections.reduce((sum, one) => sum + one.documents, 0),
    seconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
    proven: collections.every(({ findings }) => findings.length === 0),
  };
  for (const line of describeRehearsal(rehearsal, formatSeconds(startedAt, endedAt))) run.listener.line(line);
  return rehearsal;
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

/** The server must be of the backup's series, or of the next major one, which can hold the same data. */
function requireFitting(mongod: string, backup: string): void {
  const [[major = 0, minor = 0], [wantedMajor = 0, wantedMinor = 0]] = [
    mongod.split(".").map(Number),
    backup.split(".").map(Number),
  ];
  if ((major === wantedMajor && minor >= wantedMinor) || major === wantedMajor + 1) return;
  throw new PluginError(
    "unsupportedServer",
    `Cannot rehearse: the backup is of MongoDB ${backup}, and mongod here is ${mongod}`,
    { hint: `Name a mongod of ${wantedMajor}.${wantedMinor} or of the next major version in MONGOD_BIN.` },
  );
}

const proofs = {
  digest: "documents are those of the backup",
  validation: "changed by the oplog: count, indexes and validation only",
  none: "options only",
} as const;

function describeRehearsal(
  { job, mongodVersion, collections, documents, proven }: Rehearsal,
  took: string,
): string[] {
  const rows = collections.map(({ namespace, documents, indexes, proof, findings }) =>
    `  ${namespace}: ${formatNumberOf(documents, "document")}, ${
      formatCount(indexes)
    } more indexes than _id: ` +
    (findings.length === 0 ? proofs[proof] : findings.join("; "))
  );
  const wrong = collections.filter(({ findings }) => findings.length > 0).length;
  return [
    ...rows,
    `Rehearsal of ${job} on MongoDB ${mongodVersion}: ${formatNumberOf(collections.length, "collection")}, ` +
    `${formatNumberOf(documents, "document")} in ${took}: ` +
    (proven ? "proven" : `NOT PROVEN, ${formatNumberOf(wrong, "collection")} with findings`),
  ];
}
