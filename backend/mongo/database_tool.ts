/**
 * MongoDB's database tools, mongodump and mongorestore: where they are, how they are started, and what they say.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { maskUri } from "../options/credentials.ts";
import type { JobLog } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { readTimeoutMs } from "./client.ts";

/** What the backend may run of them. */
export type ToolName = "mongodump" | "mongorestore";

/** How a tool is run. */
export interface ToolSettings {
  /** Absolute path of the program. */
  readonly program: string;
  /** Connection string of the one member that it may talk to. */
  readonly uri: Secret;
  /** Where its config file may be for a moment. */
  readonly directory: string;
  readonly log: JobLog;
  /** How long it may give or take nothing while it is waited for; as long as a read of the backend's own where it isn't given. */
  readonly silenceMs?: number;
}

/** What the machine has for an engine that is a tool. */
export interface ToolEnvironment extends Pick<ToolSettings, "log" | "silenceMs"> {
  /** Folder of the tools, as this machine's operator named it. */
  readonly tools: string | undefined;
  readonly workingDirectory: string;
}

/**
 * Where a tool is.
 *
 * @param folder that of the tools, as this machine's operator named it
 * @throws PluginError `optionUnavailable`
 */
export async function findTool(name: ToolName, folder: string | undefined): Promise<string> {
  const hint =
    "Install MongoDB's database tools (the package mongodb-database-tools) and name their folder in the File Daemon's environment, " +
    "as in PODHEITOR_MONGODB_TOOLS=/usr/bin; or say engine=native.";
  if (folder === undefined || !/^\/[A-Za-z0-9/._-]*$/.test(folder)) {
    const fault = folder === undefined
      ? "is not set"
      : `is "${folder}", wanted an absolute path of letters, digits and "/._-"`;
    throw new PluginError(
      "optionUnavailable",
      `Cannot use engine=mongodump: PODHEITOR_MONGODB_TOOLS ${fault}`,
      { hint },
    );
  }
  const program = `${folder.replace(/\/$/, "")}/${name}`;
  const found = await Deno.stat(program).catch(() => null);
  if (found?.isFile !== true) {
    throw new PluginError("optionUnavailable", `Cannot use engine=mongodump: there is no ${program}`, {
      hint,
    });
  }
  if (((found.mode ?? 0) & 0o022) !== 0) {
    throw new PluginError(
      "optionUnavailable",
      `Cannot use engine=mongodump: others than its owner can change ${program}`,
      { hint: `Run: chmod go-w ${program}` },
    );
  }
  return program;
}

/** A tool at work, with nothing in its environment. Disposing of it ends it. */
export class ToolProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #speech: ToolSpeech;
  readonly #silenceMs: number;
  #isKilled = false;
  #isGivenUp = false;

  /**
   * Starts it.
   *
   * @param take told each line that it says but bars of progress, without its time and without a secret
   * @throws PluginError `optionUnavailable` where it may not be run
   */
  constructor(
    settings: ToolSettings,
    args: readonly string[],
    pipes: { readonly stdin: "null" | "piped"; readonly stdout: "null" | "piped" },
    take: (line: string) => void,
  ) {
    this.#child = spawnTool(settings, args, pipes);
    this.#silenceMs = settings.silenceMs ?? readTimeoutMs;
    this.#speech = new ToolSpeech(this.#child.stderr, take);
  }

  get stdin(): WritableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdin;
  }

  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdout;
  }

  /** The last lines that it said, for a failure. */
  get summary(): string {
    return this.#speech.summary;
  }

  /** Seconds of patience that it used up, or null where it wasn't ended for that. */
  get silentSeconds(): number | null {
    return this.#isGivenUp ? this.#silenceMs / 1000 : null;
  }

  /** How it ended, once it has said everything. */
  async status(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    await this.#speech.ended;
    return status;
  }

  /** Ends it when something of it that is waited for takes too long. */
  async patiently<T>(work: Promise<T>): Promise<T> {
    const patience = setTimeout(() => {
      this.#isGivenUp = true;
      this.kill();
    }, this.#silenceMs);
    return await work.finally(() => clearTimeout(patience));
  }

  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#child.status;
    await this.#speech.ended.catch(() => {});
  }
}

function spawnTool(
  { program, directory }: ToolSettings,
  args: readonly string[],
  pipes: { readonly stdin: "null" | "piped"; readonly stdout: "null" | "piped" },
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      cwd: directory,
      clearEnv: true,
      ...pipes,
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw new PluginError(
      "optionUnavailable",
      `Cannot start ${program}: ${cause instanceof Error ? cause.message : cause}`,
      {
        hint:
          "The backend may run the tools of PODHEITOR_MONGODB_TOOLS only, which has to be set when the File Daemon starts.",
        cause,
      },
    );
  }
}

/** Lines of standard error that a failure shows. */
const shownLines = 3;

/** What a tool says on standard error. */
class ToolSpeech {
  /** Resolves when it has said everything. */
  readonly ended: Promise<void>;
  readonly #said: string[] = [];
  readonly #take: (line: string) => void;

  /** @param take told each line but bars of progress, without its time and without a secret */
  constructor(stderr: ReadableStream<Uint8Array<ArrayBuffer>>, take: (line: string) => void) {
    this.#take = take;
    this.ended = this.#hear(stderr);
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    this.ended.catch(() => {});
  }

  /** The last lines, for a failure. */
  get summary(): string {
    return this.#said.length === 0 ? "it said nothing" : `it said: ${this.#said.join(" | ")}`;
  }

  async #hear(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split(/\r?\n|\r/);
      rest = lines.pop()!.slice(-4096);
      for (const line of lines) this.#takeLine(line);
    }
    if (rest !== "") this.#takeLine(rest);
  }

  #takeLine(line: string): void {
    const text = maskUri(line.replace(/^\d{4}-\d\d-\d\dT\S+\s+/, "")).trim();
    // Bars of progress.
    if (text === "" || /\[[#.]*\]/.test(text)) return;
    this.#said.push(text);
    if (this.#said.length > shownLines) this.#said.shift();
    this.#take(text);
  }
}
