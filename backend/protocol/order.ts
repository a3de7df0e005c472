/**
 * The one rule of what may follow what, for both sides and all kinds of sessions, with the counts that Totals and Finish are held against.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { frameNames, protocolError } from "./frame.ts";
import type { Message, MessageOf, SessionKind, Totals } from "./message.ts";

/** `S`: the shim within the File Daemon. `B`: the backend. */
export type Side = "S" | "B";

type Phase = "hello" | "job" | "command" | "question" | "opening" | "stream" | "totals" | "finish" | "over";

/** Sessions of a backup have a level; the others are of no job that has one. */
const leveled: ReadonlySet<SessionKind> = new Set(["B", "E"]);

/** Sessions that ask something of the backend. */
const asking: ReadonlySet<SessionKind> = new Set(["L", "Q"]);

/** An object whose End hasn't come. */
interface OpenObject {
  readonly size: number;
  received: number;
}

/** Watches one conversation. Give it every message of both sides, in the order in which this side sends or receives them. */
export class SessionOrder {
  #phase: Phase = "hello";
  #kind: SessionKind | undefined;
  readonly #greeted = new Set<Side>();
  #open: OpenObject | undefined;
  /** A restore's File waits for its Answer, then for its data. */
  #asked: OpenObject | undefined;
  #commandKnown = false;
  #listing = false;
  #canceled = false;
  #aborted = false;
  #answeredTotals = false;
  readonly #counts = { files: 0, restoreObjects: 0, bytes: 0, frames: 0 };

