/**
 * Reads collections by stock mongodump, one process for each: raw BSON from its standard output. What it says on standard error decides with its exit
 * status and with the documents that came whether all of it came.
 *
 * @module
 */

import { ArrayPacker, cutDocuments, pieceMaxBytes } from "../bson/document_runs.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { maskUri } from "../options/credentials.ts";
import type { JobLog } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { readTimeoutMs } from "./client.ts";
import { MongodumpConfig } from "./mongodump_config.ts";

/** How mongodump is run. */
export interface MongodumpSettings {
  /** Absolute path of the program. */
  readonly program: string;
  /** Connection string of the one member that is read. */
  readonly uri: Secret;
  /** Where its config file may be for a moment. */
  readonly directory: string;
  readonly log: JobLog;
  /** How long it may give nothing while something is waited for; as long as a read of the backend's own where it isn't given. */
  readonly silenceMs?: number;
}

/**
 * Where mongodump is.
 *
 * @param folder that of the tools, as this machine's operator named it
 * @throws PluginError `optionUnavailable`
 */
export async function findMongodump(folder: string | undefined): Promise<string> {
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
  const program = `${folder.replace(/\/$/, "")}/mongodump`;
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

/**
 * A collection's documents as raw BSON arrays; each is a view that ends with the next one.
 *
 * @throws PluginError `incompleteRead` unless mongodump ended well and counted what came
 */
export async function* readByMongodump(
  namespace: Namespace,
  settings: MongodumpSettings,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  await using run = await MongodumpRun.start(namespace, settings);
  const stop = () => run.kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const packer = new ArrayPacker();
    let documents = 0;
    for await (
      const found of cutDocuments(
        run.pieces(),
        (offset, what) => run.failed(`at offset ${offset} of its output, ${what}`),
      )
    ) {
      documents += found.documents;
      yield packer.pack(found);
    }
    await run.end(documents);
  } catch (cause) {
    signal.throwIfAborted();
    throw await run.explain(cause);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Lines of standard error that a failure shows. */
const shownLines = 3;

class MongodumpRun implements AsyncDisposable {
  readonly #name: string;
  readonly #log: JobLog;
  readonly #config: MongodumpConfig;
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  readonly #silenceMs: number;
  readonly #hearing: Promise<void>;
  readonly #said: string[] = [];
  #counted: number | null = null;
  #hasEnded = false;
  #isKilled = false;
  #isGivenUp = false;

  private constructor(
    namespace: Namespace,
    { log, silenceMs = readTimeoutMs }: MongodumpSettings,
    config: MongodumpConfig,
    child: Deno.ChildProcess,
  ) {
    this.#name = formatNamespace(namespace);
    this.#log = log;
    this.#config = config;
    this.#child = child;
    this.#output = child.stdout.getReader();
    this.#silenceMs = silenceMs;
    this.#hearing = this.#hear();
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    this.#hearing.catch(() => {});
  }

  static async start(namespace: Namespace, settings: MongodumpSettings): Promise<MongodumpRun> {
    const { program, uri, directory } = settings;
    const config = await MongodumpConfig.write(directory, uri);
    try {
      const child = new Deno.Command(program, {
        args: [
          `--config=${config.path}`,
          `--db=${namespace.database}`,
          `--collection=${namespace.collection}`,
          "--out=-",
        ],
        cwd: directory,
        clearEnv: true,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new MongodumpRun(namespace, settings, config, child);
    } catch (cause) {
      await config.remove();
      throw new PluginError(
        "optionUnavailable",
        `Cannot start ${program}: ${cause instanceof Error ? cause.message : cause}`,
        {
          hint:
            "The backend may run the mongodump of PODHEITOR_MONGODB_TOOLS only, which has to be set when the File Daemon starts.",
          cause,
        },
      );
    }
  }

  /** Its standard output. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      // Only while it is waited for: a volume may take its time.
      const patience = setTimeout(() => this.#giveUp(), this.#silenceMs);
      const { done, value } = await this.#output.read().finally(() => clearTimeout(patience));
      if (done) break;
      // It has connected, and so it has read its file.
      await this.#config.remove();
      for (let at = 0; at < value.length; at += pieceMaxBytes) yield value.subarray(at, at + pieceMaxBytes);
    }
    this.#hasEnded = true;
  }

  /** Waits for its end, and holds its count against the documents that came. */
  async end(documents: number): Promise<void> {
    const failure = await this.#exitFailure();
    if (failure !== null) throw failure;
    if (this.#counted === documents) return;
    throw this.failed(
      this.#counted === null
        ? `it gave ${documents} documents and did not say how many they are`
        : `it says that it dumped ${this.#counted} documents, ${documents} came`,
    );
  }

  /** Where its output ended amid a document, its exit status says more than that. */
  async explain(cause: unknown): Promise<unknown> {
    return this.#hasEnded ? await this.#exitFailure() ?? cause : cause;
  }

  async #exitFailure(): Promise<PluginError | null> {
    const { success, code, signal } = await this.#child.status;
    await this.#hearing;
    if (success) return null;
    if (this.#isGivenUp) return this.failed(`it gave nothing for ${this.#silenceMs / 1000} s`);
    return this.failed(signal === null ? `it ended with status ${code}` : `it was killed by ${signal}`);
  }

  failed(reason: string): PluginError {
    const said = this.#said.length === 0 ? "it said nothing" : `it said: ${this.#said.join(" | ")}`;
    return new PluginError("incompleteRead", `Cannot read ${this.#name} by mongodump: ${reason}; ${said}`, {
      hint: "Run the job again; if it fails again, run that mongodump by hand, or say engine=native.",
    });
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
    if (!this.#hasEnded) await this.#output.cancel().catch(() => {});
    await this.#child.status;
    await this.#hearing.catch(() => {});
    await this.#config.remove();
  }

  #giveUp(): void {
    this.#isGivenUp = true;
    this.kill();
  }

  async #hear(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
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
    const count = /^(?:done dumping .*\(|dumped )(\d+) documents?\)?$/.exec(text)?.[1];
    if (count !== undefined) this.#counted = Number(count);
    else if (!text.startsWith("writing ")) this.#log.info(`mongodump, ${this.#name}: ${text}`);
  }
}
