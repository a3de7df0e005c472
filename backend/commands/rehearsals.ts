/**
 * Servers of a rehearsal's own: restored into, read back, thrown away.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { type ProvenCollection, proveRestore } from "../job/proof.ts";
import type { RestorePlan } from "../job/restore_plan.ts";
import { Witness } from "../job/witness.ts";
import { formatCount, formatNumberOf } from "../job/wording.ts";
import type { OpenedManifest } from "../manifest/reader.ts";
import { DocumentLookup } from "../mongo/document_lookup.ts";
import { openSource } from "../mongo/source.ts";
import { openTarget } from "../mongo/target.ts";
import { findProgram, ThrowawayServer } from "../mongo/throwaway_server.ts";
import type { Target } from "../ports.ts";
import { mongodPath } from "./machine.ts";

/** One resource's restore into a server of its own. */
export interface Rehearsal {
  /** The manifest of the last job that is restored. */
  readonly opened: OpenedManifest;
  readonly mongodVersion: string;
  /** What was found; null until everything was read back. */
  collections: readonly ProvenCollection[] | null;
}

interface Stage extends Rehearsal {
  readonly server: ThrowawayServer;
  readonly lookup: DocumentLookup;
  readonly witness: Witness;
}

/** Give each restore its target, prove them all when the restores are done, and dispose of them in every case. */
export class Rehearsals implements AsyncDisposable {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  readonly #resources = new AsyncDisposableStack();
  readonly #stages: Stage[] = [];
  readonly #opening: Promise<Target>[] = [];

  /** @param directory where the servers keep their data */
  constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#signal = signal;
  }

  /** Those that were begun. */
  get all(): readonly Rehearsal[] {
    return this.#stages;
  }

  /**
   * Starts a server that can hold the data of a chain, and opens it for its restore.
   *
   * @throws PluginError `unsupportedServer` when mongod here is of another series, `restoreTarget` when there is none
   */
  async open(plan: RestorePlan): Promise<Target> {
    const opening = this.#open(plan);
    this.#opening.push(opening);
    return await opening;
  }

  async #open({ jobs }: RestorePlan): Promise<Target> {
    const program = await findProgram(mongodPath());
    requireFitting(program.version, jobs[0]!.manifest.deployment.serverVersion);
    const server = this.#resources.use(await ThrowawayServer.start(this.#directory, program, this.#signal));
    const lookup = this.#resources.use(await DocumentLookup.open(server.uri));
    const target = await openTarget(server.uri);
    const witness = this.#resources.adopt(
      new Witness(target, (data, ids) => lookup.find(data, ids)),
      (one) => one.forget(),
    );
    const opened = jobs.at(-1)!;
    this.#stages.push({ opened, mongodVersion: program.version, collections: null, server, lookup, witness });
    return witness;
  }

  /** Reads everything back. */
  async prove(): Promise<void> {
    for (const stage of this.#stages) {
      const { server, lookup, witness } = stage;
      await using source = await openSource(server.uri);
      stage.collections = await proveRestore(source, witness, {
        validate: (data) => server.validate(data),
        listIndexes: (data) => lookup.listIndexes(data),
      }, this.#signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A restore that is cancelled doesn't wait for its target.
    await Promise.allSettled(this.#opening);
    await this.#resources.disposeAsync();
  }
}

/** Whether everything was read back, and nothing found. */
export function isProven(rehearsals: readonly Rehearsal[]): boolean {
  return rehearsals.every(({ collections }) =>
    collections !== null && collections.every(({ findings }) => findings.length === 0)
  );
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
  replay: "documents are those that the oplog makes of the backup's",
  validation: "changed by the oplog: count, indexes and validation only",
  none: "options only",
} as const;

/** A line for each collection, then the verdict. */
export function describeRehearsals(rehearsals: readonly Rehearsal[], took: string): string[] {
  const rows = rehearsals.flatMap(({ collections }) => collections ?? []);
  const lines = rows.map(({ namespace, documents, indexes, proof, findings, unproven }) =>
    `  ${namespace}: ${formatNumberOf(documents, "document")}, ${
      formatCount(indexes)
    } more indexes than _id: ` +
    (findings.length === 0 ? proofs[proof] : findings.join("; ")) +
    (unproven.length === 0 ? "" : `; NOT COMPARED ${unproven.join("; ")}`)
  );
  const documents = rows.reduce((sum, one) => sum + one.documents, 0);
  const wrong = rows.filter(({ findings }) => findings.length > 0).length;
  const gaps = rows.filter(({ unproven }) => unproven.length > 0).length;
  const verdict = isProven(rehearsals)
    ? "proven" +
      (gaps > 0
        ? `, but for what ${formatNumberOf(gaps, "line")} above ${gaps === 1 ? "names" : "name"}`
        : "")
    : `NOT PROVEN, ${formatNumberOf(wrong, "collection")} with findings`;
  const jobs = rehearsals.map(({ opened }) => opened.manifest.job.name).join(", ");
  const versions = [...new Set(rehearsals.map(({ mongodVersion }) => mongodVersion))].join(", ");
  return [
    ...lines,
    `Rehearsal of ${jobs} on MongoDB ${versions}: ${formatNumberOf(rows.length, "collection")}, ${
      formatNumberOf(documents, "document")
    } in ${took}: ${verdict}`,
  ];
}

/**
 * Refuses what wasn't proven.
 *
 * @throws PluginError `restoreProof` with the first findings
 */
export function requireProven(rehearsals: readonly Rehearsal[]): void {
  if (isProven(rehearsals)) return;
  const findings = rehearsals.flatMap(({ collections }) => collections ?? []).flatMap((
    { namespace, findings },
  ) => findings.map((finding) => `${namespace}: ${finding}`));
  const shown = findings.slice(0, 3).join("; ") +
    (findings.length > 3 ? `; and ${findings.length - 3} more` : "");
  throw new PluginError("restoreProof", `Cannot vouch for the backup: ${shown}`, {
    hint: "The lines before name every collection. Run a Full, and rehearse that one.",
  });
}
