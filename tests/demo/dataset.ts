/** The data of the demo. */

import { Binary, Decimal128, Long, type MongoClient, Timestamp } from "mongodb";

/** The databases that the demo fills, changes and drops. */
export const databases = ["app", "shop"] as const;

/** How many orders there are; their `_id` go from 0. */
export const orderCount = 80_000;

/** Some 100,000 documents of mixed kinds in two databases. */
export async function load(client: MongoClient): Promise<void> {
  const app = client.db("app");
  const orders = app.collection<{ _id: number }>("orders");
  for (let from = 0; from < orderCount; from += 10_000) {
    await orders.insertMany(Array.from({ length: 10_000 }, (_, at) => ({
      _id: from + at,
      customer: (from + at) % 977,
      total: Decimal128.fromString(`${from + at}.95`),
      lines: [{ sku: `sku-${at % 50}`, count: at % 7 }, { sku: "sku-x", count: 1 }],
      placed: new Date(1_700_000_000_000 + at * 1000),
      version: Long.fromNumber(at),
    })));
  }
  await orders.createIndexes([{ key: { customer: 1, placed: -1 } }, {
    key: { "lines.sku": 1 },
    sparse: true,
  }]);
  await app.createCollection("log", { capped: true, size: 1 << 20 });
  await app.collection("log").insertMany(
    Array.from({ length: 5_000 }, (_, at) => ({ at, note: `line ${at}` })),
  );
  await app.createCollection("open_orders", {
    viewOn: "orders",
    pipeline: [{ $match: { customer: { $lt: 10 } } }],
  });
  const shop = client.db("shop");
  await shop.collection("pictures").insertMany(
    Array.from(
      { length: 20 },
      (_, at) => ({ name: `p${at}`, bytes: new Binary(new Uint8Array(200_000).fill(at)) }),
    ),
  );
  await shop.collection("odd/näme %").insertMany(
    Array.from({ length: 15_000 }, (_, at) => ({ at, stamp: new Timestamp({ t: at, i: 1 }) })),
  );
}
