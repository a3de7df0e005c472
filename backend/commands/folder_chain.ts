/**
 * Which folders of jobs belong together.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import type { JobFolder } from "../folder/job_folder.ts";
import { type ManifestPlace, readPlace } from "../manifest/reader.ts";
import { joinParts } from "../manifest/seal.ts";
import { compareTimestamps } from "../timestamp.ts";

/** A job's folder and what its manifest says of itself. */
export interface PlacedFolder extends ManifestPlace {
  readonly folder: JobFolder;
}

/** The folders with their places, the oldest first: by this machine's clock only where the server's is the same. Nothing of it is verified. */
export async function placeFolders(folders: readonly JobFolder[]): Promise<PlacedFolder[]> {
  const placed: PlacedFolder[] = [];
  for (const folder of folders) {
    const parts = (await folder.restoreObjects()).filter(({ header }) => header.objectType === 25)
      .map(({ header, bytes }) => ({ name: header.name, bytes }));
    for (const sealed of joinParts(parts).values()) placed.push({ ...readPlace(sealed), folder });
  }
  return placed.sort((a, b) => compareTimestamps(a.end, b.end) || (a.createdAt < b.createdAt ? -1 : 1));
}

/**
 * The folders of the chain that ends with a job, the Full's first.
 *
 * @param jobName the newest job where undefined
 * @throws PluginError `usage` when there is no such job, or the jobs are of several resources and none is named
 */
export function chooseChain(
  placed: readonly PlacedFolder[],
  jobName: string | undefined,
  from: string,
): JobFolder[] {
  const resources = new Set(placed.map(({ resource }) => resource));
  const last = jobName === undefined ? placed.at(-1) : placed.find((one) => one.jobName === jobName);
  if (last === undefined || (jobName === undefined && resources.size > 1)) {
    const names = placed.map((one) => one.jobName).slice(-5).join(", ") || "none";
    throw new PluginError(
      "usage",
      `Cannot choose a job in ${from}: ${
        last === undefined ? "none fits" : `they are of the resources ${[...resources].join(", ")}`
      }`,
      {
        hint: placed.length === 0
          ? "Give the folder that backup --to wrote."
          : `Name one with --job; the newest are ${names}.`,
      },
    );
  }
  const byDigest = new Map(placed.map((one) => [one.digest, one]));
  const chain: JobFolder[] = [];
  for (let one: PlacedFolder | undefined = last; one !== undefined;) {
    if (chain.includes(one.folder)) break;
    chain.unshift(one.folder);
    // One that isn't here is for the restore to miss.
    one = one.parentDigest === null ? undefined : byDigest.get(one.parentDigest);
  }
  return chain;
}

/** Name of the job that the next one of a level continues: the newest for an Incremental, the newest Full for a Differential; "" for none. */
export function previousJob(placed: readonly PlacedFolder[], level: "F" | "I" | "D"): string {
  if (level === "F") return "";
  const fitting = level === "D" ? placed.filter((one) => one.level === "F") : placed;
  return fitting.at(-1)?.jobName ?? "";
}
