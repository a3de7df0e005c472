/** When a restore brings users and roles, and what a plan makes of them. */

import assert from "node:assert/strict";
import {
  dataFiles,
  full,
  job,
  plan,
  type Request,
  root,
  sliceOf,
} from "../../tests/contract/planned_chain.ts";
import type { OpenedManifest } from "../manifest/reader.ts";
import { formatNamespace } from "../namespace.ts";
import { parseNamespace } from "../namespace.ts";
import { targetsOf } from "./plan_report.ts";
import { refuseUnmatched } from "./restore_patterns.ts";

const names = ["roles", "users", "version"].map((one) => `system.${one}`);
const userFiles = names.flatMap((name) => [`admin/${name}.metadata.json`, `admin/${name}.bson`]);

/** A Full with users, and one whose scope says so but whose server had none. */
function fullWith(collections: readonly string[]): OpenedManifest {
  const made = job(
    "Full",
    sliceOf("Full", { from: 100, to: 110, pieces: [[101, 105]], touches: ["admin.system.users"] }),
    null,
  );
  const admin = { name: "admin", collections: collections.map(userCollection) };
  const scope = { databases: ["*"], include: [], exclude: [], users: true };
  return { ...made, manifest: { ...made.manifest, scope, databases: [admin, ...made.manifest.databases] } };
}

function userCollection(name: string) {
  const object = { size: 10, blake3: "0".repeat(64) };
  const path = `${root}/admin/${name}`;
  return {
    name,
    kind: "collection" as const,
    data: { database: "admin", collection: name },
    uuid: null,
    metadata: `{"options":{},"indexes":[],"collectionName":"${name}"}`,
    metadataObject: { ...object, path: `${path}.metadata.json` },
    documents: 1,
    bytes: 10,
    segments: [{ ...object, path: `${path}.bson`, documents: 1 }],
  };
}

const piece = "oplog.Full/101_105.bson";
const all = [...dataFiles, ...userFiles, piece];
const withUsers = { jobs: [fullWith(names)] };

const plans: readonly { name: string; request: Request; users: boolean }[] = [
  { name: "everything", request: { selected: all }, users: true },
  { name: "everything, without", request: { selected: all, users: "no" }, users: false },
  { name: "no file of theirs", request: { selected: dataFiles }, users: false },
  { name: "theirs alone", request: { selected: [...userFiles, piece] }, users: true },
  { name: "a part by patterns", request: { selected: all, include: ["app.*"] }, users: false },
  { name: "all but a part by patterns", request: { selected: all, exclude: ["app.a"] }, users: false },
  {
    name: "under other names",
    request: { selected: all, ns_from: ["app.*"], ns_to: ["copy.*"] },
    users: false,
  },
  {
    name: "a part by patterns, and users",
    request: { selected: all, include: ["app.*"], users: "yes" },
    users: true,
  },
  {
    name: "a server without any, whole",
    request: { jobs: [fullWith([])], selected: [...dataFiles, piece] },
    users: true,
  },
  {
    name: "a server without any, a part",
    request: { jobs: [fullWith([])], selected: ["app/b.bson", piece] },
    users: false,
  },
];

Deno.test("planRestore() takes users and roles as their files and the options mean", () => {
  for (const { name, request, users } of plans) {
    const made = plan({ ...withUsers, ...request });
    assert.equal(made.users, users, name);
    assert.equal(made.selection.accepts(parseNamespace("admin.system.users")), users, name);
    // What they were changed by is needed for them, and for nothing else.
    assert.equal(made.slices.size, users ? 1 : 0, name);
    const planned = made.collections.map(({ source }) => formatNamespace(source)).filter((one) =>
      one.startsWith("admin.")
    );
    assert.deepEqual(
      planned,
      users && request.jobs === undefined ? ["admin.system.roles", "admin.system.users"] : [],
      name,
    );
  }
});

Deno.test("planRestore() takes what the oplog makes later with all of the data, whether users are marked or not", () => {
  const isTaken = (selected: readonly string[]) =>
    plan({ ...withUsers, selected }).selection.accepts(parseNamespace("app.later"));
  assert.deepEqual([isTaken(all), isTaken([...dataFiles, piece]), isTaken([...userFiles, piece])], [
    true,
    true,
    false,
  ]);
});

Deno.test("planRestore() gathers users in a server, and leaves them their names in a directory", () => {
  const inServer = plan({ ...withUsers, selected: all });
  const gathered = inServer.collections.filter(({ source }) => source.database === "admin");
  assert.deepEqual(gathered.map(({ namespace }) => formatNamespace(namespace)), [
    "admin.podheitor_mongodb_roles",
    "admin.podheitor_mongodb_users",
  ]);
  assert.match(gathered[0]!.metadata, /"collectionName":"podheitor_mongodb_roles"/);
  // Nothing of them may be dropped, or be in the way.
  assert.ok(targetsOf(inServer).every(({ namespace }) => namespace.database !== "admin"));
  const inDirectory = plan({ ...withUsers, selected: all, into: "directory" });
  assert.deepEqual(
    inDirectory.collections.map(({ namespace }) => formatNamespace(namespace)).filter((one) =>
      one.startsWith("admin.")
    ),
    names.map((name) => `admin.${name}`),
  );
  assert.ok(inDirectory.selection.keepsNames);
});

Deno.test("planRestore() refuses users that are asked for and don't come", () => {
  assert.throws(() => plan({ ...withUsers, selected: dataFiles, users: "yes" }), {
    code: "objectMissing",
    message: /admin\/system\.roles\.bson, .*admin\/system\.users\.bson, .*did not come/,
  });
  assert.throws(() => plan({ ...withUsers, selected: ["admin/system.users.bson", piece] }), {
    code: "objectMissing",
    message: /admin\/system\.roles\.bson did not come/,
  });
  assert.throws(() => plan({ users: "yes" }), { code: "restoreRequest", message: /made without them/ });
});

Deno.test("planRestore() takes nothing that the backup's own scope left out", () => {
  const { manifest } = full;
  const scope = { ...manifest.scope, include: ["app.a", "app.new*"], exclude: ["app.new_x"] };
  const { selection } = plan({
    jobs: [{ ...full, manifest: { ...manifest, scope } }],
    selected: [...dataFiles, "oplog.Full/101_105.bson", "oplog.Full/106_109.bson"],
  });
  const taken = ["app.a", "app.new", "app.new_x", "app.b", "other.a"].map((name) =>
    selection.accepts(parseNamespace(name))
  );
  assert.deepEqual(taken, [true, true, false, false, false]);
});

Deno.test("refuseUnmatched() refuses a pattern that fits nothing of any job", () => {
  const views = job(
    "Full",
    sliceOf("Full", { from: 100, to: 110, pieces: [], touches: ["shop.system.views"] }),
    null,
  );
  for (const include of [[], ["app.a"], ["app.*", "other.*"], ["*.*"], ["shop.later"]]) {
    refuseUnmatched(include, [full, views]);
  }
  const refused = [
    { include: ["app.c"], named: "app\\.c" },
    { include: ["app.a", "ap.*", "*.z"], named: "ap\\.\\*,\\*\\.z" },
  ];
  for (const { include, named } of refused) {
    assert.throws(() => refuseUnmatched(include, [full]), {
      code: "restoreRequest",
      message: new RegExp(
        `include=${named}: the jobs have no collection that fits; they were made with database=\\* users=no`,
      ),
    });
  }
});
