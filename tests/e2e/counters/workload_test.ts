/** The oracle against the servers themselves, which know the past by their snapshots. */

import assert from "node:assert/strict";
import { EJSON } from "bson";
import { MongoClient, Timestamp } from "mongodb";
import { Random } from "../../lab/random.ts";
import { ReplicaSet } from "../../lab/mongod.ts";
import { differences, type State, toText } from "./ledger.ts";
import { Oracle, readState } from "./oracle.ts";
import { databases, Workload } from "./workload.ts";
import { accounts } from "./writers.ts";

Deno.test("the oracle says what a server's own snapshots say", async () => {
  // Each change of a transaction then is an entry of the oplog by itself.
  const extraArgs = ["--setParameter", "maxNumberOfTransactionOperationsInSingleOplogEntry=1"];
  await using set = await ReplicaSet.start({ members: 1, extraArgs });
  await using client = await new MongoClient(set.uri).connect();
  await using workload = await Workload.start(set.uri, 7);
  await workload.grow(1000);
  await workload.stop();
  const { ledger } = workload;
  const oracle = await Oracle.ask(client, ledger, databases);
  const last = oracle.commits.at(-1)!.at;
  assert.equal(oracle.commits.length, ledger.acknowledged);
  assert.deepEqual(differences(await readState(client, databases), oracle.stateAt(last)), []);

  const random = new Random(7);
  for (let round = 0; round < 30 && !set.binary.version.startsWith("4.4"); round++) {
    const at = oracle.commits[100 + random.below(oracle.commits.length - 100)]!.at - BigInt(random.below(2));
    // A collection that was dropped since is in no snapshot, nor is one that was empty.
    const wanted = new Map([...oracle.stateAt(at)].filter(([namespace]) => !namespace.includes(".era-")));
    const found = await readSnapshot(client, [...wanted.keys()], at);
    assert.deepEqual(differences(found, wanted), []);
    assert.equal(sumOf(accounts.namespaces.map((namespace) => found.get(namespace)!)), accounts.balance);
  }
});

function sumOf(collections: readonly ReadonlyMap<string, string>[]): number {
  const documents = collections.flatMap((each) => [...each.values()]);
  return documents.reduce((sum, text) => sum + EJSON.parse(text).n, 0);
}

async function readSnapshot(client: MongoClient, namespaces: readonly string[], at: bigint): Promise<State> {
  const readConcern = { level: "snapshot", atClusterTime: new Timestamp(at) };
  const state = new Map<string, ReadonlyMap<string, string>>();
  for (const namespace of namespaces) {
    const [database = "", find] = namespace.split(".");
    const reply = await client.db(database).command({ find, readConcern, batchSize: 10_000 }, {
      promoteValues: false,
    });
    const { firstBatch } = reply["cursor"];
    state.set(namespace, new Map(firstBatch.map((each: { _id: string }) => [each._id, toText(each)])));
  }
  return state;
}
