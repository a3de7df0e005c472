/**
 * How far a member is behind.
 *
 * @module
 */

import { type Document, type MongoClient, MongoServerError } from "mongodb";
import { driverError } from "./driver_error.ts";

/**
 * Seconds from the last write that a member has applied to its primary's last one, both as the member itself knows them; without a primary, to the newest of
 * the set's. Null where it doesn't say.
 */
export async function readLag(client: MongoClient, host: string): Promise<number | null> {
  let status: Document;
  try {
    status = await client.db("admin").command({ replSetGetStatus: 1 });
  } catch (cause) {
    if (cause instanceof MongoServerError) return null;
    throw driverError(`ask ${host} how far it is behind`, cause);
  }
  const members: Document[] = status["members"];
  const own = writtenAt(members.filter(({ self }) => self === true));
  const primaries = members.filter(({ stateStr }) => stateStr === "PRIMARY");
  const newest = writtenAt(primaries.length > 0 ? primaries : members);
  if (own === null || newest === null) return null;
  return Math.max(0, Math.round((newest - own) / 1000));
}

function writtenAt(members: readonly Document[]): number | null {
  const dates = members.map(({ optimeDate }) => optimeDate).filter((date) => date instanceof Date);
  return dates.length === 0 ? null : Math.max(...dates.map((date) => date.getTime()));
}
