import assert from "node:assert/strict";
import { serialize } from "bson";
import { proveRestore } from "../../backend/job/proof.ts";
import { Witness } from "../../backend/job/witness.ts";
import { MemorySource, type SourceFaults } from "./memory.ts";
import { MemoryTarget } from "./memory_target.ts";

const given = [{ _id: 1, a: "x" }, { _id: 2, a: "y" }, { _id: 3, a: "x" }].map((one) => serialize(one));
const signal = new AbortController().signal;

/** What a proof finds where those documents were given to a restore, and these are read back. */
async function findings(
  back: readonly Uint8Array[] | null,
  options: { capped?: boolean; faults?: SourceFaults; invalid?: string[]; touch?: boolean } = {},
): Promise<string[]> {
  const witness = new Witness(new MemoryTarget());
  const [collection] = await new MemorySource({ app: [{ name: "a", documents: [] }] }).listCollections("app");
  await witness.create(collection!);
  await witness.write(collection!, Buffer.concat(given));
  if (options.touch && witness.oplog.kind === "server") {
    await witness.oplog.replay.applyOperations(
      serialize({ 0: { op: "i", ns: "app.a", o: { _id: 4 } } }),
      false,
    );
  }
  const databases = back === null
    ? {}
    : { app: [{ name: "a", documents: back, batchDocuments: 2, capped: options.capped ?? false }] };
  const validate = () => Promise.resolve(options.invalid ?? []);
  const rows = await proveRestore(new MemorySource(databases, options.faults), witness, validate, signal);
  return rows.flatMap(({ findings }) => findings);
}

Deno.test("a proof finds nothing where the same documents come back in any order", async () => {
  assert.deepEqual(await findings(given), []);
  assert.deepEqual(await findings(given.toReversed()), []);
});

Deno.test("a proof finds what was changed, lost or added", async () => {
  const changed = given.with(1, serialize({ _id: 2, a: "z" }));
  const doubled = given.with(1, given[0]!);
  for (
    const { found, want } of [
      { found: await findings(changed), want: /documents aren't those of the backup/ },
      { found: await findings(doubled), want: /documents aren't those of the backup/ },
      { found: await findings(given.slice(1)), want: /the backup has 3 documents, the server 2/ },
      { found: await findings(null), want: /it isn't there/ },
      { found: await findings(given, { capped: true }), want: /options aren't those/ },
      { found: await findings(given, { invalid: ["broken tree"] }), want: /^broken tree$/ },
      {
        found: await findings(given, { faults: { counts: new Map([["app.a", 9]]) } }),
        want: /counts 9 documents, and hands out 3/,
      },
    ]
  ) {
    assert.equal(found.length, 1, found.join());
    assert.match(found[0]!, want);
  }
});

Deno.test("a proof doesn't hold what the oplog changed against the data before it", async () => {
  assert.deepEqual(await findings(changedByOplog(), { touch: true }), []);
});

function changedByOplog(): Uint8Array[] {
  return [...given, serialize({ _id: 4 })];
}
