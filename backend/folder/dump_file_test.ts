import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Binary, serialize } from "bson";
import fc from "fast-check";
import { elements } from "../bson/document.ts";
import { type DumpFile, readBatches, readRuns, readText } from "./dump_file.ts";

const signal = new AbortController().signal;

async function withFile<T>(
  bytes: Uint8Array,
  isCompressed: boolean,
  use: (file: DumpFile) => Promise<T>,
): Promise<T> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    return await use({ path, isCompressed });
  } finally {
    await Deno.remove(path);
  }
}

async function documentsOf(file: DumpFile): Promise<Uint8Array[]> {
  const documents: Uint8Array[] = [];
  for await (const batch of readBatches(file, signal)) {
    let index = 0;
    for (const { key, type, value } of elements(batch)) {
      deepStrictEqual([key, type], [String(index++), 3]);
      documents.push(value.slice());
    }
  }
  return documents;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function filled(bytes: number, byte = 7): Uint8Array {
  return serialize({ b: new Binary(new Uint8Array(bytes).fill(byte)) });
}

Deno.test("readBatches() gives every document once, in its order, whatever their sizes, plain or compressed", async () => {
  const sizes = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 300_000, max: 1_500_000 })), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.boolean(), async (lengths, isCompressed) => {
      const documents = lengths.map((length, at) => filled(length, at));
      const bytes = concatenate(documents);
      const found = await withFile(isCompressed ? gzipSync(bytes) : bytes, isCompressed, documentsOf);
      strictEqual(found.length, documents.length);
      strictEqual(Buffer.compare(concatenate(found), bytes), 0);
    }),
    { numRuns: 40 },
  );
});

Deno.test("readBatches() takes 100,000 documents, and the longest that there are", async () => {
  const small = concatenate(Array.from({ length: 100_000 }, (_, at) => serialize({ at })));
  const longest = filled((16 << 20) - 100);
  const entry = filled((16 << 20) + (16 << 10) - 13);
  const found = await withFile(concatenate([small, longest, entry, serialize({})]), false, documentsOf);
  strictEqual(found.length, 100_003);
});

Deno.test("readRuns() says where the last document of a run begins", async () => {
  const [first, last] = [filled(10), filled(20)];
  await withFile(concatenate([first, last]), false, async (file) => {
    for await (const run of readRuns(file)) deepStrictEqual([run.documents, run.last], [2, first.length]);
  });
});

Deno.test("readRuns() refuses a file that was cut anywhere but between documents", async () => {
  const documents = Array.from({ length: 5 }, (_, at) => filled(at * 3));
  const bytes = concatenate(documents);
  const ends = new Set(documents.map((_, at) => concatenate(documents.slice(0, at)).length));
  for (let length = 0; length < bytes.length; length++) {
    await withFile(bytes.subarray(0, length), false, async (file) => {
      if (ends.has(length)) return void await documentsOf(file);
      const begins = Math.max(...[...ends].filter((end) => end <= length));
      await rejects(documentsOf(file), {
        code: "objectDamaged",
        message: new RegExp(
          `^Cannot read ${file.path}: at offset ${begins}, it ends within a document`,
        ),
      });
    });
  }
});

const [one, two] = [filled(100), filled(50)];
for (
  const { what, bytes, isCompressed = false, want } of [
    {
      what: "bytes behind the last document",
      bytes: concatenate([one, Uint8Array.of(1)]),
      want: `at offset ${one.length}, it ends`,
    },
    {
      what: "a length that can't be",
      bytes: concatenate([one, Uint8Array.of(4, 0, 0, 0, 0)]),
      want: `at offset ${one.length}, no document begins there: its length would be 4`,
    },
    {
      what: "a length beyond every document",
      bytes: concatenate([Uint8Array.of(0xff, 0xff, 0xff, 0x7f), one]),
      want: "at offset 0, no document begins there",
    },
    {
      what: "a byte changed within a document",
      bytes: concatenate([one, two.with(4, 0x55)]),
      want: `at offset ${one.length}, the document of ${two.length} bytes`,
    },
    { what: "no gzip file", bytes: one, isCompressed: true, want: "at offset 0, it is no sound gzip file" },
    {
      what: "an empty gzip file",
      bytes: new Uint8Array(),
      isCompressed: true,
      want: "at offset 0, it is no sound gzip file",
    },
    {
      what: "a gzip file without its end",
      bytes: gzipSync(one).subarray(0, -3),
      isCompressed: true,
      want: `at offset ${one.length}, it is no sound gzip file`,
    },
    {
      what: "a gzip file whose CRC-32 is wrong",
      bytes: new Uint8Array(gzipSync(one)).with(-6, gzipSync(one).at(-6)! ^ 1),
      isCompressed: true,
      want: `at offset ${one.length}, it is no sound gzip file`,
    },
    {
      what: "a sound gzip file of cut BSON",
      bytes: gzipSync(one.subarray(0, -1)),
      isCompressed: true,
      want: "at offset 0, it ends",
    },
  ]
) {
  Deno.test(`readBatches() refuses ${what}, and says where`, async () => {
    await withFile(bytes, isCompressed, async (file) => {
      await rejects(documentsOf(file), (thrown: Error & { code: string }) => {
        strictEqual(thrown.code, "objectDamaged");
        strictEqual(thrown.message.startsWith(`Cannot read ${file.path}: ${want}`), true, thrown.message);
        return true;
      });
    });
  });
}

Deno.test("readText() refuses what is not UTF-8, and a file that is gone", async () => {
  await withFile(Uint8Array.of(0xff), false, (file) => rejects(readText(file), { code: "objectDamaged" }));
  await rejects(readText({ path: "/nowhere/x.metadata.json", isCompressed: false }), {
    code: "objectDamaged",
  });
});
