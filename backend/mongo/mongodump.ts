/**
 * Reads collections by stock mongodump, one process for each: raw BSON from its standard output. What it says on standard error decides with its exit
 * status and with the documents that came whether all of it came.
 *
 * @module
 */

import { ArrayPacker, cutDocuments, pieceMaxBytes } from "../bson/document_runs.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import { ToolProcess, type ToolSettings } from "./database_tool.ts";
import { ToolConfig } from "./tool_config.ts";

/**
 * A collection's documents as raw BSON arrays; each is a view that ends with the next one.
 *
 * @throws PluginError `incompleteRead` unless mongodump ended well and counted what came
 */
export async function* readByMongodump(
  namespace: Namespace,
  settings: ToolSettings,
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

class MongodumpRun implements AsyncDisposable {
  readonly #name: string;
  readonly #config: ToolConfig;
  readonly #process: ToolProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  #counted: number | null = null;
  #hasEnded = false;

  private constructor({ database, collection }: Namespace, settings: ToolSettings, config: ToolConfig) {
    this.#name = formatNamespace({ database, collection });
    this.#config = config;
    const args = [`--config=${config.path}`, `--db=${database}`, `--collection=${collection}`, "--out=-"];
    this.#process = new ToolProcess(settings, args, { stdin: "null", stdout: "piped" }, (text) => {
      const count = /^(?:done dumping .*\(|dumped )(\d+) documents?\)?$/.exec(text)?.[1];
      if (count !== undefined) this.#counted = Number(count);
      else if (!text.startsWith("writing ")) settings.log.info(`mongodump, ${this.#name}: ${text}`);
    });
    this.#output = this.#process.stdout.getReader();
  }

  static async start(namespace: Namespace, settings: ToolSettings): Promise<MongodumpRun> {
    const config = await ToolConfig.write(settings.directory, settings.uri);
    try {
      return new MongodumpRun(namespace, settings, config);
    } catch (cause) {
      await config.remove();
      throw cause;
    }
  }

  /** Its standard output. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      // Only while it is waited for: a volume may take its time.
      const { done, value } = await this.#process.patiently(this.#output.read());
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
    const { success, code, signal } = await this.#process.status();
    if (success) return null;
    const { silentSeconds } = this.#process;
    if (silentSeconds !== null) return this.failed(`it gave nothing for ${silentSeconds} s`);
    return this.failed(signal === null ? `it ended with status ${code}` : `it was killed by ${signal}`);
  }

  failed(reason: string): PluginError {
    const sentence = `Cannot read ${this.#name} by mongodump: ${reason}; ${this.#process.summary}`;
    return new PluginError("incompleteRead", sentence, {
      hint: "Run the job again; if it fails again, run that mongodump by hand, or say engine=native.",
    });
  }

  kill(): void {
    this.#process.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    if (!this.#hasEnded) await this.#output.cancel().catch(() => {});
    await this.#process[Symbol.asyncDispose]();
    await this.#config.remove();
  }
}
