import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { findProgram, ThrowawayServer } from "../../backend/mongo/throwaway_server.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { findMongod } from "../lab/mongod_binary.ts";

Deno.test("ThrowawayServer lets nothing expire: what has since the backup is in it all the same", async () => {
  const { path, env } = await findMongod();
  // The lab's older ones need libraries that a rehearsal's environment doesn't lead to.
  if (Object.keys(env).length > 0) return;
  await using scratch = await ScratchFolder.make("throwaway");
  const signal = new AbortController().signal;
  await using server = await ThrowawayServer.start(scratch.path, await findProgram(path), signal);
  await using client = new MongoClient(server.uri.reveal());
  const { ttlMonitorEnabled } = await client.db("admin").command({ getParameter: 1, ttlMonitorEnabled: 1 });
  assert.equal(ttlMonitorEnabled, false);
});
