/**
 * One large collection, read in natural order and in ranges of `_id`; at once, and cold, through a network with some latency.
 *
 * @module
 */

import { BSON } from "mongodb";
import { openTarget } from "../../backend/mongo/target.ts";
import { Secret } from "../../backend/secret.ts";
import { run } from "../lab/command.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { Random } from "../lab/random.ts";
import { DelayProxy } from "./delay_proxy.ts";
import { makeBare, ours } from "./programs.ts";
import { makeRows, type Table } from "./report.ts";
import { type Bench, measureInTurn, type Subject } from "./turns.ts";

const roundTripMs = 5;
const namespace = { database: "bench_one", collection: "orders" };
const insertDocuments = 4_000;

/** A standalone server: a proxy's address is no member's, and nobody reads an oplog. */
export async function measureRanges(bench: Bench, sizeBytes: number): Promise<Table[]> {
  bench.say(`loading ${(sizeBytes / 1e6).toFixed(0)} MB into one collection`);
  await using server = await ReplicaSet.standalone();
  const bytes = await load(server.uri, sizeBytes);
  await using proxy = DelayProxy.start(server.members[0]!.port, roundTripMs);
  const far = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  const backup = (name: string, uri: string, options: string): Subject => ({
    name,
    program: ours(bench, ["backup", "--to", "/dev/null"], `${options} uri=${uri}`),
  });
  const ranges = "chunk_threshold=1M chunks=16";
  const bareReader = await makeBare(bench, "bare_reader");
  const near: Subject[] = [
    { name: "bare reader", program: bareReader(server.uri) },
    backup("as by default", server.uri, ""),
    backup("natural order", server.uri, "chunks=1"),
    backup("16 ranges, 1 reader", server.uri, `${ranges} parallel_readers=1`),
    backup("16 ranges, 4 readers", server.uri, ranges),
  ];
  const away: Subject[] = [
    { name: "bare reader", program: bareReader(far) },
    backup("as by default", far, ""),
    backup("natural order", far, "chunks=1"),
    backup("16 ranges, 4 readers", far, ranges),
  ];
  if (!bench.isMissing("mongodump")) {
    const mongodump = (uri: string): Subject => ({
      name: "mongodump to /dev/null",
      program: { path: "mongodump", args: ["--quiet", "--archive=/dev/null", uri] },
    });
    near.push(mongodump(server.uri));
    away.push(mongodump(far));
  }
  const about = `One collection: standalone server; ${(bytes / 1e6).toFixed(0)} MB in documents of 1 kB`;
  const table = async (about: string, subjects: readonly Subject[]): Promise<Table> => ({
    about,
    entries: null,
    bytes,
    rows: makeRows(await measureInTurn(subjects, bench)),
    notes: [],
  });
  return [
    await table(about, near),
    await table(
      `${about}; ${roundTripMs} ms away, the server's cache and the machine's cold`,
      away.map((subject) => ({ ...subject, before: () => makeCold(server) })),
    ),
  ];
}

/** The server starts anew, and its files have to come from the disk. */
async function makeCold(server: ReplicaSet): Promise<void> {
  const member = server.members[0]!;
  await server.kill(member, "SIGTERM");
  for await (const { name, isFile } of Deno.readDir(member.dbpath)) {
    if (!isFile) continue;
    await run("dd", [`if=${member.dbpath}/${name}`, "iflag=nocache", "count=0", "status=none"]);
  }
  await server.restart(member);
}

async function load(uri: string, sizeBytes: number): Promise<number> {
  await using target = await openTarget(new Secret(uri));
  const metadata = '{"options":{},"indexes":[],"collectionName":"orders","type":"collection"}';
  const random = new Random(1);
  let bytes = 0;
  for (let index = 0; bytes < sizeBytes;) {
    const documents: Uint8Array[] = [];
    for (let more = 0; more < insertDocuments; more++, index++) {
      const note = Array.from({ length: 130 }, () => random.word()).join(" ");
      documents.push(BSON.serialize({ _id: index, account: random.below(100_000), note }));
    }
    const together = Buffer.concat(documents);
    await target.write({ namespace, kind: "collection", data: namespace, metadata }, together);
    bytes += together.length;
  }
  return bytes;
}
