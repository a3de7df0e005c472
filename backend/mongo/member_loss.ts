/**
 * A member that goes away while it is read, and comes back.
 *
 * @module
 */

import {
  type MongoClient,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
} from "mongodb";
import { stateOf } from "./member_probe.ts";

/**
 * What a server says that is ending, has just begun, or changes its state: of cursors that it no longer has, of connections, of a snapshot that it
 * doesn't have yet.
 */
const lossCodes: ReadonlySet<unknown> = new Set([
  6,
  7,
  43,
  89,
  91,
  134,
  189,
  237,
  9001,
  10058,
  10107,
  11600,
  11602,
  13435,
  13436,
]);

/** How long a member may take to say that it is there. */
const answerTimeoutMs = 3_000;

/** Whether a failure, or what caused it, came of a member's going away. One that is there and doesn't answer has not gone away. */
export function isMemberLoss(failure: unknown): boolean {
  for (let cause = failure; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof MongoNetworkTimeoutError) return false;
    if (cause instanceof MongoNetworkError || cause instanceof MongoServerSelectionError) return true;
    if (cause instanceof MongoServerError) return lossCodes.has(cause.code) || isBehindItself(cause);
  }
  return false;
}

/** Whether a member that has just begun is asked for a time of which it hasn't heard again yet. */
function isBehindItself({ code, message }: MongoServerError): boolean {
  return code === 72 && message.includes("afterClusterTime");
}

/** Whether a member answers as one of its set that can be read, and knows what a majority has. */
export async function isReadable(client: MongoClient, setName: string | null): Promise<boolean> {
  try {
    const hello = await client.db("admin").command({ hello: 1 }, { timeoutMS: answerTimeoutMs });
    const committed = hello["lastWrite"]?.["majorityOpTime"]?.["ts"];
    return hello["setName"] === setName && stateOf(hello) !== null && committed !== undefined &&
      !committed.isZero();
  } catch {
    return false;
  }
}
