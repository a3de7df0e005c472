/**
 * The data of the benchmark: the same bytes each time, in three kinds of collections as real servers have them.
 *
 * @module
 */

import { BSON, type Document } from "mongodb";
import { openTarget } from "../../backend/mongo/target.ts";
import type { RestoredCollection, Target } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { Random } from "../lab/random.ts";

/** What was loaded. */
export interface Dataset {
  readonly databases: readonly string[];
  readonly documents: number;
  /** Bytes of BSON. */
  readonly bytes: number;
}

interface Kind {
  readonly collection: string;
  /** Part of all bytes. */
  readonly share: number;
  make(index: number, random: Random): Document;
}

const kinds: readonly Kind[] = [
  { collection: "events", share: 0.3, make: makeEvent },
  { collection: "orders", share: 0.5, make: makeOrder },
  { collection: "files", share: 0.2, make: makeFile },
];
const databases = ["bench_a", "bench_b", "bench_c", "bench_d"];
const insertBytes = 4 << 20;

/** Fills a server's four databases with `sizeBytes` of documents in all. */
export async function loadDataset(uri: string, sizeBytes: number): Promise<Dataset> {
  await using target = await openTarget(new Secret(uri));
  const loaded = await Promise.all(
    databases.map((database, seed) =>
      loadDatabase(target, database, new Random(seed), sizeBytes / databases.length)
    ),
  );
  return {
    databases,
    documents: loaded.reduce((sum, { documents }) => sum + documents, 0),
    bytes: loaded.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function loadDatabase(target: Target, database: string, random: Random, sizeBytes: number) {
  const total = { documents: 0, bytes: 0 };
  for (const { collection, share, make } of kinds) {
    const namespace = { database, collection };
    const metadata = `{"options":{},"indexes":[],"collectionName":"${collection}","type":"collection"}`;
    const place: RestoredCollection = { namespace, kind: "collection", data: namespace, metadata };
    const wantedBytes = sizeBytes * share;
    for (let bytes = 0, index = 0; bytes < wantedBytes;) {
      const documents: Uint8Array[] = [];
      let size = 0;
      for (; size < insertBytes && bytes + size < wantedBytes; index++) {
        const document = BSON.serialize(make(index, random));
        documents.push(document);
        size += document.length;
      }
      await target.write(place, Buffer.concat(documents));
      bytes += size;
      total.bytes += size;
      total.documents += documents.length;
    }
  }
  return total;
}

/** About 110 bytes. */
function makeEvent(index: number, random: Random): Document {
  return {
    _id: index,
    at: new Date(1_700_000_000_000 + index * 250),
    account: `account-${random.below(100_000)}`,
    kind: random.pick(["login", "logout", "purchase", "refund"]),
    amount: random.below(1_000_000) / 100,
    source: random.pick(["web", "phone", "shop"]),
    ok: random.below(50) > 0,
  };
}

/** About 1 kB, nested. */
function makeOrder(index: number, random: Random): Document {
  const items = Array.from({ length: 6 }, (_, line) => ({
    line,
    sku: `sku-${random.below(1_000_000)}`,
    quantity: 1 + random.below(9),
    price: random.below(100_000) / 100,
    tags: [random.word(), random.word()],
  }));
  return {
    _id: new BSON.Long(index, 1),
    customer: {
      name: `${random.word()} ${random.word()}`,
      address: {
        street: `${random.word()} ${random.below(200)}`,
        city: random.word(),
        code: `${random.below(99_999)}`,
      },
    },
    items,
    status: random.pick(["open", "paid", "sent"]),
    note: Array.from({ length: 20 }, () => random.word()).join(" "),
    changedAt: new Date(1_700_000_000_000 + random.below(1_000_000_000)),
  };
}

/** About 1 MB that no compression makes smaller. */
function makeFile(index: number, random: Random): Document {
  const content = Uint32Array.from({ length: 250_000 }, () => random.next());
  return { _id: `file-${index}`, type: "application/octet-stream", content: Buffer.from(content.buffer) };
}
