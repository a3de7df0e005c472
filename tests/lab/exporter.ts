/**
 * An exporter from the sources or as it was built, with the permissions that it is installed with.
 *
 * @module
 */

import { compileLauncher } from "../../packaging/launcher.ts";
import { until } from "./condition.ts";
import { ensureTools } from "./tools.ts";

const checkout = new URL("../..", import.meta.url).pathname;
const fromSources = { module: `${checkout}exporter/main.ts`, config: `${checkout}deno.json` };

/** Path of the launcher, which is compiled once. */
let launcher: Promise<string> | undefined;

async function compileFromSources(): Promise<string> {
  await ensureTools(["gcc", "musl"]);
  const folder = await Deno.makeTempDir({ prefix: "podheitor-launcher-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const path = `${folder}/podheitor-mongodb-exporter`;
  await compileLauncher("exporter", path, { deno: Deno.execPath(), ...fromSources });
  return path;
}

/** How an exporter is started. */
interface ExporterOptions {
  /** Further arguments. */
  readonly more?: readonly string[];
  /** Path of one that was built. */
  readonly built?: string;
  /** How long it may take until its port is open. */
  readonly patienceMs?: number;
}

/** A running exporter. */
export class Exporter implements AsyncDisposable {
  /** Lines of its log. */
  readonly said: string[] = [];
  /** `http://127.0.0.1:PORT`, or with `https`. */
  url = "";
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#listen();
  }

  /** Starts one on a free port of 127.0.0.1, and waits until that is open. */
  static async start(
    workingDirectory: string,
    { more = [], built, patienceMs = 60_000 }: ExporterOptions = {},
  ): Promise<Exporter> {
    const args = ["--listen=127.0.0.1:0", `--working-dir=${workingDirectory}`, ...more];
    const exporter = await Exporter.spawn(args, built);
    exporter.url = await until("the exporter to open its port", patienceMs, () => {
      const line = exporter.said.find((one) => / serves .* on https?:/.test(one));
      return line?.slice(line.lastIndexOf(" ") + 1);
    });
    return exporter;
  }

  /** Starts one with these arguments, and waits for nothing. */
  static async spawn(args: readonly string[], built?: string): Promise<Exporter> {
    const command = new Deno.Command(built ?? await (launcher ??= compileFromSources()), {
      args: [...args],
      stdin: "null",
      stdout: "inherit",
      stderr: "piped",
    });
    return new Exporter(command.spawn());
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves with its exit status when it has ended by itself. */
  async ended(): Promise<number> {
    let code: number | undefined;
    this.#child.status.then((status) => code = status.code);
    await until("the exporter to end", 60_000, () => code !== undefined);
    return code!;
  }

  /** Asks it to stop; resolves with its exit status. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (cause) {
      // It has ended.
      if (!(cause instanceof TypeError)) throw cause;
    }
    await this.#child.status;
  }

  async #listen(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      // Said by the launcher, of a machine that has no user "bacula".
      this.said.push(...lines.filter((line) => !line.startsWith("This runs as root")));
    }
  }
}
