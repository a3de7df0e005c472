/** Users and roles in the engine, and what a restore makes of a backup's own choice. */

import assert from "node:assert/strict";
import { backUp, command, concatenated, documents, restore } from "./engine_jobs.ts";
import { MemorySource } from "./memory.ts";
import { MemoryTarget } from "./memory_target.ts";

const users = { name: "system.users", documents: documents(2, 10) };
const sourceWithUsers = () =>
  new MemorySource({ admin: [users], app: [{ name: "a", documents: documents(2, 10) }] }, {}, [users.name]);

Deno.test("runRestore() gathers users, and merges them when everything else is there", async () => {
  const { sink } = await backUp(sourceWithUsers());
  const target = new MemoryTarget();
  const { log } = await restore(sink, target, { options: `${command} drop=yes` });
  assert.deepEqual(target.done.filter((deed) => /users|close/.test(deed)), [
    "check users",
    "discard users",
    "create admin.podheitor_mongodb_users",
    "finish admin.podheitor_mongodb_users",
    "merge users, drop",
    "discard users",
    "close",
  ]);
  assert.equal(target.done.at(-3), "merge users, drop");
  assert.equal(
    concatenated(target.written.get("admin.podheitor_mongodb_users")!),
    concatenated(users.documents),
  );
  assert.ok(
    log.lines.includes("info Left as they are, since the restore itself is logged in with them: admin.me"),
  );
});

Deno.test("runRestore() leaves no gathered user behind when it fails", async () => {
  const { sink } = await backUp(sourceWithUsers());
  const target = new MemoryTarget({ failWrites: true });
  await assert.rejects(restore(sink, target), { code: "restoreWrite" });
  assert.deepEqual(target.done.slice(-2), ["discard users", "close"]);
  assert.ok(!target.done.includes("merge users"));
});

Deno.test("runRestore() takes what a FileSet chooses for the backup's choice, not for the restore's", async () => {
  const scoped = `${command} include=app.*,later.* users=yes`;
  const { sink } = await backUp(sourceWithUsers(), undefined, scoped);
  const names = [...sink.files.keys()].filter((name) => name.includes("/app/"));
  const target = new MemoryTarget();
  await restore(sink, target, { options: scoped, names });
  assert.deepEqual([...target.written.keys()], ["app.a"]);
});
