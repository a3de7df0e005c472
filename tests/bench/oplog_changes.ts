/**
 * Changes that fill an oplog: inserts, updates and deletes of small documents in two databases, the same ones each time.
 *
 * @module
 */

import type { AnyBulkWriteOperation, MongoClient } from "mongodb";
import { Random } from "../lab/random.ts";

/** The databases that are changed, in their collection {@linkcode changedCollection}. */
export const changedDatabases = ["changes_a", "changes_b"] as const;
export const changedCollection = "items";

/** About 150 bytes. */
interface Item {
  _id: number;
  at: Date;
  owner: string;
  count: number;
  note: string;
}

/** Of each round's changes; an oplog entry each. */
const share = { inserts: 500, updates: 350, deletes: 150 } as const;
const round = share.inserts + share.updates + share.deletes;

/** Makes the collections, empty. */
export async function layItems(client: MongoClient): Promise<void> {
  for (const name of changedDatabases) {
    const db = client.db(name);
    await db.dropDatabase();
    await db.createCollection(changedCollection);
  }
}

/** Makes so many changes, both databases side by side; resolves to the number made. */
export async function changeItems(client: MongoClient, changes: number): Promise<number> {
  const rounds = Math.ceil(changes / changedDatabases.length / round);
  await Promise.all(changedDatabases.map(async (name, seed) => {
    const items = client.db(name).collection<Item>(changedCollection);
    const random = new Random(seed);
    for (let at = 0; at < rounds; at++) {
      // Only what stays is updated: the driver sends the deletes last.
      const [eldest, next] = [at * share.deletes, at * share.inserts];
      const survivors = next + share.inserts - eldest - share.deletes;
      await items.bulkWrite([
        ...repeat(share.inserts, (index) => ({ insertOne: { document: makeItem(next + index, random) } })),
        ...repeat(share.updates, () => ({
          updateOne: {
            filter: { _id: eldest + share.deletes + random.below(survivors) },
            update: { $inc: { count: 1 }, $set: { owner: random.word() } },
          },
        })),
        ...repeat(share.deletes, (index) => ({ deleteOne: { filter: { _id: eldest + index } } })),
      ], { ordered: false, writeConcern: { w: 1 } });
    }
  }));
  return rounds * round * changedDatabases.length;
}

function repeat(
  count: number,
  make: (index: number) => AnyBulkWriteOperation<Item>,
): AnyBulkWriteOperation<Item>[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function makeItem(_id: number, random: Random): Item {
  const note = Array.from({ length: 12 }, () => random.word()).join(" ");
  return { _id, at: new Date(1_700_000_000_000 + _id * 250), owner: random.word(), count: 0, note };
}
