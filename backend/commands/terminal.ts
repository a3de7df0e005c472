/**
 * What the stand-alone commands show: lines of the job's log, and on a terminal a line of progress.
 *
 * @module
 */

import { formatBytes, formatCount } from "../job/wording.ts";
import type { Listener } from "../protocol/file_daemon_session.ts";

const labels = { I: "", W: "Warning: ", E: "Error: " } as const;

const drawIntervalMs = 200;
const barWidth = 30;

/** `[########----------------------]  27 %  1.2 GiB of about 4.5 GiB`; without a total, only what was read. */
export function formatBar(readBytes: number, totalBytes: number | null): string {
  if (!totalBytes) return `Backing up: ${formatBytes(readBytes)}`;
  // What others write meanwhile may make it more than there was.
  const share = Math.min(readBytes / totalBytes, 1);
  const filled = Math.floor(share * barWidth);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}] ${percent} %  ${
    formatBytes(readBytes)
  } of about ${formatBytes(totalBytes)}`;
}

/** Prints a job's log to standard output, warnings and errors with their label. */
export class TerminalListener implements Listener {
  /** Whether somebody looks at a terminal. */
  readonly isLive: boolean = Deno.stdout.isTerminal();
  readonly #quiet: boolean;
  #drawnAtMs = -Infinity;

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
    if (this.#quiet || !this.isLive) return;
    Deno.stdout.writeSync(
      new TextEncoder().encode(`\r\x1b[K${activity}: ${formatCount(files)} files, ${formatBytes(bytes)}`),
    );
  }

  /** Draws how far a Full is; not for every batch, which a terminal couldn't follow. */
  bar(readBytes: number, totalBytes: number | null): void {
    const now = performance.now();
    if (this.#quiet || !this.isLive || now - this.#drawnAtMs < drawIntervalMs) return;
    this.#drawnAtMs = now;
    const text = formatBar(readBytes, totalBytes);
    Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  }

  line(text: string): void {
    if (this.#quiet) return;
    if (this.isLive) Deno.stdout.writeSync(new TextEncoder().encode("\r\x1b[K"));
    console.log(text);
  }
}
