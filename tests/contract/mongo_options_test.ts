/**
 * Options of collections that a server doesn't take: it says so before anything in it is touched. And those that belong to no one kind of collection.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as bson from "bson";
import type { RestoredCollection } from "../../backend/ports.ts";
import { assertRoundTrip, failsWith, openServer, withoutUuid } from "./mongo_edges.ts";

/** A collection as a manifest describes it, with options that stand in Extended JSON. */
function collectionWith(name: string, options: string): RestoredCollection {
  const namespace = { database: "app", collection: name };
  const metadata = `{"options":${options},"indexes":[],"collectionName":"${name}","type":"collection"}`;
  return { namespace, kind: "collection", data: namespace, metadata };
}

Deno.test("Target.check() names the collection and the option that the server refuses, and leaves nothing behind", async () => {
  await using server = await openServer();
  const { app, target } = server;
  await app.collection<{ _id: number }>("live").insertOne({ _id: 1 });
  const good = [
    "{}",
    '{"capped":true,"size":4096}',
    '{"collation":{"locale":"de"}}',
    '{"temp":true,"flags":1}',
  ];
  const refused = [
    { options: '{"fromTheFuture":{"a":1}}', want: /its option "fromTheFuture": .*unknown field/ },
    { options: '{"capped":true,"size":4096,"collation":{"locale":"xx"}}', want: /its option "collation": / },
    {
      options: '{"storageEngine":{"wiredTiger":{"configString":"no=such"}}}',
      want: /its option "storageEngine": /,
    },
    {
      options: '{"timeseries":{"timeField":"t","inventedSeconds":60}}',
      want: /its option "timeseries": .*unknown field/,
    },
    { options: '{"validator":{"$invented":1}}', want: /its option "validator": .*\$invented/ },
  ];
  await target.check(good.map((options, at) => collectionWith(`good${at}`, options)));
  for (const { options, want } of refused) {
    const all = [...good, options].map((one, at) => collectionWith(`c${at}`, one));
    await assert.rejects(
      target.check(all),
      failsWith("restoreTarget", /^Cannot restore app\.c4: the server refuses /),
    );
    await assert.rejects(target.check(all), failsWith("restoreTarget", want));
  }
  const names = (await app.listCollections().toArray()).map(({ name }) => name);
  assert.deepEqual(names, ["live"]);
  assert.equal(await app.collection("live").countDocuments(), 1);
});

Deno.test("Target makes a collection that was to go at a restart as one that stays", async () => {
  await using server = await openServer();
  const { source, target } = server;
  const temporary = collectionWith("made", '{"temp":true,"flags":1,"recordIdsReplicated":false}');
  await target.create(temporary);
  const [made] = await source.listCollections("app");
  assert.match(withoutUuid(made!), /"options":{}/);
});

Deno.test("Target brings back what belongs to an encrypted collection, byte for byte", async () => {
  await using server = await openServer();
  const { app, source, target, set } = server;
  // Older servers know of no such thing.
  if (Number(set.binary.version.split(".")[0]) < 6) return;
  const name = (kind: string) => `enxcol_.secret.${kind}`;
  const queries = { queryType: "equality", contention: bson.Long.fromNumber(4) };
  await app.command({
    create: "secret",
    encryptedFields: {
      escCollection: name("esc"),
      eccCollection: name("ecc"),
      ecocCollection: name("ecoc"),
      fields: [{ keyId: new bson.UUID(), path: "ssn", bsonType: "string", queries }],
    },
  });
  for (const kind of ["esc", "ecc", "ecoc"]) await app.createCollection(name(kind));
  await app.command({
    insert: "secret",
    documents: [{
      _id: 1,
      ssn: new bson.Binary(Uint8Array.of(7, 1, 2, 3), 6),
      __safeContent__: [new bson.Binary(new Uint8Array(32).fill(5))],
    }],
    bypassDocumentValidation: true,
  });
  await app.collection<{ _id: bson.Binary }>(name("esc")).insertOne({
    _id: new bson.Binary(new Uint8Array(32)),
  });
  await assertRoundTrip(source, target);
  assert.equal(await app.collection("secret").countDocuments(), 1);
});