  /** What the counted side has sent so far: S on restore, otherwise B. */
  get totals(): Totals {
    return { ...this.#counts };
  }

  /** Whether Totals of both directions have been exchanged as far as the kind of session wants it. */
  get complete(): boolean {
    return this.#phase === "finish" || this.#phase === "over";
  }

  /** Throws a protocol error for a message that may not come now, or that contradicts what came before. */
  check(side: Side, message: Message): void {
    if (this.#aborted || (this.#phase === "over" && message.type !== "H")) {
      throw this.#unexpected(side, message);
    }
    if (message.type === "H") this.#greet(side, message);
    else if (!this.#greeted.has(side)) throw this.#unexpected(side, message);
    else if (side === "S") this.#checkShim(message);
    else this.#checkBackend(message);
    if (side === this.#countedSide && message.type !== "T") this.#counts.frames++;
  }

  get #countedSide(): Side {
    return this.#kind === "R" ? "S" : "B";
  }

  #greet(side: Side, message: Message): void {
    if (this.#greeted.has(side) || this.#phase !== "hello") throw this.#unexpected(side, message);
    if (side === "B" && !this.#greeted.has("S")) throw this.#unexpected(side, message);
    this.#greeted.add(side);
    // A restore counts S's frames, of which Hello is the first; the kind is known only with Job.
    if (this.#greeted.size === 2) this.#phase = "job";
  }

  #checkShim(message: Message): void {
    const backup = this.#kind !== "R";
    switch (message.type) {
      case "C":
        if (this.#canceled) break;
        this.#canceled = true;
        return;
      case "J":
        if (this.#phase !== "job") break;
        if ((message.job.level !== " ") !== leveled.has(message.job.kind)) {
          throw protocolError(
            `Cannot take the job: its level is "${message.job.level}", wanted ${
              leveled.has(message.job.kind) ? "F, I or D" : "a space"
            }`,
          );
        }
        this.#kind = message.job.kind;
        if (this.#kind === "R") this.#counts.frames = 1;
        this.#phase = this.#kind === "R" ? "opening" : "command";
        return;
      case "P":
        if (this.#phase === "command") {
          this.#phase = this.#kind !== undefined && asking.has(this.#kind) ? "question" : "opening";
          return;
        }
        if (backup || this.#phase !== "stream" || this.#open || this.#asked) break;
        this.#commandKnown = true;
        return;
      case "Q":
        if (this.#phase !== "question") break;
        this.#phase = "opening";
        return;
      case "S":
        if (this.#phase !== "opening" || this.#open) break;
        checkStart(message, backup);
        this.#phase = "stream";
        return;
      case "L":
        if (backup || this.#phase !== "opening" || this.#open) break;
        this.#listing = true;
        return;
      case "R":
        if (backup || this.#phase !== "opening" || this.#open || this.#listing) break;
        return this.#openObject(message.object.size, "restoreObjects");
      case "F":
        if (backup || this.#phase !== "stream" || !this.#commandKnown || this.#open || this.#asked) break;
        if (message.isDirectory) break;
        this.#asked = { size: message.file.size, received: 0 };
        this.#counts.files++;
        return;
      case "D":
      case "E":
        if (backup || !this.#open) break;
        return this.#fill(message);
      case "T":
        if (backup || this.#phase !== "stream" || this.#open || this.#asked) break;
        this.#phase = "totals";
        return this.#compare(message.totals);
      case "Z":
        if (this.#phase !== "finish") break;
        this.#phase = "over";
        return this.#compare(message.totals);
    }
    throw this.#unexpected("S", message);
  }

  #checkBackend(message: Message): void {
    const backup = this.#kind === "B";
    const silent = this.#answeredTotals || this.#phase === "finish";
    switch (message.type) {
      case "X":
        if (silent) break;
        this.#aborted = true;
        return;
      case "M":
      case "B":
        if (silent) break;
        return;
      case "F":
        if (this.#kind === "R" || this.#kind === "Q" || this.#phase !== "stream" || this.#open) break;
        if (message.isDirectory && this.#kind !== "L") break;
        if (!backup) {
          this.#counts.files++;
          return;
        }
        return this.#openObject(message.file.size, "files");
      case "R":
        if (!backup || this.#phase !== "stream" || this.#open) break;
        if (message.object.jobId !== 0 || message.object.command !== "") {
          throw protocolError("Cannot take the restore object: a backup's has neither a job nor a command");
        }
        return this.#openObject(message.object.size, "restoreObjects");
      case "D":
      case "E":
        if (!backup || !this.#open) break;
        return this.#fill(message);
      case "V":
        if (this.#kind !== "Q" || this.#phase !== "stream") break;
        return;
      case "A":
        if (!this.#asked) break;
        if (message.answer === "extract") this.#open = this.#asked;
        this.#asked = undefined;
        return;
      case "T":
        if (this.#open || this.#phase !== (this.#kind === "R" ? "totals" : "stream")) break;
        this.#answeredTotals = true;
        this.#phase = "finish";
        return this.#compare(message.totals);
    }
    throw this.#unexpected("B", message);
  }

  #openObject(size: number, count: "files" | "restoreObjects"): void {
    this.#open = { size, received: 0 };
    this.#counts[count]++;
  }

  #fill(message: Message & { type: "D" | "E" }): void {
    const open = this.#open!;
    if (message.type === "D") {
      open.received += message.bytes.length;
      this.#counts.bytes += message.bytes.length;
      if (open.received > open.size) {
        throw protocolError(
          `Cannot take the object: ${open.received} bytes came, its header says ${open.size}`,
        );
      }
      return;
    }
    if (this.#kind === "R" && message.size === open.received && open.received < open.size) {
      throw new PluginError(
        "objectMismatch",
        `Cannot restore: the volume brought ${open.received} bytes of a file of ${open.size}`,
        {
          hint:
            "The job log says why: the Storage Daemon went away, or a volume can't be read. Restore again when that is mended.",
        },
      );
    }
    if (open.received !== open.size || message.size !== open.size) {
      throw protocolError(
        `Cannot take the object: ${open.received} bytes came, its header says ${open.size}, its end ${message.size}`,
      );
    }
    this.#open = undefined;
  }

  #compare(totals: Totals): void {
    for (const count of ["files", "restoreObjects", "bytes", "frames"] as const) {
      if (totals[count] !== this.#counts[count]) {
        throw protocolError(
          `Cannot agree on the totals: one side counts ${totals[count]} ${count}, the other ${
            this.#counts[count]
          }`,
        );
      }
    }
  }

  #unexpected(side: Side, { type }: Message): Error {
    const who = side === "S" ? "File Daemon plugin" : "backend";
    return protocolError(
      `Cannot go on: ${frameNames[type]} from the ${who} has no place here (state "${this.#phase}")`,
    );
  }
}

/** Where files go is a restore's business; everything else leaves it out. */
function checkStart({ replace, where, regexWhere }: MessageOf<"S">, backup: boolean): void {
  if (backup ? replace === "\0" && where === "" && regexWhere === "" : replace !== "\0") return;
  throw protocolError(
    `Cannot begin: wanted ${
      backup ? "a Start without replace, where and regexWhere" : "a Start with a rule of replacing"
    }`,
  );
}
