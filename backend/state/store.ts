/**
 * Files in the File Daemon's working directory, each written whole or not at all.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { readSidecar, replaceFile, sidecarPath } from "./atomic_file.ts";
import { addRecord, formatStats, type JobRecord, parseStats, type StatsFile } from "./job_record.ts";

/** The sidecars of one working directory. */
export class JobStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A resource's jobs, or null where none has been recorded. */
  async read(resource: string): Promise<StatsFile | null> {
    const path = this.#statsPath(resource);
    try {
      return parseStats(await readSidecar(path));
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return null;
      throw new PluginError("stateRead", `Cannot read ${path}: ${reason(cause)}`, {
        hint: "It is only statistics: move the file away, and the next job begins a new one.",
        cause,
      });
    }
  }

  /** Adds a job. A file that can't be understood is set aside under another name, so that the job's record isn't lost; one that the system doesn't give now stays. */
  async record(resource: string, record: JobRecord): Promise<void> {
    const path = this.#statsPath(resource);
    try {
      using lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o640 });
      await lock.lock(true);
      const known = await this.read(resource).catch(async (cause) => {
        if (!(cause instanceof PluginError) || isOfSystem(cause.cause)) throw cause;
        await Deno.rename(path, `${path}.unreadable`);
        return null;
      });
      await replaceFile(path, formatStats(addRecord(known, resource, record)), 0o640);
    } catch (cause) {
      throw new PluginError("stateWrite", `Cannot write ${path}: ${reason(cause)}`, {
        hint:
          "The backend's user must be able to write to the File Daemon's working directory, and it must have room.",
        cause,
      });
    }
  }

  #statsPath(resource: string): string {
    return sidecarPath(this.#directory, resource, "stats");
  }
}

/** Whether the system refused something, as it does where no file can be opened any more: that says nothing of the file. */
function isOfSystem(cause: unknown): boolean {
  return cause instanceof Error && typeof (cause as { code?: unknown }).code === "string";
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
