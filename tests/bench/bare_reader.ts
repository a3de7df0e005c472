/**
 * The floor under every backup: reads all collections by raw batches, the next one always requested ahead, four databases at a time, and
 * throws the bytes away. Its argument is a connection string; it prints how many bytes came.
 *
 * @module
 */

import { type Db, type Document, Long, ReadPreference } from "mongodb";
import { readCursorReply } from "../../backend/bson/cursor_reply.ts";
import { openForReading } from "../../backend/mongo/topology.ts";
import { Secret } from "../../backend/secret.ts";

const cursors = 4;
const readPreference = ReadPreference.SECONDARY_PREFERRED;

async function readCollection(db: Db, collection: string): Promise<number> {
  await using session = db.client.startSession({ causalConsistency: false });
  const run = async (command: Document) => {
    const reply = await db.command(command, { session, raw: true, readPreference });
    return readCursorReply(reply["cursor"]);
  };
  const more = (id: bigint) => run({ getMore: Long.fromBigInt(id), collection, batchSize: 1_000_000 });
  let bytes = 0;
  const { id } = await run({ find: collection, batchSize: 0 });
  for (let pending = id === 0n ? null : more(id); pending !== null;) {
    const { id, batch } = await pending;
    pending = id === 0n ? null : more(id);
    bytes += batch.length;
  }
  return bytes;
}

// The member that a backup picks.
const { client } = await openForReading(new Secret(Deno.args[0] ?? ""));
const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
const queue = databases.map(({ name }) => name).filter((name) =>
  !["admin", "config", "local"].includes(name)
);
const sizes = await Promise.all(Array.from({ length: cursors }, async () => {
  let bytes = 0;
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const db = client.db(name);
    for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
      bytes += await readCollection(db, name);
    }
  }
  return bytes;
}));
await client.close();
console.log(sizes.reduce((sum, bytes) => sum + bytes, 0));
