import assert from "node:assert/strict";
import {
  dataFiles,
  everything,
  full,
  job,
  oplogFiles,
  plan,
  type Request,
  root,
  sliceOf,
  standalone,
  two,
} from "../../tests/contract/planned_chain.ts";
import { formatNamespace } from "../namespace.ts";

const without = (...names: string[]) => everything.filter((name) => !names.includes(name));
const only = (
  pattern: RegExp,
  ...more: string[]
) => [...dataFiles.filter((name) => pattern.test(name)), ...more];

const plans: readonly {
  name: string;
  request: Request;
  collections: string[];
  slices: string[];
  limit?: { t: number; i: number } | null;
  next?: { t: number; i: number } | null;
}[] = [
  {
    name: "all of a chain",
    request: {},
    collections: ["app.a", "app.b", "app.empty", "app.v", "other.c"],
    slices: oplogFiles,
  },
  {
    name: "the manifests' files don't matter",
    request: { selected: [...dataFiles, ...oplogFiles] },
    collections: ["app.a", "app.b", "app.empty", "app.v", "other.c"],
    slices: oplogFiles,
  },
  {
    name: "up to an instant in the middle of a piece",
    request: { pit: "122" },
    collections: ["app.a", "app.b", "app.empty", "app.v", "other.c"],
    slices: oplogFiles.slice(0, 4),
    limit: { t: 122, i: 0xffff_ffff },
    next: { t: 125, i: 1 },
  },
  {
    name: "an instant that needs less, with less",
    request: { pit: "112:1", selected: without("oplog.Inc2/121_124.bson", "oplog.Inc2/125_130.bson") },
    collections: ["app.a", "app.b", "app.empty", "app.v", "other.c"],
    slices: oplogFiles.slice(0, 3),
    limit: { t: 112, i: 1 },
    next: { t: 121, i: 1 },
  },
  {
    name: "include",
    request: { include: ["app.*"], exclude: ["app.b"] },
    collections: ["app.a", "app.empty", "app.v"],
    slices: oplogFiles,
  },
  {
    name: "include of what the oplog made",
    request: { include: ["other.new"] },
    collections: [],
    slices: oplogFiles,
  },
  {
    name: "files of one collection that no slice touches: no oplog needed",
    request: { selected: only(/other\/c/) },
    collections: ["other.c"],
    slices: [],
  },
  {
    name: "an excluded collection needs no file",
    request: { exclude: ["other.c"], selected: without("other/c.bson") },
    collections: ["app.a", "app.b", "app.empty", "app.v"],
    slices: oplogFiles,
  },
  {
    name: "files of one collection that a slice touches, with the oplog",
    request: { selected: only(/app\/b/, ...oplogFiles) },
    collections: ["app.b"],
    slices: oplogFiles,
  },
  {
    name: "a segment without its metadata, which the manifest has",
    request: { selected: ["other/c.bson"] },
    collections: ["other.c"],
    slices: [],
  },
  {
    name: "a standalone server's Full",
    request: { jobs: [standalone], selected: dataFiles },
    collections: ["app.a", "app.b", "app.empty", "app.v", "other.c"],
    slices: [],
    limit: null,
  },
];

Deno.test("planRestore() takes the collections, pieces and instant that the files and options mean", () => {
  for (const row of plans) {
    const made = plan(row.request);
    const { name } = row;
    assert.deepEqual(made.collections.map(({ source }) => formatNamespace(source)), row.collections, name);
    assert.deepEqual([...made.slices.keys()], row.slices.map((path) => `${root}/${path}`), name);
    assert.deepEqual(
      made.limit === null ? null : { t: made.limit.t, i: made.limit.i },
      row.limit === undefined ? { t: 130, i: 1 } : row.limit,
      name,
    );
    assert.deepEqual(made.nextEntry, row.next ?? null, name);
    assert.equal(made.resource, "rs0");
  }
});

