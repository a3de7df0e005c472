/**
 * Looks on at a lab's Bacula, and at its end for secrets that the plugin should have kept.
 *
 * @module
 */

import assert from "node:assert/strict";
import { findCanary } from "./canary.ts";

/** How often it looks at the command lines of what the File Daemon has started. */
const intervalMs = 100;

/** What a Bacula says and shows. */
export class SecretWatch {
  readonly #heard: string[] = [];
  readonly #commandLines = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param fdPid the File Daemon's process id, null while it doesn't run */
  constructor(fdPid: () => number | null) {
    this.#timer = setInterval(() => {
      const pid = fdPid();
      for (const child of pid === null ? [] : descendants(pid)) {
        this.#commandLines.add(readProc(`${child}/cmdline`).replaceAll("\0", " "));
      }
    }, intervalMs);
  }

  /** Keeps what a console said. */
  hear(text: string): void {
    this.#heard.push(text);
  }

  /** Looks at no command line any more. */
  end(): void {
    clearInterval(this.#timer);
  }

  /**
   * Searches the folder of a Bacula that has ended: volumes, catalog, logs, the daemons' output, what is left in the working directory; and besides
   * what consoles said, the command lines, and the catalog's objects in the form that the plugin gave them.
   *
   * @param objects restore objects as the catalog has them: how they are compressed, and their bytes in base64
   */
  async search(folder: string, objects: readonly string[][]): Promise<void> {
    const texts: Record<string, string> = {
      "what consoles said": this.#heard.join("\n"),
      "command lines": [...this.#commandLines].join("\n"),
    };
    for (const [at, [compression, base64 = ""]] of objects.entries()) {
      const bytes = Uint8Array.fromBase64(base64);
      texts[`restore object ${at}`] = compression === "0" ? decode(bytes) : await inflate(bytes);
    }
    assert.deepEqual(await findCanary([folder], texts), [], "a secret was given away");
  }
}

/** Children of a process, and theirs. */
function descendants(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    readProc(`${pid}/task/${thread}/children`).split(" ").filter((one) => one !== "").map(Number)
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function threadsOf(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  } catch {
    return []; // It has just ended.
  }
}

function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${path}`);
  } catch {
    return ""; // It has just ended.
  }
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return decode(new Uint8Array(await new Response(inflated).arrayBuffer()));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
