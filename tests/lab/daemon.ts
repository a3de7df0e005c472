/**
 * Server processes and scratch folders that do not outlive this process, whatever way it ends.
 *
 * @module
 */

import { lastLines } from "./command.ts";
import { until } from "./condition.ts";

/** How a {@linkcode Daemon} is started. */
export interface DaemonOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to this process's own environment. */
  readonly env?: Record<string, string>;
  /** Where both outputs are appended. */
  readonly logPath: string;
  /** The port of 127.0.0.1 where it will listen. */
  readonly port: number;
}

/** A server that runs in the foreground as our child, in a session of its own. */
export class Daemon {
  readonly #child: Deno.ChildProcess;
  readonly #options: DaemonOptions;
  #running = true;

  private constructor(child: Deno.ChildProcess, options: DaemonOptions) {
    this.#child = child;
    this.#options = options;
    child.status.then(() => this.#running = false);
  }

  /** Starts the server; it isn't listening yet. */
  static start(options: DaemonOptions): Daemon {
    // The kernel kills it when the thread that started it is gone: setpriv(1) asks for that before it becomes the server.
    const script = 'log=$1; shift; exec setpriv --pdeathsig KILL -- "$@" >>"$log" 2>&1';
    const child = new Deno.Command("sh", {
      args: ["-c", script, "sh", options.logPath, options.program, ...options.args],
      env: options.env ?? {},
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    return new Daemon(child, options);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Resolves when the server listens at its port. */
  async listening(deadlineMs = 30_000): Promise<void> {
    const { program, port, logPath } = this.#options;
    await until(`${program} to listen at port ${port}; see ${logPath}`, deadlineMs, async () => {
      if (!this.#running) {
        const { code, signal } = await this.#child.status;
        const said = lastLines(await Deno.readTextFile(logPath).catch(() => ""), 20);
        throw new Error(`${program} ended at its start: ${signal ?? `exit status ${code}`}\n${said}`);
      }
      return await isListening(port);
    });
  }

  /** Sends a signal; resolves when the process is gone where the signal ends it. */
  async kill(signal: Deno.Signal): Promise<void> {
    if (this.#running) this.#child.kill(signal);
    if (signal !== "SIGSTOP" && signal !== "SIGCONT") await this.#child.status;
  }

  /** Ends the server by SIGTERM, after `patienceMs` by SIGKILL, and then whatever it started and left behind. */
  async stop(patienceMs: number): Promise<void> {
    if (this.#running && patienceMs > 0) {
      this.#child.kill("SIGTERM");
      const timer = setTimeout(() => this.#running && this.#child.kill("SIGKILL"), patienceMs);
      await this.#child.status;
      clearTimeout(timer);
    }
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    }
    await this.#child.status;
  }
}

/** A folder for data that is removed with everything in it. */
export class ScratchFolder implements AsyncDisposable {
  readonly path: string;
  readonly #guard: Deno.ChildProcess;

  private constructor(path: string, guard: Deno.ChildProcess) {
    this.path = path;
    this.#guard = guard;
  }

  /** Makes an empty folder below the system's folder for temporary files. */
  static async make(purpose: string): Promise<ScratchFolder> {
    const path = await Deno.makeTempDir({ prefix: `podheitor-${purpose}-` });
    // The guard removes the folder at the end of its input, which comes with our own end, however sudden that is.
    const guard = new Deno.Command("sh", {
      args: ["-c", 'read -r _; until rm -rf -- "$1"; do sleep 0.1; done 2>/dev/null', "sh", path],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    return new ScratchFolder(path, guard);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard.stdin.close();
    await this.#guard.status;
  }
}

/** A port of 127.0.0.1 where nobody listens, outside the range that the kernel gives to outgoing connections. */
export function freePort(): number {
  while (true) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (cause) {
      if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    }
  }
}

/**
 * Whether somebody listens at a port of 127.0.0.1. It looks at the kernel's table: to Bacula's daemons, a connection without a word is a
 * failed login.
 */
async function isListening(port: number): Promise<boolean> {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return (await Deno.readTextFile("/proc/net/tcp")).includes(` ${address} 00000000:0000 0A `);
}
