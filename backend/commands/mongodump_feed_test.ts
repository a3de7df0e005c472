import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { Binary, Long, serialize, Timestamp } from "bson";
import { blake3 } from "../../wasm/hasher.ts";
import { countDocuments } from "../bson/document.ts";
import { openManifest } from "../manifest/reader.ts";
import { manifestObjects } from "../manifest/schema.ts";
import { joinParts } from "../manifest/seal.ts";
import type { JobInfo } from "../protocol/message.ts";
import { feedFromMongodump } from "./mongodump_feed.ts";
import { TerminalListener } from "./terminal.ts";

const job: JobInfo = {
  kind: "B",
  level: "F",
  accurate: false,
  jobId: 1,
  sinceTime: 0,
  jobName: "mongodump",
  previousJobName: "",
  clientName: "standalone",
  workingDirectory: "/tmp",
  baculaVersion: "none",
};

function big(at: number): Uint8Array {
  return serialize({ _id: at, b: new Binary(new Uint8Array(3_000_000).fill(at)) });
}

function entry(t: number, ns: string): Uint8Array {
  return serialize({
    ts: new Timestamp({ t, i: 1 }),
    t: Long.fromNumber(1),
    v: 2,
    op: "i",
    ns,
    o: { _id: t },
  });
}

/** A dump of one collection of 24 MB, a small one, and an oplog with an entry that no backup has. */
async function withDump(use: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/app`);
    await Deno.writeFile(
      `${root}/app/big.bson`,
      Buffer.concat(Array.from({ length: 8 }, (_, at) => big(at))),
    );
    await Deno.writeFile(`${root}/app/small.bson`, serialize({ _id: 1 }));
    for (const name of ["big", "small"]) {
      await Deno.writeTextFile(`${root}/app/${name}.metadata.json`, '{"indexes":[]}');
    }
    const entries = [entry(1, "app.big"), entry(2, "config.transactions"), entry(3, "app.small")];
    await Deno.writeFile(`${root}/oplog.bson`, Buffer.concat(entries));
    await use(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function feed(from: string, options = "allow_unsigned=yes", only: readonly string[] = [], jobName?: string) {
  return feedFromMongodump({
    pluginCommand: `podheitor-mongodb: uri=mongodb://nowhere resource=r0 ${options}`,
    from,
    jobName,
    only,
    listener: new TerminalListener(true),
    signal: new AbortController().signal,
  }, job);
}

async function read(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(ReadableStream.from(body)).arrayBuffer());
}

Deno.test("feedFromMongodump() sends what its manifest says, in segments that end between documents", async () => {
  await withDump(async (root) => {
    const { restoreObjects, names, files } = await feed(root);
    const [sealed] = [
      ...joinParts(restoreObjects.map(({ header, bytes }) => ({ name: header.name, bytes }))).values(),
    ];
    const { manifest, keyId } = await openManifest(sealed!, { keys: [], allowUnsigned: true });
    strictEqual(keyId, null);
    const objects = new Map([...manifestObjects(manifest)].map((one) => [one.path, one]));
    deepStrictEqual(names, [
      "/@mongodb/r0/app/big.metadata.json",
      "/@mongodb/r0/app/big.bson",
      "/@mongodb/r0/app/big.bson.00001",
      "/@mongodb/r0/app/small.metadata.json",
      "/@mongodb/r0/app/small.bson",
      "/@mongodb/r0/oplog.mongodump/0000000001-0000000001_0000000003-0000000001.bson",
    ]);
    const came: string[] = [];
    for await (const { header, body } of files) {
      const bytes = await read(body);
      const { size, blake3: digest, documents } = objects.get(header.name)!;
      strictEqual(header.size, size);
      strictEqual(blake3(bytes).toHex(), digest);
      strictEqual(bytes.length <= 16 << 20, true);
      if (documents !== null) strictEqual(countDocuments(bytes), documents);
      came.push(header.name);
    }
    deepStrictEqual(came, names);
    deepStrictEqual(manifest.oplog?.namespaces.map(({ collection, entries }) => [collection, entries]), [[
      "big",
      1,
    ], ["small", 1]]);
    deepStrictEqual([manifest.oplog.from, manifest.oplog.to], [{ t: 1, i: 0, term: 1 }, {
      t: 3,
      i: 1,
      term: 1,
    }]);
  });
});

Deno.test("feedFromMongodump() sends only what is asked for, and the oplog", async () => {
  await withDump(async (root) => {
    const { names, files } = await feed(root, undefined, ["/@mongodb/r0/app/small.bson"]);
    strictEqual(names.length, 2);
    let bytes = 0;
    for await (const { body } of files) bytes += (await read(body)).length;
    strictEqual(bytes, serialize({ _id: 1 }).length + 2 * entry(1, "app.big").length + 2);
  });
});

Deno.test("feedFromMongodump() ends its reading when the restore ends early, also amid a body", async () => {
  await withDump(async (root) => {
    const { files } = await feed(root);
    let seen = 0;
    for await (const { body } of files) {
      if (++seen < 2) continue;
      for await (const _ of body) break;
      break;
    }
    strictEqual(seen, 2);
  });
});

Deno.test("feedFromMongodump() fails where a file was damaged since it was read first", async () => {
  await withDump(async (root) => {
    const { files } = await feed(root);
    await Deno.truncate(`${root}/app/big.bson`, 10_000_000);
    await rejects(
      async () => {
        for await (const { body } of files) await read(body);
      },
      { code: "objectDamaged", message: /big\.bson: at offset \d+, it ends within a document/ },
    );
  });
});

Deno.test("feedFromMongodump() refuses what nobody allowed, before it reads, and a job's name", async () => {
  await withDump(async (root) => {
    await Deno.truncate(`${root}/app/big.bson`, 7);
    await rejects(feed(root, ""), { code: "manifestSignature" });
    await rejects(feed(root, undefined, [], "job"), { code: "usage" });
    await rejects(feed(root), { code: "objectDamaged" });
    const files = (await feed(root, "allow_unsigned=yes exclude=app.big")).names;
    strictEqual(files.some((name) => name.includes("big")), false);
  });
});
