/**
 * Inserts documents by stock mongorestore, one process for each segment: raw BSON to its standard input. A segment is there only when its exit status
 * says so and its own count of documents is the segment's; where it isn't, the restore fails.
 *
 * @module
 */

import { countDocuments } from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace } from "../namespace.ts";
import type { WriteConcern } from "../options/row.ts";
import type { Secret } from "../secret.ts";
import { findTool, type ToolEnvironment, ToolProcess, type ToolSettings } from "./database_tool.ts";
import { toolUri } from "./member_uri.ts";
import { ToolConfig } from "./tool_config.ts";

/** Bytes that are given to it at a time, and have to be taken before patience ends. */
const pieceBytes = 1 << 20;

/** Mongorestore on one machine, for one target. Closing it ends whatever runs. */
export class Mongorestore implements Disposable {
  readonly #settings: ToolSettings;
  readonly #runs = new Set<MongorestoreRun>();
  #isClosed = false;

  private constructor(settings: ToolSettings) {
    this.#settings = settings;
  }

  /**
   * @param host the one member that is written to
   * @throws PluginError `optionUnavailable` where there is none that may be run
   */
  static async find(
    uri: Secret,
    host: string,
    { tools, workingDirectory, ...more }: ToolEnvironment,
  ): Promise<Mongorestore> {
    const program = await findTool("mongorestore", tools);
    return new Mongorestore({
      program,
      uri: await toolUri(uri, host),
      directory: workingDirectory,
      ...more,
    });
  }

  /**
   * Adds whole documents to a collection that is there; resolves when the server has them.
   *
   * @throws PluginError `restoreWrite` unless mongorestore ended well and counted every one
   */
  async insert(
    namespace: Namespace,
    documents: Uint8Array,
    { ordered, writeConcern }: { ordered: boolean; writeConcern: WriteConcern },
  ): Promise<void> {
    const config = await ToolConfig.write(this.#settings.directory, this.#settings.uri);
    await using cleanup = new AsyncDisposableStack();
    cleanup.use(config);
    const run = cleanup.use(
      new MongorestoreRun(namespace, this.#settings, config, [
        `--writeConcern=${JSON.stringify({ w: writeConcern })}`,
        ...(ordered ? ["--maintainInsertionOrder"] : []),
      ]),
    );
    this.#runs.add(run);
    cleanup.defer(() => void this.#runs.delete(run));
    if (this.#isClosed) run.kill();
    await run.give(documents);
    await run.end(countDocuments(documents));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const run of this.#runs) run.kill();
  }
}

class MongorestoreRun implements AsyncDisposable {
  readonly #name: string;
  readonly #process: ToolProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #counted: { readonly taken: number; readonly failed: number } | null = null;
  #removal: Promise<void> | null = null;

  constructor(
    { database, collection }: Namespace,
    settings: ToolSettings,
    config: ToolConfig,
    more: readonly string[],
  ) {
    this.#name = formatNamespace({ database, collection });
    const args = [
      `--config=${config.path}`,
      `--db=${database}`,
      `--collection=${collection}`,
      "--dir=-",
      // One worker: parallel_restore says how many write at a time.
      "--numParallelCollections=1",
      "--bypassDocumentValidation",
      "--stopOnError",
      ...more,
    ];
    this.#process = new ToolProcess(settings, args, { stdin: "piped", stdout: "null" }, (text) => {
      // It has connected, and so it has read its file.
      if (text.startsWith("restoring ")) this.#removal ??= config.remove();
      // Whoever awaits it sees the failure.
      this.#removal?.catch(() => {});
      const [, taken, failed] =
        /^(\d+) document\(s\) restored successfully\. (\d+) document\(s\) failed to restore\.$/.exec(text) ??
          [];
      if (taken !== undefined) this.#counted = { taken: Number(taken), failed: Number(failed) };
      else if (!isUsual(text)) settings.log.info(`mongorestore, ${this.#name}: ${text}`);
    });
    this.#input = this.#process.stdin.getWriter();
    // Whoever writes sees the failure.
    this.#input.closed.catch(() => {});
  }

  /** Its standard input, to the end. Where it doesn't take it all, its exit status says why. */
  async give(documents: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < documents.length; at += pieceBytes) {
        const piece = documents.subarray(at, at + pieceBytes) as Uint8Array<ArrayBuffer>;
        await this.#process.patiently(this.#input.write(piece));
      }
      await this.#input.close();
    } catch {
      this.#input.abort().catch(() => {});
    }
  }

  /** Waits for its end, and holds its count against the documents that it was given. */
  async end(documents: number): Promise<void> {
    const { success, code, signal } = await this.#process.patiently(this.#process.status());
    const { silentSeconds } = this.#process;
    if (silentSeconds !== null) {
      throw this.#failed(`it took nothing and did not end for ${silentSeconds} s`);
    }
    if (signal !== null) throw this.#failed(`it was killed by ${signal}`);
    const counted = this.#counted;
    if (!success) {
      const failed = counted === null ? "" : `, having restored ${counted.taken} of ${documents} documents`;
      throw this.#failed(`it ended with status ${code}${failed}`);
    }
    if (counted === null) {
      throw this.#failed(`it did not say how many of ${documents} documents it restored`);
    }
    if (counted.failed > 0 || counted.taken !== documents) {
      throw this.#failed(
        `it was given ${documents} documents, restored ${counted.taken} and failed to restore ${counted.failed}`,
      );
    }
  }

  kill(): void {
    this.#process.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await this.#removal;
  }

  #failed(reason: string): PluginError {
    const sentence = `Cannot write to ${this.#name} by mongorestore: ${reason}; ${this.#process.summary}`;
    return new PluginError("restoreWrite", sentence, {
      hint:
        "Remove the reason and restore again with drop=yes; if it fails again, restore with engine=native.",
    });
  }
}

/** What it says of every segment and means nothing to the operator. */
function isUsual(text: string): boolean {
  return /^(?:restoring |finished restoring |no indexes to restore |preparing collections |checking for collection data |setting up a collection |reading BSON input|The --db and --collection )/i
    .test(text);
}