const refusals: readonly { name: string; request: Request; code: string; message: RegExp; hint?: RegExp }[] =
  [
    {
      name: "a segment is missing",
      request: { selected: without("app/a.bson.00001") },
      code: "objectMissing",
      message: /app\/a\.bson\.00001 did not come/,
      hint: /mark \/@mongodb\/rs0\/app\/a\.bson\*/,
    },
    {
      name: "a piece of the oplog is missing",
      request: { selected: without("oplog.Inc1/112_119.bson") },
      code: "objectMissing",
      message: /oplog\.Inc1\/112_119\.bson did not come/,
      hint: /mark \/@mongodb\/rs0\/oplog\.\*/,
    },
    {
      name: "a touched collection without the oplog",
      request: { selected: only(/app\/b/) },
      code: "objectMissing",
      message: /oplog\.Full\/101_105\.bson, .*did not come/,
    },
    {
      name: "a view by its file, where views changed",
      request: {
        jobs: [
          job(
            "Full",
            sliceOf("Full", { from: 100, to: 110, pieces: [[101, 105]], touches: ["app.system.views"] }),
            null,
          ),
        ],
        selected: only(/app\/v/),
      },
      code: "objectMissing",
      message: /oplog\.Full\/101_105\.bson did not come/,
    },
    {
      name: "a file that no manifest lists",
      request: { selected: [...everything, "app/foreign.bson"] },
      code: "objectMismatch",
      message: /app\/foreign\.bson: the signed manifest lists no such object/,
    },
    {
      name: "a job is missing",
      request: { jobs: [full, two] },
      code: "chainBroken",
      message: /continues Inc1/,
    },
    {
      name: "an instant before the Full's end",
      request: { pit: "109" },
      code: "pointInTime",
      message: /110/,
    },
    { name: "an instant behind the last job", request: { pit: "131" }, code: "pointInTime", message: /130/ },
    {
      name: "an instant without an oplog",
      request: { jobs: [standalone], selected: dataFiles, pit: "105" },
      code: "pointInTime",
      message: /standalone server/,
    },
  ];

Deno.test("planRestore() refuses what can't be restored whole", () => {
  for (const { name, request, code, message, hint = /./ } of refusals) {
    assert.throws(() => plan(request), { code, message, hint }, name);
  }
});

Deno.test("planRestore() wants nothing of what was abandoned, and refuses other names all the same", () => {
  const [app, other] = full.manifest.databases;
  const [a, ...more] = app!.collections;
  const abandoned = { ...a!, abandoned: [`${root}/app/a.bson.00002`] };
  const manifest = {
    ...full.manifest,
    databases: [{ ...app!, collections: [abandoned, ...more] }, other!],
  };
  const jobs = [{ ...full, manifest }];
  const files = [...dataFiles, "oplog.Full/101_105.bson", "oplog.Full/106_109.bson"];
  const made = plan({ jobs, selected: [...files, "app/a.bson.00002"] });
  const usual = plan({ jobs, selected: files });
  assert.deepEqual([made.objects, made.slices], [usual.objects, usual.slices]);
  assert.ok(!made.objects.has(`${root}/app/a.bson.00002`));
  assert.throws(() => plan({ jobs, selected: [...files, "app/a.bson.00003"] }), { code: "objectMismatch" });
});

Deno.test("planRestore() takes views from the oplog where nothing but views changed", () => {
  const jobs = [
    job(
      "Full",
      sliceOf("Full", { from: 100, to: 110, pieces: [[101, 105]], touches: ["app.system.views"] }),
      null,
    ),
  ];
  const selected = [...dataFiles, "oplog.Full/101_105.bson"];
  for (const include of [["app.v"], ["app.made_later"], ["*"]]) {
    assert.equal(plan({ jobs, selected, include }).slices.size, 1, include[0]);
  }
  assert.equal(plan({ jobs, selected: only(/app\/b/) }).slices.size, 0);
});

Deno.test("planRestore() renames collections, and their files are still those of the backup", () => {
  const made = plan({ ns_from: ["app.*"], ns_to: ["copy.x_*"] });
  assert.deepEqual(made.collections.map(({ namespace }) => formatNamespace(namespace)), [
    "copy.x_a",
    "copy.x_b",
    "copy.x_empty",
    "copy.x_v",
    "other.c",
  ]);
  assert.ok(made.objects.has(`${root}/app/a.bson`));
});
