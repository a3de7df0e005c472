/**
 * The tip files of a working directory.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { readSidecar, replaceFile, sidecarPath } from "./atomic_file.ts";
import { addTip, formatTips, parseTips, type Tip, type TipsFile } from "./tip.ts";

const mode = 0o640;

/** One resource's tip file, held by one job: no other backup of that resource runs meanwhile. */
export class TipStore implements Disposable {
  readonly #path: string;
  readonly #resource: string;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, resource: string, lock: Deno.FsFile) {
    this.#path = path;
    this.#resource = resource;
    this.#lock = lock;
  }

  /**
   * Takes a resource's lock, which ends with this process at the latest.
   *
   * @throws PluginError `stateBusy` when another job has it, `stateWrite` when there can't be one
   */
  static async lock(directory: string, resource: string, jobName: string): Promise<TipStore> {
    const path = sidecarPath(directory, resource, "tip");
    const lockPath = `${path}.lock`;
    let lock: Deno.FsFile;
    try {
      lock = await Deno.open(lockPath, { create: true, read: true, write: true, mode });
    } catch (cause) {
      throw unwritable(lockPath, cause);
    }
    try {
      if (!await lock.tryLock(true)) throw busy(resource, await readHolder(lock));
      await lock.truncate();
      await lock.write(new TextEncoder().encode(`job ${jobName}, process ${Deno.pid}\n`));
      return new TipStore(path, resource, lock);
    } catch (cause) {
      lock.close();
      throw cause instanceof PluginError ? cause : unwritable(lockPath, cause);
    }
  }

  /** The file's content, or null where there is none. */
  read(): Promise<TipsFile | null> {
    return readFile(this.#path);
  }

  /** Adds where a job ended; resolves when that is on the disk. */
  async add(tip: Tip): Promise<void> {
    const file = addTip(await this.read(), this.#resource, tip);
    try {
      await replaceFile(this.#path, formatTips(file), mode);
    } catch (cause) {
      throw unwritable(this.#path, cause);
    }
  }

  [Symbol.dispose](): void {
    this.#lock.close();
  }
}

/** A resource's tips, without its lock; null where there are none. */
export function readTips(directory: string, resource: string): Promise<TipsFile | null> {
  return readFile(sidecarPath(directory, resource, "tip"));
}

/** Who took a resource's lock last, or null where nobody has. Only who takes it can tell whether it is still held. */
export async function readLastHolder(
  directory: string,
  resource: string,
): Promise<{ jobName: string; process: number } | null> {
  const path = `${sidecarPath(directory, resource, "tip")}.lock`;
  const text = await readSidecar(path).catch((cause) => {
    if (cause instanceof Deno.errors.NotFound) return "";
    throw unreadable(path, cause);
  });
  const [, jobName, process] = /^job (\S+), process (\d+)$/m.exec(text) ?? [];
  return jobName === undefined ? null : { jobName, process: Number(process) };
}

/** Resources that have a tip file, sorted. */
export async function listTipResources(directory: string): Promise<string[]> {
  const resources: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) {
      const resource = /^podheitor-mongodb-(.+)-tip\.json$/.exec(name)?.[1];
      if (resource !== undefined) resources.push(resource);
    }
  } catch (cause) {
    throw new PluginError("stateRead", `Cannot list the tip files of ${directory}: ${reason(cause)}`, {
      hint: "Name the File Daemon's working directory, as a user who may read it.",
      cause,
    });
  }
  return resources.sort();
}

async function readFile(path: string): Promise<TipsFile | null> {
  try {
    return parseTips(await readSidecar(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw unreadable(path, cause);
  }
}

/** What the holder of a lock wrote about itself; empty while it hasn't yet. */
async function readHolder(lock: Deno.FsFile): Promise<string> {
  const bytes = new Uint8Array(1024);
  const length = await lock.read(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, length)).trim();
}

function busy(resource: string, holder: string): PluginError {
  return new PluginError(
    "stateBusy",
    `Cannot back up resource "${resource}": ${holder || "another job"} is at work on it`,
    {
      hint: "Wait for that job or cancel it, and let one job of a resource run at a time " +
        "(Maximum Concurrent Jobs). Jobs of different sources need a resource= of their own each.",
    },
  );
}

function unreadable(path: string, cause: unknown): PluginError {
  return new PluginError("stateRead", `Cannot read ${path}: ${reason(cause)}`, {
    hint: "Incrementals can't continue without it: move it away and run a Full, which begins a new one.",
    cause,
  });
}

function unwritable(path: string, cause: unknown): PluginError {
  return new PluginError("stateWrite", `Cannot write ${path}: ${reason(cause)}`, {
    hint:
      "The backend's user must be able to write to the File Daemon's working directory, and it must have room.",
    cause,
  });
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
