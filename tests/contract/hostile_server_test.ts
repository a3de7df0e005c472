/** A server that lies in any field of any reply: a Full of it fails with a sentence, or has every document. */

import assert from "node:assert/strict";
import * as bson from "bson";
import { forEachAtOnce } from "../../backend/parallel.ts";
import { withDeadline } from "./deadline.ts";
import { type Lie, startFakeSet } from "./fake_set.ts";
import { FolderJobs } from "./folder_jobs.ts";

type Path = readonly string[];

/** What stands in a field's place: of every type, and of no sensible size. */
const lies: readonly { name: string; value: unknown }[] = [
  { name: "nothing", value: undefined },
  { name: "null", value: null },
  { name: "-1", value: -1 },
  { name: "NaN", value: NaN },
  { name: "the largest int64", value: bson.Long.MAX_VALUE },
  { name: '"lie"', value: "lie" },
  { name: "a long text", value: "x".repeat(1 << 20) },
  { name: "{}", value: {} },
  { name: "[]", value: [] },
  { name: "true", value: true },
  { name: "a binary", value: new bson.Binary(new Uint8Array(3)) },
];

/** Of each field, so many are told, other ones of the next field. */
const liesEach = 3;
const jobsAtOnce = 6;
const jobPatienceMs = 60_000;

/** What only says what is there, so that nobody can tell a lie of it from another server. */
const undeniable = [
  /^listCollections cursor\.firstBatch = \[\]$/,
  /^(find|getMore) .* cursor\.(first|next)Batch\.\d+\.(_id|text|o|wall|v|msg|ns)/,
  /^getMore things cursor\.nextBatch\.\d+ = \{\}$/,
  // The driver's own business, or waited for as for a set that is behind.
  /^hello lastWrite\..*= (-1|NaN|the largest)/,
  /^hello minWireVersion = nothing$/,
];

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  const isPlain = value instanceof Array || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  if (isPlain) {
    for (const [key, member] of Object.entries(value as object)) yield* pathsOf(member, [...path, key]);
  }
}

function withValue(reply: bson.Document, [key, ...rest]: Path, value: unknown): bson.Document {
  if (key === undefined || !(key in reply)) return reply;
  const copy: bson.Document = reply instanceof Array ? [...reply] : { ...reply };
  if (rest.length > 0) copy[key] = withValue(copy[key] ?? {}, rest, value);
  else if (value === undefined) delete copy[key];
  else copy[key] = value;
  return copy;
}

async function backUp(jobs: FolderJobs, name: string, lie: Lie): Promise<string> {
  await using server = startFakeSet(lie);
  return await jobs.backUp("F", name, `uri=${server.uri}&serverSelectionTimeoutMS=300 database=app`);
}

async function documentsOf(jobs: FolderJobs, name: string): Promise<string> {
  return (await Deno.readFile(`${jobs.folder}/backups/${name}/@mongodb/r/app/things.bson`)).toHex();
}

Deno.test("a cursor that isn't the one asked for, or never ends, fails the job", async (t) => {
  const rows: { name: string; of: string; change: (cursor: bson.Document) => bson.Document }[] = [
    {
      name: "of another collection",
      of: "find things",
      change: (cursor) => ({ ...cursor, ns: "app.others" }),
    },
    {
      name: "that turns into another collection's",
      of: "getMore things",
      change: (cursor) => ({ ...cursor, ns: "app.others" }),
    },
    {
      name: "that turns into another one",
      of: "getMore things",
      change: (cursor) => ({ ...cursor, id: new bson.Long(77) }),
    },
    {
      name: "without an end",
      of: "getMore things",
      change: (cursor) => ({ ...cursor, id: new bson.Long(lastCursorId), nextBatch: [] }),
    },
  ];
  let lastCursorId = 0;
  for (const { name, of, change } of rows) {
    await t.step(name, async () => {
      await using jobs = await FolderJobs.make();
      const job = backUp(jobs, "lied", (command, reply) => {
        if (command === "find things") lastCursorId = Number(reply["cursor"].id);
        return command === of ? { cursor: change(reply["cursor"]) } : reply;
      });
      await assert.rejects(withDeadline(job, name, jobPatienceMs), /MONGO-304 Cannot read .*hasn't the form/);
    });
  }
});

Deno.test("a Full of a server that lies fails with a sentence, or has every document", async () => {
  const replies = new Map<string, bson.Document>();
  await using jobs = await FolderJobs.make();
  await backUp(jobs, "honest", (name, reply) => {
    if (!replies.has(name)) replies.set(name, reply);
    return reply;
  });
  const honest = await documentsOf(jobs, "honest");
  const told = [...replies].flatMap(([name, reply]) =>
    [...pathsOf(reply)].flatMap((path, at) =>
      lies.filter((_, index) => (index + at) % lies.length < liesEach)
        .map((lie) => ({ name, path, lie, said: `${name} ${path.join(".")} = ${lie.name}` }))
    )
  ).filter(({ said }) => !undeniable.some((pattern) => pattern.test(said)));
  assert.ok(told.length > 200, String(told.length));
  const wrong: string[] = [];
  // What the driver throws where nobody can catch it ends the backend with a sentence, `backend/main.ts`; here, the job goes on and is judged.
  const prevent = (event: PromiseRejectionEvent) => event.preventDefault();
  globalThis.addEventListener("unhandledrejection", prevent);
  await forEachAtOnce(told, jobsAtOnce, async ({ name, path, lie, said }) => {
    await using own = await FolderJobs.make();
    const job = backUp(
      own,
      "lied",
      (of, reply) => of === name ? withValue(reply, path, lie.value) : reply,
    );
    const failure = await withDeadline(job.then(() => null, String), said, jobPatienceMs).catch(String);
    if (failure === null) {
      if (await documentsOf(own, "lied").catch(() => "nothing") !== honest) {
        wrong.push(`${said}: succeeds with other documents`);
      }
    } else if (
      !/MONGO-(?!901)\d+ /.test(failure) ||
      /MONGO-\d+ .*(not a function|undefined|\[object|is not iterable|Cannot read prop)/.test(failure)
    ) {
      wrong.push(
        `${said}: ${failure.split("\n").find((line) => line.includes("MONGO-")) ?? failure.slice(0, 300)}`,
      );
    }
  });
  globalThis.removeEventListener("unhandledrejection", prevent);
  assert.deepEqual(wrong, []);
});

Deno.test("a reply that breaks the driver ends the backend with a sentence, and no stack", async () => {
  await using jobs = await FolderJobs.make();
  await using server = startFakeSet((name, reply) => name === "hello" ? { ...reply, hosts: true } : reply);
  const main = new URL("../../backend/main.ts", import.meta.url).pathname;
  const command = `podheitor-mongodb: uri=${server.uri}&serverSelectionTimeoutMS=300 sign=no`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      main,
      "backup",
      "--to",
      `${jobs.folder}/to`,
      "--working-dir",
      jobs.folder,
      command,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stderr);
  assert.equal(code, 1, said);
  assert.match(said, /^MONGO-\d+ /);
  assert.doesNotMatch(said, /^\s+at /m);
});
