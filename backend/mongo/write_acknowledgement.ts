/**
 * Whose word makes a restore's writes done.
 *
 * @module
 */

import { type Db, type Document, MongoServerError, MongoWriteConcernError, ObjectId } from "mongodb";
import { PluginError } from "../errors.ts";
import type { WriteConcern } from "../options/row.ts";
import { driverError, reasonOf } from "./driver_error.ts";

/** A collection that isn't there. */
const nobodys = "podheitor_mongodb_settle";

/** Members that have not written for so long are not there. */
const checkTimeoutMs = 30_000;

/** How long the majority may take where the operator did not ask for it. */
const patienceMs = 60_000;

/** Waits for the members of a write concern. */
export class WriteAcknowledgement {
  readonly concern: WriteConcern;
  readonly #timeouts: { readonly checkMs: number; readonly patienceMs: number };

  constructor(concern: WriteConcern, timeouts = { checkMs: checkTimeoutMs, patienceMs }) {
    this.concern = concern;
    this.#timeouts = timeouts;
  }

  /** As a command has it. */
  get writeConcern(): Document {
    return { w: this.concern };
  }

  /**
   * Refuses a set that would never say that a write is done.
   *
   * @throws PluginError `restoreTarget`
   */
  async check(db: Db): Promise<void> {
    const { checkMs } = this.#timeouts;
    try {
      await awaitWrites(db, { w: this.concern, wtimeout: checkMs });
    } catch (cause) {
      if (!isUnconfirmed(cause)) throw driverError("write to the restore's target", cause, "restoreTarget");
      throw new PluginError(
        "restoreTarget",
        `Cannot restore with write_concern=${this.concern}: within ${
          checkMs / 1000
        } s the set doesn't confirm a write so (${reasonOf(cause)})`,
        {
          hint:
            "Bring the missing members back, or say write_concern=1, with which the primary's word is enough on the way.",
          cause,
        },
      );
    }
  }

  /**
   * Waits until the members of the write concern have all that was written before.
   *
   * @returns whether a majority has it too: where the operator asked for less, it is waited for only so long
   */
  async settle(db: Db): Promise<boolean> {
    const action = "wait until the set has what was restored";
    try {
      await awaitWrites(db, this.writeConcern);
      if (this.concern === "majority") return true;
    } catch (cause) {
      throw driverError(action, cause, "replay");
    }
    try {
      await awaitWrites(db, { w: "majority", wtimeout: this.#timeouts.patienceMs });
      return true;
    } catch (cause) {
      if (isUnconfirmed(cause)) return false;
      throw driverError(action, cause, "replay");
    }
  }
}

/** Deletes nothing, of a collection that nobody has: the server then waits for its own last write of before. */
async function awaitWrites(db: Db, writeConcern: Document): Promise<void> {
  await db.command({ delete: nobodys, deletes: [{ q: { _id: new ObjectId() }, limit: 1 }], writeConcern });
}

/** A standalone server says that there is nobody else to wait for in words of its own. */
function isUnconfirmed(cause: unknown): boolean {
  return cause instanceof MongoWriteConcernError ||
    (cause instanceof MongoServerError && cause.code === badValue &&
      /host is not replicated/.test(cause.message));
}

const badValue = 2;
