/**
 * Enough data that a job can be caught in its middle, and ways to know that it is there.
 *
 * @module
 */

import { Binary, type MongoClient } from "mongodb";
import type { BaculaLab } from "../lab/bacula.ts";
import { until } from "../lab/condition.ts";

/** Loads `mebibytes` of documents that don't compress, in two databases. */
export async function loadMuch(client: MongoClient, mebibytes: number): Promise<void> {
  for (const name of ["much", "more"]) {
    for (let at = 0; at < mebibytes / 2; at += 8) {
      const documents = Array.from({ length: 8 }, () => {
        const bytes = new Uint8Array(1 << 20);
        for (let from = 0; from < bytes.length; from += 65536) {
          crypto.getRandomValues(bytes.subarray(from, from + 65536));
        }
        return { bytes: new Binary(bytes) };
      });
      await client.db(name).collection("blobs").insertMany(documents);
    }
  }
}

/** Bytes on all volumes of a lab. */
export function volumeBytes(lab: BaculaLab): number {
  return lab.volumes().reduce((sum, path) => sum + Deno.statSync(path).size, 0);
}

/** Resolves when the volumes have grown by so many bytes since `from`. */
export async function untilWritten(lab: BaculaLab, from: number, bytes: number): Promise<void> {
  await until(
    `${bytes} more bytes on the volumes`,
    30_000,
    () => Promise.resolve(volumeBytes(lab) - from >= bytes),
  );
}
