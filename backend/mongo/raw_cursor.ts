/**
 * Cursors whose batches stay raw.
 *
 * @module
 */

import { type ClientSession, type Db, type Document, Long, ReadPreference } from "mongodb";
import { elements } from "../bson/document.ts";
import { type CursorReply, readCursorReply } from "../bson/cursor_reply.ts";
import { unknownReply } from "./driver_error.ts";

/** A reading session: cursors die with their session, and a session that is not refreshed dies after half an hour. */
const refreshIntervalMs = 300_000;

/**
 * What a batch should come to: of each cursor, several are in memory at a time. A server counts documents only, and ends a batch at 16 MiB, so
 * that the number of documents follows the size of the last batch.
 */
const batchBytes = 4 << 20;
const firstBatchDocuments = 1_000;
const batchMaxDocuments = 1_000_000;

const emptyArrayBytes = 5;
/** A server ends a cursor rather than to send nothing again and again: one that doesn't would never end a job. */
const emptyBatchesMax = 1_000;

const closeTimeoutMs = 2_000;

const readPreference = ReadPreference.SECONDARY_PREFERRED;

/**
 * The raw arrays of a cursor's batches. The next one is on its way while one is looked at. Leaving early closes the cursor on the server.
 *
 * @param command opens the cursor: find, listCollections or listIndexes
 */
export async function* rawBatches(
  db: Db,
  command: Document,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const session = db.client.startSession({ causalConsistency: false });
  const refresh = setInterval(() => void refreshSession(db, session), refreshIntervalMs);
  let id = 0n;
  let collection = "";
  let pending: Promise<CursorReply> | undefined;
  let documents = firstBatchDocuments;
  let empty = 0;
  try {
    const first = await abortable(run(db, command, session), signal);
    if (typeof command["find"] === "string" && first.namespace !== `${db.databaseName}.${command["find"]}`) {
      throw unknownReply(`read ${db.databaseName}.${command["find"]}`);
    }
    id = first.id;
    collection = first.namespace.slice(first.namespace.indexOf(".") + 1);
    const more = () => {
      const reply = run(db, { getMore: Long.fromBigInt(id), collection, batchSize: documents }, session);
      // It is awaited in its turn; until then its failure must not count as unhandled.
      reply.catch(() => {});
      return reply;
    };
    pending = id === 0n ? undefined : more();
    yield first.batch;
    while (pending !== undefined) {
      const { id: nextId, namespace, batch } = await abortable(pending, signal);
      empty = batch.length === emptyArrayBytes ? empty + 1 : 0;
      // Another cursor's documents would be counted as this one's.
      if ((nextId !== id && nextId !== 0n) || namespace !== first.namespace || empty > emptyBatchesMax) {
        throw unknownReply(`read on in ${db.databaseName}.${collection}`);
      }
      id = nextId;
      documents = Math.min(Math.max(Math.floor(documents * batchBytes / batch.length), 1), batchMaxDocuments);
      pending = id === 0n ? undefined : more();
      yield batch;
    }
  } finally {
    clearInterval(refresh);
    if (id !== 0n) await closeCursor(db, collection, id, pending, session);
    // Not waited for: with its server gone, it would look for another one.
    session.endSession().catch(() => {});
  }
}

/** All documents of a small cursor, raw. */
export async function rawDocuments(db: Db, command: Document): Promise<Uint8Array[]> {
  const documents: Uint8Array[] = [];
  for await (const batch of rawBatches(db, command)) {
    for (const { value } of elements(batch)) documents.push(value);
  }
  return documents;
}

async function run(db: Db, command: Document, session: ClientSession): Promise<CursorReply> {
  const reply = await db.command(command, { session, raw: true, readPreference });
  const cursor: unknown = reply["cursor"];
  if (!(cursor instanceof Uint8Array)) throw unknownReply(`read a cursor of ${db.databaseName}`);
  return readCursorReply(cursor);
}

async function refreshSession(db: Db, session: ClientSession): Promise<void> {
  // A failure shows itself at the next batch.
  await db.client.db("admin").command({ refreshSessions: [session.id] }).catch(() => {});
}

async function closeCursor(
  db: Db,
  collection: string,
  id: bigint,
  pending: Promise<CursorReply> | undefined,
  session: ClientSession,
): Promise<void> {
  const settled = Promise.allSettled([pending]).then(() =>
    db.command({ killCursors: collection, cursors: [Long.fromBigInt(id)] }, {
      session,
      timeoutMS: closeTimeoutMs,
    })
  );
  // Courtesy to the server only: one that doesn't answer in time closes the cursor by itself.
  await abortable(settled, AbortSignal.timeout(closeTimeoutMs)).catch(() => {});
}

/** Rejects with the signal's reason as soon as it is aborted. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
