/**
 * What the doctor looks at, and what it says of each.
 *
 * @module
 */

import { asPluginError, errorTable } from "../../errors.ts";
import type { JobLog } from "../../ports.ts";

/** Every check: its group, and what it tells. Names don't change, since programs read them. */
export const checkTable = {
  command: { group: "Plugin command", tells: "The plugin command can be read." },
  tools: { group: "Plugin command", tells: "With `engine=mongodump`: the tool is where it is looked for." },
  runtime: {
    group: "Installation",
    tells: "Versions of the runtime and of this program, and that nobody but their owner may change them.",
  },
  backend: {
    group: "Installation",
    tells: "The program that the plugin starts is there, and nobody but its owner may change it.",
  },
  plugin_directory: {
    group: "Installation",
    tells: "The `Plugin Directory` of bacula-fd.conf is there, is no link, and nobody else may change it.",
  },
  plugin: {
    group: "Installation",
    tells:
      "The plugin is in it, of this version, with the licence that the File Daemon asks for, and nobody else may change it.",
  },
  user: { group: "Permissions", tells: "As whom this runs, and whose the working directory is." },
  working_directory: {
    group: "Permissions",
    tells:
      "It is there and is the File Daemon's, a job can write to it, others can't, and the files of earlier jobs are this user's.",
  },
  disk_space: { group: "Permissions", tells: "Free space of the working directory." },
  secrets: {
    group: "Permissions",
    tells:
      "Connection string and password are where they are looked for, in files that nobody else can read.",
  },
  signing_key: { group: "Keys", tells: "The key that signs can be used, and is trusted now." },
  trusted_keys: { group: "Keys", tells: "Every key that restores believe, and until when." },
  address: { group: "Connection", tells: "Names of the connection string's hosts can be resolved." },
  port: { group: "Connection", tells: "The hosts take connections." },
  tls: { group: "Connection", tells: "TLS, the certificate, and that a MongoDB answers." },
  login: { group: "Connection", tells: "The server takes the login." },
  clock: { group: "Connection", tells: "This machine's clock is the server's." },
  server: { group: "Server", tells: "Version and kind of the server." },
  member: { group: "Server", tells: "Which member is read, or written to, and why." },
  scope: { group: "Server", tells: "The chosen databases are there." },
  privileges: { group: "Server", tells: "What the login may do, held against what the job takes." },
  oplog_window: { group: "Chain", tells: "How far the oplog reaches back, held against the jobs' interval." },
  last_job: { group: "Chain", tells: "How the last job ended, and whether one is at work." },
  chain: { group: "Chain", tells: "The jobs that the working directory knows, and what is next." },
  continuation: {
    group: "Chain",
    tells: "The next Incremental can continue them: same set, same scope, and the oplog still has its place.",
  },
} as const satisfies Record<string, { group: string; tells: string }>;

/** Name of a check. */
export type CheckName = keyof typeof checkTable;

/** `skipped`: what it takes is missing, which another check says. */
export type CheckStatus = "ok" | "warning" | "error" | "skipped";

/** What one check found. A check may find several things. */
export interface Check {
  readonly check: CheckName;
  readonly status: CheckStatus;
  /** What is; further lines belong to it. */
  readonly text: string;
  /** What to do about it, null where nothing is to be done. */
  readonly remedy: string | null;
  /** Number of the error that a job would fail with, or null. */
  readonly code: number | null;
}

/** Gathers what the checks find, in their order. */
export class Findings {
  readonly #all: Check[] = [];

  get all(): readonly Check[] {
    return this.#all;
  }

  ok(check: CheckName, text: string): void {
    this.#add(check, "ok", text, null);
  }

  warn(check: CheckName, text: string, remedy: string): void {
    this.#add(check, "warning", text, remedy);
  }

  fail(check: CheckName, text: string, remedy: string): void {
    this.#add(check, "error", text, remedy);
  }

  skip(checks: readonly CheckName[], because: string): void {
    for (const check of checks) this.#add(check, "skipped", because, null);
  }

  /** A failure that a job would end with. */
  failure(check: CheckName, cause: unknown, status: "error" | "warning" = "error"): void {
    const { code, message, hint } = asPluginError(cause);
    this.#all.push({
      check,
      status,
      text: message,
      remedy: hint === "" ? null : hint,
      code: errorTable[code].number,
    });
  }

  /** Does what a job does; resolves to null where that fails, which is said. */
  async attempt<T>(check: CheckName, work: () => Promise<T> | T): Promise<T | null> {
    try {
      return await work();
    } catch (cause) {
      this.failure(check, cause);
      return null;
    }
  }

  /** A job's log whose lines are a check's: for what jobs say themselves. */
  logOf(check: CheckName, remedy: string): JobLog {
    return {
      info: (text) => this.ok(check, text),
      warning: (text) => this.warn(check, text, remedy),
      error: (text) => this.fail(check, text, remedy),
    };
  }

  #add(check: CheckName, status: CheckStatus, text: string, remedy: string | null): void {
    this.#all.push({ check, status, text, remedy, code: null });
  }
}
