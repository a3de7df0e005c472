import assert from "node:assert/strict";
import { type Document, Int32, serialize } from "bson";
import { elements, findElement } from "../../backend/bson/document.ts";
import { type ProvenCollection, proveRestore } from "../../backend/job/proof.ts";
import { Witness } from "../../backend/job/witness.ts";
import { MemorySource, type SourceFaults } from "./memory.ts";
import { MemoryTarget } from "./memory_target.ts";

const given = [{ _id: 1, a: "x" }, { _id: 2, a: "y" }, { _id: 3, a: "x" }].map((one) => serialize(one));
const signal = new AbortController().signal;
const array = (documents: readonly Document[]) => serialize({ ...documents });

/** What a proof finds where those documents were given to a restore, `operations` were applied, and these are read back. */
async function prove(
  back: readonly Uint8Array[] | null,
  options: {
    capped?: boolean;
    faults?: SourceFaults;
    invalid?: string[];
    operations?: Document[];
    isGivenCapped?: boolean;
  } = {},
): Promise<ProvenCollection> {
  const witness = new Witness(new MemoryTarget(), findGiven);
  const [collection] = await new MemorySource({
    app: [{ name: "a", documents: [], capped: options.isGivenCapped ?? false }],
  }).listCollections("app");
  await witness.create(collection!);
  await witness.write(collection!, Buffer.concat(given));
  if (options.operations !== undefined && witness.oplog.kind === "server") {
    await witness.oplog.replay.applyOperations(array(options.operations), false);
  }
  const databases = back === null
    ? {}
    : { app: [{ name: "a", documents: back, batchDocuments: 2, capped: options.capped ?? false }] };
  const server = {
    validate: () => Promise.resolve(options.invalid ?? []),
    listIndexes: () => Promise.resolve([]),
  };
  const rows = await proveRestore(new MemorySource(databases, options.faults), witness, server, signal);
  assert.equal(rows.length, 1);
  return rows[0]!;
}

/** The server's documents before the operations. */
async function* findGiven(_: unknown, ids: Uint8Array): AsyncGenerator<Uint8Array> {
  const wanted = new Set([...elements(ids)].map(({ value }) => value.toHex()));
  for (const document of given) {
    if (wanted.has(findElement(document, "_id")!.value.toHex())) {
      await Promise.resolve();
      const head = new Uint8Array([0, 0, 0, 0, 3, 48, 0]);
      new DataView(head.buffer).setInt32(0, document.length + 8, true);
      yield Buffer.concat([head, document, new Uint8Array(1)]);
    }
  }
}

Deno.test("a proof finds nothing where the same documents come back in any order", async () => {
  for (const back of [given, given.toReversed()]) {
    const { findings, unproven, proof } = await prove(back);
    assert.deepEqual([findings, unproven, proof], [[], [], "digest"]);
  }
});

Deno.test("a proof finds what was changed, lost or added", async () => {
  const changed = given.with(1, serialize({ _id: 2, a: "z" }));
  const doubled = given.with(1, given[0]!);
  for (
    const { row, want } of [
      { row: await prove(changed), want: /documents aren't those of the backup/ },
      { row: await prove(doubled), want: /documents aren't those of the backup/ },
      { row: await prove(given.slice(1)), want: /the backup has 3 documents, the server 2/ },
      { row: await prove(null), want: /it isn't there/ },
      { row: await prove(given, { capped: true }), want: /options aren't those/ },
      { row: await prove(given, { invalid: ["broken tree"] }), want: /^broken tree$/ },
      {
        row: await prove(given, { faults: { counts: new Map([["app.a", 9]]) } }),
        want: /counts 9 documents, and hands out 3/,
      },
    ]
  ) {
    assert.equal(row.findings.length, 1, row.findings.join());
    assert.match(row.findings[0]!, want);
  }
});

const operations = [
  { op: "i", ns: "app.a", o: { _id: 4, a: "w" } },
  { op: "u", ns: "app.a", o2: { _id: 2 }, o: { $v: 2, diff: { u: { a: "first" } } } },
  { op: "u", ns: "app.a", o2: { _id: 2 }, o: { $v: 2, diff: { i: { b: new Int32(1) } } } },
  { op: "d", ns: "app.a", o: { _id: 3 } },
];
const replayed = [given[0]!, serialize({ _id: 2, a: "first", b: 1 }), serialize({ _id: 4, a: "w" })];

Deno.test("a proof follows the oplog, and finds where a server made something else of it", async () => {
  const right = await prove(replayed, { operations });
  assert.deepEqual([right.findings, right.unproven, right.proof], [[], [], "replay"]);
  for (
    const { back, want } of [
      { back: given, want: /documents aren't those of the backup with its oplog/ },
      { back: replayed.with(1, serialize({ _id: 2, a: "first" })), want: /documents aren't those/ },
      { back: replayed.slice(0, 2), want: /the backup with its oplog has 3 documents, the server 2/ },
      { back: [...replayed, given[2]!], want: /has 3 documents, the server 4/ },
    ]
  ) {
    const { findings } = await prove(back, { operations });
    assert.equal(findings.length, 1, findings.join());
    assert.match(findings[0]!, want);
  }
});

Deno.test("a proof names what can't be told, and why, also where nothing looks wrong", async () => {
  const odd = { op: "u", ns: "app.a", o2: { _id: 2 }, o: { $v: 1, $set: { a: "first" } } };
  const form = "its documents: the oplog has updates in a form that only the server reads";
  for (const back of [given, given.with(1, serialize({ _id: 2, a: "first" }))]) {
    const { findings, unproven, proof } = await prove(back, { operations: [odd] });
    assert.deepEqual([findings, unproven, proof], [[], [form], "validation"]);
  }
  const nameless = await prove(given, { operations: [{ op: "i", ns: "app.a", o: { a: 1 } }] });
  assert.deepEqual(nameless.findings, []);
  assert.match(nameless.unproven.join(), /^its documents: the oplog has documents without an _id/);
});

Deno.test("a proof of a capped collection is one where it comes out even, and is none where it doesn't", async () => {
  const options = { operations, capped: true, isGivenCapped: true };
  const even = await prove(replayed, options);
  assert.deepEqual([even.findings, even.unproven, even.proof], [[], [], "replay"]);
  const evicted = await prove(replayed.slice(1), options);
  assert.deepEqual([evicted.findings, evicted.proof], [[], "validation"]);
  assert.match(evicted.unproven.join(), /^its documents: it is capped/);
  const untouched = await prove(given.slice(1), { capped: true, isGivenCapped: true });
  assert.match(untouched.findings.join(), /the backup has 3 documents, the server 2/);
});
