/** What the doctor says of the way to a server, and of the jobs so far. */

import assert from "node:assert/strict";
import { backUpToFolder } from "../../backend/commands/standalone.ts";
import { TerminalListener } from "../../backend/commands/terminal.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { withFolder } from "../lab/folder.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { makeCertificates, tlsArguments } from "./certificates.ts";
import { ask, assertStatus, say } from "./doctor_report.ts";

Deno.test("examine() of a server with TLS, and of one alone and open", async (t) => {
  await using folder = await ScratchFolder.make("doctor");
  await makeCertificates(folder.path);
  await using server = await ReplicaSet.standalone({
    extraArgs: tlsArguments(folder.path, "server", "preferTLS"),
  });
  const base = `${server.uri}${server.uri.includes("?") ? "&" : "?"}`;
  const ca = `tls=true&tlsCAFile=${folder.path}`;

  await t.step("a good certificate, and one of an authority that nobody knows", async () => {
    const good = await ask({ command: `uri=${base}${ca}/ca.pem` });
    assertStatus(good, { tls: "ok", login: "warning", privileges: "ok", server: "ok", member: "warning" });
    assert.match(say(good, "tls"), /over TLS, its certificate is good/);
    assert.match(say(good, "login"), /asks nobody for a login: .*security\.authorization/);
    assertStatus(good, { oplog_window: "skipped", continuation: "skipped" });
    const bad = await ask({ command: `uri=${base}${ca}/other.pem` });
    assertStatus(bad, { port: "ok", tls: "error", login: "skipped" });
    assert.match(say(bad, "tls"), /301 .*(certificate|issuer)/i);
  });

  await t.step("settings that let anybody be the server, a client's key that others can read", async () => {
    await Deno.chmod(`${folder.path}/client.pem`, 0o644);
    const lax = await ask({
      command: `uri=${base}tls=true&tlsInsecure=true&tlsCertificateKeyFile=${folder.path}/client.pem`,
    });
    assertStatus(lax, { tls: "warning", secrets: "warning" });
    assert.match(say(lax, "tls"), /tlsInsecure=true in the connection string/);
    assert.match(say(lax, "secrets"), /client\.pem, .* has mode 0644.* -> Run: chmod 0600/);
    const missing = await ask({
      command: `uri=${base}${ca}/ca.pem&tlsCertificateKeyFile=/nowhere.pem`,
    });
    assertStatus(missing, { secrets: "error" });
  });

  await t.step("a clock that isn't the server's", async () => {
    using _time = shiftClock(-60_000);
    const report = await ask({ command: `uri=${server.uri}` });
    assertStatus(report, { clock: "warning" });
    assert.match(say(report, "clock"), /The server's clock is (59|60)\.\d s ahead of this machine's/);
  });

  await t.step("something else that listens on the port", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const closing = (async () => {
      for await (const connection of listener) connection.close();
    })();
    const report = await ask({ command: `uri=mongodb://127.0.0.1:${listener.addr.port}/` });
    assertStatus(report, { port: "ok", tls: "error", login: "skipped" });
    listener.close();
    await closing;
  });
});

/** Has this process tell another time. */
function shiftClock(byMs: number): Disposable {
  const { now } = Date;
  Date.now = () => now() + byMs;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}

Deno.test("examine() follows the jobs of a working directory", async (t) => {
  await using set = await ReplicaSet.start({ members: 1 });
  await withFolder(async (folder) => {
    const backUp = async (level: "F" | "I", jobName: string, previousJobName?: string) =>
      await backUpToFolder({
        pluginCommand: `podheitor-mongodb: uri=${set.uri} sign=no`,
        to: `${folder}/backups`,
        level,
        jobName,
        previousJobName,
        workingDirectory: folder,
        listener: new TerminalListener(true),
        signal: new AbortController().signal,
      });
    const look = (more = "") => ask({ command: `uri=${set.uri} ${more}`, workingDirectory: folder });

    await t.step("before the first one", async () => {
      assertStatus(await look(), { last_job: "warning", chain: "skipped", continuation: "skipped" });
    });

    await t.step("a Full and an Incremental", async () => {
      await backUp("F", "full");
      await backUp("I", "inc", "full");
      const report = await look();
      assertStatus(report, { last_job: "ok", chain: "ok", continuation: "ok" });
      // The jobs' own interval; a set that was just made has no oplog to speak of.
      assert.match(say(report, "oplog_window"), /The oplog of .* reaches back/);
      assert.doesNotMatch(say(report, "oplog_window"), /isn't known/);
      assert.match(say(report, "last_job"), /inc ended \d+ s ago: success/);
      assert.match(say(report, "chain"), /full and 1 job behind it make a chain up to \d+\.\d+/);
      assert.match(say(report, "continuation"), /would continue inc at .*, which 127\.0\.0\.1:\d+ has/);
    });

    await t.step("what is known of it while the server is away", async () => {
      const away = { command: `uri=mongodb://127.0.0.1:1/`, workingDirectory: folder };
      assertStatus(await ask(away), { last_job: "skipped", chain: "skipped", continuation: "skipped" });
      const named = await ask({ ...away, command: `${away.command} resource=rs0` });
      assertStatus(named, { port: "error", last_job: "ok", chain: "ok", continuation: "skipped" });
    });

    await t.step("another scope", async () => {
      const report = await look("exclude=app.x");
      assertStatus(report, { continuation: "error" });
      assert.match(say(report, "continuation"), /403 .*the FileSet says .* -> Run a Full/);
    });

    await t.step("a place that the oplog doesn't have", async () => {
      const path = `${folder}/podheitor-mongodb-rs0-tip.json`;
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replaceAll(/"t": \d+/g, '"t": 1000000000'));
      assert.match(say(await look(), "continuation"), /error 402 .*Cannot continue the oplog chain/);
      await Deno.writeTextFile(path, "{");
      assertStatus(await look(), { chain: "error", continuation: "skipped" });
      await Deno.writeTextFile(path, text);
    });

    await t.step("a job that failed, one that is at work, statistics that can't be read", async () => {
      await assert.rejects(backUp("I", "inc2", "lost"));
      const failed = await look();
      assertStatus(failed, { last_job: "warning", continuation: "ok" });
      assert.match(say(failed, "last_job"), /inc2 ended .*failed, MONGO-403/);
      await Deno.writeTextFile(`${folder}/podheitor-mongodb-rs0-tip.json.lock`, "job inc3, process 17\n");
      assert.match(say(await look(), "last_job"), /warning .*inc3 is at work on "rs0" \(process 17\)/);
      await Deno.writeTextFile(`${folder}/podheitor-mongodb-rs0-stats.json`, "{");
      assert.match(say(await look(), "last_job"), /error 702 /);
    });
  });
});
