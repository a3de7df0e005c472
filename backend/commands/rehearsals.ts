/**
 * Servers of a rehearsal's own: restored into, read back, thrown away.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { type ProvenCollection, proveRestore } from "../job/proof.ts";
import { Witness } from "../job/witness.ts";
import { formatCount, formatNumberOf } from "../job/wording.ts";
import { openSource } from "../mongo/source.ts";
import { openTarget } from "../mongo/target.ts";
import { findProgram, ThrowawayServer } from "../mongo/throwaway_server.ts";
import { mongodPath } from "./machine.ts";

/** A server in which a restore goes on. */
interface Stage {
  readonly server: ThrowawayServer;
  readonly witness: Witness;
}

/** What was found of all that was restored. */
export interface Proof {
  readonly mongodVersion: string;
  readonly collections: readonly ProvenCollection[];
  /** Whether nothing was found. */
  readonly proven: boolean;
}

/** Give each restore its target, prove them all when the restores are done, and dispose of them in every case. */
export class Rehearsals implements AsyncDisposable {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  readonly #resources = new AsyncDisposableStack();
  readonly #stages: Stage[] = [];
  #mongodVersion = "";

  /** @param directory where the servers keep their data */
  constructor(directory: string, signal: AbortSignal) {
    this.#directory = directory;
    this.#signal = signal;
  }

  /**
   * Starts a server that can hold the data of one of `serverVersion`.
   *
   * @throws PluginError `unsupportedServer` when mongod here is of another series, `restoreTarget` when there is none
   */
  async open(serverVersion: string): Promise<Stage> {
    const program = await findProgram(mongodPath());
    requireFitting(program.version, serverVersion);
    this.#mongodVersion = program.version;
    const server = this.#resources.use(await ThrowawayServer.start(this.#directory, program, this.#signal));
    const witness = new Witness(await openTarget(server.uri));
    const stage = { server, witness };
    this.#stages.push(stage);
    return stage;
  }

  /** Reads everything back; null where nothing was restored into a server of ours. */
  async prove(): Promise<Proof | null> {
    if (this.#stages.length === 0) return null;
    const collections: ProvenCollection[] = [];
    for (const { server, witness } of this.#stages) {
      await using source = await openSource(server.uri);
      const validate: Parameters<typeof proveRestore>[2] = (one) => server.validate(one);
      collections.push(...await proveRestore(source, witness, validate, this.#signal));
    }
    const proven = collections.every(({ findings }) => findings.length === 0);
    return { mongodVersion: this.#mongodVersion, collections, proven };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
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

/** A line for each collection, then the verdict. */
export function describeProof(
  { mongodVersion, collections, proven }: Proof,
  what: string,
  took: string,
): string[] {
  const rows = collections.map(({ namespace, documents, indexes, proof, findings }) =>
    `  ${namespace}: ${formatNumberOf(documents, "document")}, ${
      formatCount(indexes)
    } more indexes than _id: ` +
    (findings.length === 0 ? proofs[proof] : findings.join("; "))
  );
  const documents = collections.reduce((sum, one) => sum + one.documents, 0);
  const wrong = collections.filter(({ findings }) => findings.length > 0).length;
  return [
    ...rows,
    `Rehearsal of ${what} on MongoDB ${mongodVersion}: ${
      formatNumberOf(collections.length, "collection")
    }, ` +
    `${formatNumberOf(documents, "document")} in ${took}: ` +
    (proven ? "proven" : `NOT PROVEN, ${formatNumberOf(wrong, "collection")} with findings`),
  ];
}

/**
 * Refuses what wasn't proven.
 *
 * @throws PluginError `restoreProof` with the first findings
 */
export function requireProven({ collections, proven }: Proof): void {
  if (proven) return;
  const findings = collections.flatMap(({ namespace, findings }) =>
    findings.map((finding) => `${namespace}: ${finding}`)
  );
  const shown = findings.slice(0, 3).join("; ") +
    (findings.length > 3 ? `; and ${findings.length - 3} more` : "");
  throw new PluginError("restoreProof", `Cannot vouch for the backup: ${shown}`, {
    hint: "The lines before name every collection. Run a Full, and rehearse that one.",
  });
}
