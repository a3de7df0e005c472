/**
 * What the driver throws, as a failure that an operator understands.
 *
 * @module
 */

import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { type ErrorCode, PluginError } from "../errors.ts";
import { maskUri } from "../options/credentials.ts";

const authenticationCodes: ReadonlySet<unknown> = new Set([11, 13, 18, 8000]);

/**
 * A failure of the driver or the server while `action` was done.
 *
 * @param action what was being done, as in `read app.orders`
 * @param code for failures that are not of a privilege; a lost connection is one of its own only where none is given
 */
export function driverError(action: string, cause: unknown, code: ErrorCode = "serverCommand"): PluginError {
  if (cause instanceof PluginError) return cause;
  const reason = maskUri(cause instanceof Error ? cause.message : String(cause));
  const message = `Cannot ${action}: ${reason}`;
  if (cause instanceof MongoServerError && authenticationCodes.has(cause.code)) {
    return new PluginError("authentication", message, {
      hint:
        "Check user, password and authSource of the connection string, and the user's roles: a backup needs the role backup, " +
        "a restore the roles restore and readWriteAnyDatabase.",
      cause,
    });
  }
  const isLost = cause instanceof MongoServerSelectionError || cause instanceof MongoNetworkError;
  const settled = isLost && code === "serverCommand" ? "connect" : code;
  return new PluginError(settled, message, { hint: hintFor(settled), cause });
}

function hintFor(code: ErrorCode): string {
  if (code === "connect") {
    return "Check that the server runs, that this machine reaches its address, and TLS settings on both sides.";
  }
  if (code === "incompleteRead") {
    return "Run the job again; if it fails again, see the log of the source member for the reason.";
  }
  if (code === "restoreWrite") {
    return "See the server's log. Restore again with drop=yes once the reason is gone.";
  }
  return "See the server's log for the reason.";
}

/** Whether the server says that the user may not. It quotes the whole command then, with all data in it. */
export function isUnauthorized(cause: unknown): boolean {
  return cause instanceof MongoServerError && cause.code === 13;
}

/** Whether the server says that there is no such thing to drop or list. */
export function isNamespaceNotFound(cause: unknown): boolean {
  return cause instanceof MongoServerError && cause.code === 26;
}
