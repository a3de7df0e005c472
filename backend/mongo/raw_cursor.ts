/**
 * Cursors whose batches stay raw.
 *
 * @module
 */

import { type ClientSession, type Db, type Document, Long, ReadPreference } from "mongodb";
import { elements } from "../bson/document.ts";
import { type CursorReply, readCursorReply } from "../bson/cursor_reply.ts";
import { abortable, Turns } from "../parallel.ts";
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

/**
 * From so many bytes on, a batch may be of documents that are larger than a batch should be. Their collection's cursors then ask for the next one when
 * the last one has been worked on, and only so many do at a time: a reply is in memory twice while it comes.
 */
const hugeBatchBytes = 8 << 20;
const hugeTurns = new Turns(2);

/** Collections that had such a batch: their other cursors go on in that way, too. */
const hugeNamespaces = new Set<string>();

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
  let turn: Disposable | undefined;
  let documents = firstBatchDocuments;
  let empty = 0;
  try {
    // No name keeps a batch beyond its turn.
    let reply: CursorReply | undefined = await abortable(run(db, command, session), signal);
    const { namespace } = reply;
    if (typeof command["find"] === "string" && namespace !== `${db.databaseName}.${command["find"]}`) {
      throw unknownReply(`read ${db.databaseName}.${command["find"]}`);
    }
    collection = namespace.slice(namespace.indexOf(".") + 1);
    const more = () => {
      const next = run(db, { getMore: Long.fromBigInt(id), collection, batchSize: documents }, session);
      // It is awaited in its turn; until then its failure must not count as unhandled.
      next.catch(() => {});
      return next;
    };
    for (let isFirst = true;; isFirst = false) {
      empty = !isFirst && reply.batch.length === emptyArrayBytes ? empty + 1 : 0;
      const isAnother = !isFirst && (reply.namespace !== namespace || (reply.id !== id && reply.id !== 0n));
      // Another cursor's documents would be counted as this one's.
      if (isAnother || empty > emptyBatchesMax) {
        throw unknownReply(`read on in ${db.databaseName}.${collection}`);
      }
      id = reply.id;
      if (reply.batch.length >= hugeBatchBytes) {
        const held = [...elements(reply.batch)].length;
        if (reply.batch.length > held * batchBytes) hugeNamespaces.add(namespace);
      }
      const isHuge = hugeNamespaces.has(namespace);
      // The first one has as many as its command said.
      if (!isFirst) documents = Math.floor(documents * batchBytes / reply.batch.length);
      documents = Math.min(Math.max(documents, 1), batchMaxDocuments);
      if (id !== 0n && !isHuge) pending = more();
      yield reply.batch;
      reply = undefined;
      if (isHuge) collectGarbage();
      turn?.[Symbol.dispose]();
      turn = undefined;
      if (id === 0n) return;
      if (isHuge) turn = await hugeTurns.take(signal);
      pending ??= more();
      reply = await abortable(pending, signal);
      pending = undefined;
    }
  } finally {
    turn?.[Symbol.dispose]();
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

/** By itself, V8 lets two hundred megabytes of read buffers pile up first. The launcher's flags allow it; without them, nothing happens. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
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
