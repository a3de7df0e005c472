/**
 * Whole jobs on a folder, in this process: backups of one server and restores into another one, with their logs.
 *
 * @module
 */

import { backUpToFolder, restoreFromFolder } from "../../backend/commands/standalone.ts";
import { TerminalListener } from "../../backend/commands/terminal.ts";
import { PluginError } from "../../backend/errors.ts";
import { ScratchFolder } from "../lab/daemon.ts";

/** Keeps a job's log in place of printing it. */
class KeptLog extends TerminalListener {
  readonly lines: string[] = [];

  constructor() {
    super(true);
  }

  override message(severity: "I" | "W" | "E", text: string): void {
    this.lines.push(`${severity} ${text}`);
  }
}

/** How a restore is asked for. */
interface Restore {
  readonly where?: string;
  /** The last job of the chain; the newest one by default. */
  readonly job?: string;
  readonly only?: readonly string[];
}

/** Jobs of one resource in a folder that lives as long as the test. None of them is signed. */
export class FolderJobs implements AsyncDisposable {
  readonly #scratch: ScratchFolder;
  #last = "";

  private constructor(scratch: ScratchFolder) {
    this.#scratch = scratch;
  }

  static async make(): Promise<FolderJobs> {
    const scratch = await ScratchFolder.make("jobs");
    await Deno.mkdir(`${scratch.path}/work`);
    return new FolderJobs(scratch);
  }

  get folder(): string {
    return this.#scratch.path;
  }

  /** Runs a backup; resolves to its log, rejects with what failed it. */
  async backUp(level: "F" | "I", jobName: string, options: string): Promise<string> {
    const listener = new KeptLog();
    await this.#run(listener, () =>
      backUpToFolder({
        ...this.#settings(listener, options),
        to: `${this.folder}/backups`,
        level,
        jobName,
        previousJobName: level === "F" ? "" : this.#last,
      }));
    this.#last = jobName;
    return listener.lines.join("\n");
  }

  /** Runs a restore; resolves to its log, rejects with what failed it. */
  async restore(options: string, { where = "/", job, only = [] }: Restore = {}): Promise<string> {
    const listener = new KeptLog();
    await this.#run(listener, () =>
      restoreFromFolder({
        ...this.#settings(listener, options),
        from: `${this.folder}/backups`,
        where,
        jobName: job,
        only,
      }));
    return listener.lines.join("\n");
  }

  #settings(listener: KeptLog, options: string) {
    return {
      pluginCommand: `podheitor-mongodb: resource=r sign=no allow_unsigned=yes ${options}`,
      workingDirectory: `${this.folder}/work`,
      listener,
      signal: new AbortController().signal,
    };
  }

  /** The job's own words are in its log; what is thrown may only say that it failed. */
  async #run(listener: KeptLog, job: () => Promise<unknown>): Promise<void> {
    try {
      await job();
    } catch (cause) {
      const said = cause instanceof PluginError ? cause.report : String(cause);
      throw new Error([...listener.lines, said].join("\n"), { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}
