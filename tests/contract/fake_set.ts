/**
 * A fake replica set of one member, with one collection and a short oplog, whose every reply can be made a lie.
 *
 * @module
 */

import * as bson from "bson";
import { FakeServer } from "./fake_server.ts";

const namespace = "app.things";
const collectionId = new bson.UUID("00112233445566778899aabbccddeeff");
const now = (i: number) => new bson.Timestamp({ t: 1_700_000_000, i });
const at = new Date(1_700_000_000_000);

/** Documents of the collection, and how many of them come with a reply. */
const documents = Array.from({ length: 6 }, (_, _id) => ({ _id, text: `document ${_id}` }));
const perBatch = 3;

const entries = [1, 2, 3].map((i) => ({
  op: "n",
  ns: "",
  o: { msg: "periodic noop" },
  ts: now(i),
  t: new bson.Long(1),
  v: new bson.Long(2),
  wall: at,
}));
const optime = { ts: now(3), t: new bson.Long(1) };

/** Changes a reply before it is sent; `name` is the command's, with the collection where it reads one. */
export type Lie = (name: string, reply: bson.Document) => bson.Document;

/** Starts the set. */
export function startFakeSet(lie: Lie): FakeServer {
  const server: FakeServer = new FakeServer(
    Object.fromEntries(
      Object.entries(honest).map(([command, answer]) => [command, (asked: bson.Document) => {
        const of = typeof asked[command] === "string"
          ? ` ${asked[command]}`
          : asked["collection"] === undefined
          ? ""
          : ` ${asked["collection"]}`;
        return lie(`${command}${of}`, answer(asked, new URL(server.uri).host));
      }]),
    ) as ConstructorParameters<typeof FakeServer>[0],
  );
  return server;
}

const honest: Record<string, (asked: bson.Document, host: string) => bson.Document> = {
  hello: (_, host) => ({
    isWritablePrimary: true,
    secondary: false,
    setName: "rs0",
    setVersion: 1,
    hosts: [host],
    primary: host,
    me: host,
    lastWrite: { opTime: optime, majorityOpTime: optime, lastWriteDate: at, majorityWriteDate: at },
    maxBsonObjectSize: 16 << 20,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0,
    maxWireVersion: 17,
  }),
  ping: () => ({}),
  endSessions: () => ({}),
  killCursors: () => ({}),
  refreshSessions: () => ({}),
  buildInfo: () => ({ version: "6.0.5" }),
  getParameter: () => ({ featureCompatibilityVersion: { version: "6.0" } }),
  replSetGetStatus: (_, host) => ({
    set: "rs0",
    members: [{ _id: 0, name: host, health: 1, stateStr: "PRIMARY", optimeDate: at, self: true }],
  }),
  replSetGetConfig: (_, host) => ({
    config: {
      _id: "rs0",
      members: [{ _id: 0, host }],
      settings: { replicaSetId: new bson.ObjectId("0123456789abcdef01234567") },
    },
  }),
  serverStatus: () => ({ repl: { rbid: 1 } }),
  listDatabases: () => ({ databases: [{ name: "admin" }, { name: "app" }, { name: "local" }] }),
  listCollections: ({ $db }) => ({
    cursor: {
      id: bson.Long.ZERO,
      ns: `${$db}.$cmd.listCollections`,
      firstBatch: $db !== "app" ? [] : [{
        name: "things",
        type: "collection",
        options: {},
        info: { uuid: collectionId, readOnly: false },
      }],
    },
  }),
  listIndexes: () => ({
    cursor: { id: bson.Long.ZERO, ns: namespace, firstBatch: [{ v: 2, key: { _id: 1 }, name: "_id_" }] },
  }),
  count: () => ({ n: documents.length }),
  dataSize: () => ({ size: 200, numObjects: documents.length }),
  dbStats: () => ({ dataSize: 200 }),
  collStats: () => ({ size: 300, maxSize: 1 << 30 }),
  aggregate: () => ({ cursor: { id: bson.Long.ZERO, ns: namespace, firstBatch: [{ n: documents.length }] } }),
  find,
  getMore,
};

/** Cursors with what is left of them. Their ids are those of all sets in this process. */
const cursors = new Map<number, readonly bson.Document[]>();
let lastCursor = 0;

function find({ find, sort, filter, batchSize, $db }: bson.Document): bson.Document {
  const ns = `${$db}.${find}`;
  const bounds = filter?.ts ?? {};
  const fitting = find === "things"
    ? documents
    : find !== "oplog.rs"
    ? []
    : entries.filter(({ ts }) =>
      (bounds.$gte === undefined || ts.gte(bounds.$gte)) &&
      (bounds.$lte === undefined || ts.lte(bounds.$lte)) &&
      (bounds.$lt === undefined || ts.lt(bounds.$lt)) && (bounds.$gt === undefined || ts.gt(bounds.$gt)) &&
      filter?.op === undefined
    );
  if (batchSize !== 0) {
    const firstBatch = sort?.$natural === -1 ? [...fitting].reverse() : fitting;
    return { cursor: { id: bson.Long.ZERO, ns, firstBatch } };
  }
  cursors.set(++lastCursor, fitting);
  return { cursor: { id: new bson.Long(lastCursor), ns, firstBatch: [] } };
}

function getMore({ getMore, collection, $db }: bson.Document): bson.Document {
  const left = cursors.get(Number(getMore)) ?? [];
  cursors.set(Number(getMore), left.slice(perBatch));
  const id = left.length > perBatch ? new bson.Long(Number(getMore)) : bson.Long.ZERO;
  return { cursor: { id, ns: `${$db}.${collection}`, nextBatch: left.slice(0, perBatch) } };
}
