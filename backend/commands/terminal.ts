/**
 * What the stand-alone commands show: lines of the job's log, and on a terminal a line of progress.
 *
 * @module
 */

import { formatBytes, formatCount } from "../job/wording.ts";
import type { Listener } from "../protocol/file_daemon_session.ts";

const labels = { I: "", W: "Warning: ", E: "Error: " } as const;

/** Prints a job's log to standard output, warnings and errors with their label. */
export class TerminalListener implements Listener {
  readonly #live = Deno.stdout.isTerminal();
  readonly #quiet: boolean;

  /** @param quiet nothing is printed, since a program reads the output */
  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  message(severity: "I" | "W" | "E", text: string): void {
    this.line(`${labels[severity]}${text}`);
  }

  heartbeat(files: number, bytes: number, activity: string): void {
    this.progress(files, bytes, activity);
  }

  /** Replaces the line of progress. */
  progress(files: number, bytes: number, activity: string): void {
    if (this.#quiet || !this.#live) return;
    Deno.stdout.writeSync(
      new TextEncoder().encode(`\r\x1b[K${activity}: ${formatCount(files)} files, ${formatBytes(bytes)}`),
    );
  }

  line(text: string): void {
    if (this.#quiet) return;
    if (this.#live) Deno.stdout.writeSync(new TextEncoder().encode("\r\x1b[K"));
    console.log(text);
  }
}
