/** A machine that has too little: memory or open files, amid a job or from its start, through a real Bacula. */

import assert from "node:assert/strict";
import { until } from "../lab/condition.ts";
import { run } from "../lab/command.ts";
import { MemoryGroup } from "../lab/memory_group.ts";
import { type Blow, ChainScene } from "./chain_scene.ts";

/** What else runs on the machine: larger than any backend. */
const neighbourBytes = 600 << 20;

Deno.test("a machine that has too little memory, or opens no more files, amid a job", async (t) => {
  await using resources = new AsyncDisposableStack();
  const group = await MemoryGroup.make();
  if (group !== null) resources.use(group);
  const scene = resources.use(await ChainScene.start());
  const { lab } = scene;
  const { fdPid } = lab;

  const name = group === null
    ? "a signal plays the kernel that kills the backend for want of memory, as no control group can be made here"
    : "the kernel kills the backend for want of memory, neither the File Daemon nor a larger process beside it";
  await t.step(name, async () => {
    await group?.take(fdPid);
    const blow: Blow = async ({ pid }) => {
      assert.equal(Number(await Deno.readTextFile(`/proc/${pid}/oom_score_adj`)), 1000);
      if (group === null) return Deno.kill(pid, "SIGKILL");
      await group.allow(neighbourBytes - (16 << 20));
      await using neighbour = await Neighbour.start(group);
      await until("the kernel's choice", 60_000, async () => await group.kills() > 0);
      assert.ok(neighbour.isRunning, "the kernel took the larger process");
    };
    const { status, log } = await scene.strike("amid the data", "Incremental", blow);
    await group?.allow(null);
    assert.equal(status, "f", log);
    assert.match(
      log,
      /Fatal error: .*MONGO-202 .*killed by signal 9, as the kernel does when memory runs out/,
    );
    assert.equal(await group?.kills() ?? 1, 1);
    assert.equal(lab.fdPid, fdPid);
  });

  await t.step("no file can be opened any more amid the data", async () => {
    const blow: Blow = async ({ pid }) => void await run("prlimit", ["--pid", `${pid}`, "--nofile=4:4"]);
    const { status, log } = await scene.strike("amid the data", "Incremental", blow);
    assert.equal(status, "f", log);
    assert.match(
      log,
      /Fatal error: .*MONGO-\d{3} Cannot .*(EMFILE|Too many open files).*\nHint: .*LimitNOFILE=/,
    );
    assert.doesNotMatch(log, /^\s+at /m);
  });
});

/** A process in a group that takes much memory and then waits. */
class Neighbour implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #running = true;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    child.status.then(() => this.#running = false);
  }

  static async start(group: MemoryGroup): Promise<Neighbour> {
    // tail keeps what it can't yet say: all, as long as there is no line's end.
    const script = 'echo $$ >"$1/cgroup.procs"; { head -c "$2" /dev/zero; cat; } | tail >/dev/null';
    const child = new Deno.Command("sh", {
      args: ["-c", script, "sh", group.path, `${neighbourBytes}`],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    return await Promise.resolve(new Neighbour(child));
  }

  get isRunning(): boolean {
    return this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}
