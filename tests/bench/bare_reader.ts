/**
 * The floor under every backup: reads all collections by raw batches, the next one always requested ahead, four databases at a time, and
 * throws the bytes away. Its argument is a connection string; it prints how many bytes came. With two further arguments, the bits of two
 * timestamps, it reads the oplog from the first to the second instead.
 *
 * @module
 */

import { type Db, type Document, Long, type MongoClient, ReadPreference, Timestamp } from "mongodb";
import { readCursorReply } from "../../backend/bson/cursor_reply.ts";
import { openForReading } from "../../backend/mongo/topology.ts";
import { Secret } from "../../backend/secret.ts";

const cursors = 4;
const readPreference = ReadPreference.SECONDARY_PREFERRED;

async function readCollection(db: Db, collection: string, filter: Document = {}): Promise<number> {
  await using session = db.client.startSession({ causalConsistency: false });
  const run = async (command: Document) => {
    const reply = await db.command(command, { session, raw: true, readPreference });
    return readCursorReply(reply["cursor"]);
  };
  const more = (id: bigint) => run({ getMore: Long.fromBigInt(id), collection, batchSize: 1_000_000 });
  let bytes = 0;
  const { id } = await run({ find: collection, filter, batchSize: 0 });
  for (let pending = id === 0n ? null : more(id); pending !== null;) {
    const { id, batch } = await pending;
    pending = id === 0n ? null : more(id);
    bytes += batch.length;
  }
  return bytes;
}

async function readDatabases(client: MongoClient): Promise<number> {
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
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

function readOplog(client: MongoClient, from: string, to: string): Promise<number> {
  const [$gte, $lte] = [new Timestamp(BigInt(from)), new Timestamp(BigInt(to))];
  return readCollection(client.db("local"), "oplog.rs", { ts: { $gte, $lte } });
}

const [uri = "", from, to] = Deno.args;
// The member that a backup picks.
const { client } = await openForReading(new Secret(uri));
console.log(
  await (from === undefined || to === undefined ? readDatabases(client) : readOplog(client, from, to)),
);
await client.close();
