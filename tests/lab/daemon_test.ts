import assert from "node:assert/strict";
import { until } from "./condition.ts";
import { Daemon, freePort, ScratchFolder } from "./daemon.ts";

/** A server that has a child of its own: `nc` isn't everywhere, Deno is. */
function server(port: number): { program: string; args: string[] } {
  const code = `Deno.serve({ hostname: "127.0.0.1", port: ${port} }, () => new Response("here"));
    new Deno.Command("sleep", { args: ["1000"] }).spawn();`;
  return { program: Deno.execPath(), args: ["eval", code] };
}

async function isAlive(pid: number): Promise<boolean> {
  const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => null);
  return state !== null && !/\) Z /.test(state);
}

async function childOf(pid: number): Promise<number> {
  const list = () => Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).then((text) => text.trim());
  return Number(await until("the daemon's own child", 10_000, list));
}

Deno.test("Daemon.stop ends the server and what it started", async () => {
  await using folder = await ScratchFolder.make("daemon-test");
  const port = freePort();
  const daemon = Daemon.start({ ...server(port), port, logPath: `${folder.path}/log` });
  await daemon.listening();
  const child = await childOf(daemon.pid);
  await daemon.stop(5000);
  assert.equal(await isAlive(daemon.pid), false);
  await until("the end of the daemon's child", 5000, async () => !await isAlive(child));
});

Deno.test("Daemon.listening says what a server that ended at its start has said", async () => {
  await using folder = await ScratchFolder.make("daemon-test");
  const options = {
    program: "sh",
    args: ["-c", "echo no such option; exit 3"],
    logPath: `${folder.path}/log`,
    port: freePort(),
  };
  await assert.rejects(
    Daemon.start(options).listening(),
    /sh ended at its start: exit status 3\nno such option/,
  );
});

Deno.test("a daemon and a scratch folder are gone after their process was killed", async () => {
  const port = freePort();
  const { program, args } = server(port);
  const code = `import { Daemon, ScratchFolder } from ${JSON.stringify(import.meta.resolve("./daemon.ts"))};
    const folder = await ScratchFolder.make("daemon-test");
    const options = { program: ${JSON.stringify(program)}, args: ${JSON.stringify(args)}, port: ${port} };
    const daemon = Daemon.start({ ...options, logPath: folder.path + "/log" });
    await daemon.listening();
    console.log(JSON.stringify({ pid: daemon.pid, path: folder.path }));
    await new Promise(() => setInterval(() => {}, 1000));`;
  const holder = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped" }).spawn();
  const reader = holder.stdout.getReader();
  const { value } = await reader.read();
  const { pid, path } = JSON.parse(new TextDecoder().decode(value));
  assert.equal(await isAlive(pid), true);
  holder.kill("SIGKILL");
  await holder.status;
  await reader.cancel();
  await until("the daemon's end", 5000, async () => !await isAlive(pid));
  await until("the folder's end", 5000, () => Deno.stat(path).then(() => false, () => true));
});
