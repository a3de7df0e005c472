/**
 * The one error type and the one table of codes. Numbers are stable: operators search for them.
 *
 * @module
 */

/** Every code with its number and what it stands for; REFERENCE.md is generated from this table. */
export const errorTable = {
  optionInvalid: { number: 101, summary: "The plugin command has an unknown, missing or malformed option" },
  optionUnavailable: {
    number: 102,
    summary: "The plugin command asks for something that this version or this machine doesn't offer",
  },
  secretUnreadable: { number: 103, summary: "A file or variable that should hold a secret can't be used" },
  usage: { number: 110, summary: "A stand-alone command was called with wrong arguments" },
  protocol: { number: 201, summary: "The conversation between File Daemon and backend broke its own rules" },
  peerGone: { number: 202, summary: "The other end of the conversation went away" },
  canceled: { number: 203, summary: "The job was cancelled" },
  peerFailed: { number: 204, summary: "The job failed on the File Daemon's side after the backend was done" },
  connect: { number: 301, summary: "No usable MongoDB server could be reached" },
  authentication: { number: 302, summary: "MongoDB refused the credentials or the privilege" },
  serverCommand: { number: 303, summary: "A command failed on the MongoDB server" },
  serverReply: { number: 304, summary: "The MongoDB server answered something that can't be right" },
  unsupportedServer: {
    number: 305,
    summary: "The server's kind or version can't be backed up or restored to",
  },
  incompleteRead: { number: 306, summary: "A collection could not be read completely" },
  oplogUnavailable: { number: 401, summary: "The oplog can't be read" },
  oplogGap: {
    number: 402,
    summary: "The oplog no longer reaches back to where the chain ended, or was rolled back",
  },
  parentUnknown: {
    number: 403,
    summary: "The job to continue from isn't known here, or is of another source or scope",
  },
  oplogUnreplayable: { number: 404, summary: "The oplog holds something that no restore could replay" },
  chainBroken: { number: 405, summary: "The jobs to restore don't make one unbroken chain" },
  pointInTime: { number: 406, summary: "The point in time isn't covered by the jobs to restore" },
  replay: { number: 407, summary: "An oplog entry could not be applied" },
  manifestInvalid: { number: 501, summary: "A manifest is malformed or not in its canonical form" },
  manifestSignature: {
    number: 502,
    summary: "A manifest's hash or signature doesn't match, or its key isn't trusted",
  },
  manifestMissing: { number: 503, summary: "No manifest came with the data" },
  signingKey: { number: 504, summary: "The signing key or a trusted key can't be used" },
  objectMismatch: { number: 505, summary: "An object's bytes don't match the signed manifest" },
  objectMissing: { number: 506, summary: "An object that the signed manifest lists is not there" },
  objectDamaged: {
    number: 507,
    summary: "A file of a folder that mongodump wrote is damaged, incomplete or missing",
  },
  restoreTarget: {
    number: 601,
    summary: "The restore's target isn't fit: not empty, not writable, or of the wrong kind",
  },
  restoreRequest: { number: 602, summary: "The restore was asked for in a way that can't be done" },
  restoreWrite: { number: 603, summary: "Writing restored data failed" },
  restoreIndex: {
    number: 604,
    summary: "Indexes could not be built on the restore's target; the documents are there",
  },
  restoreProof: {
    number: 605,
    summary: "A rehearsal's server doesn't hold what the backup does",
  },
  stateWrite: { number: 701, summary: "A file in the working directory can't be written" },
  stateRead: { number: 702, summary: "A file in the working directory can't be read or is malformed" },
  stateBusy: { number: 703, summary: "Another job is at work on the same resource" },
  internal: { number: 901, summary: "The program reached a state that it should not" },
} as const satisfies Record<string, { number: number; summary: string }>;

/** Name of a row of {@linkcode errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** What the system, or the driver for it, says where a process has as many files open as it may. */
const outOfFiles = /\b(EMFILE|ENFILE|Too many open files)\b/;

/** The remedy then, whatever it was that could not be done. */
const moreFiles =
  "The process, or the machine, has as many files and connections open as it may. Raise the limit (LimitNOFILE= in the File Daemon's unit, " +
  "ulimit -n), or lower parallel_dbs=, parallel_collections= and parallel_chunks=, then run the job again.";

/** A failure that an operator can read: what was being done, what was found, what to do about it. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly code: ErrorCode;
  /** What the operator should do; a sentence, or empty. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = outOfFiles.test(message) ? moreFiles : options.hint ?? "";
  }

  /** `MONGO-401 message`, and on a second line `Hint: …` when there is one. */
  get report(): string {
    const head = `MONGO-${errorTable[this.code].number} ${this.message}`;
    return this.hint === "" ? head : `${head}\nHint: ${this.hint}`;
  }
}

/**
 * Any thrown value as a {@linkcode PluginError}. A value that isn't one becomes `internal`, its message kept and its stack left behind.
 */
export function asPluginError(thrown: unknown): PluginError {
  if (thrown instanceof PluginError) return thrown;
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new PluginError("internal", `Unexpected failure: ${text}`, {
    hint: "Keep the job log and report this; the job's data must be taken as incomplete.",
    cause: thrown,
  });
}
