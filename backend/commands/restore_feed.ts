/**
 * What a restore is fed with where a folder stands in for Bacula.
 *
 * @module
 */

import type { JobFolder } from "../folder/job_folder.ts";
import { isManifestPath, isOplogPath } from "../job/object_path.ts";
import type { FileHeader, RestoreObjectHeader } from "../objects.ts";
import { chooseChain, placeFolders } from "./folder_chain.ts";

/** Everything that Bacula would send, under virtual names. */
export interface RestoreFeed {
  readonly restoreObjects: readonly { readonly header: RestoreObjectHeader; readonly bytes: Uint8Array }[];
  readonly names: readonly string[];
  readonly files: AsyncIterable<{ readonly header: FileHeader; readonly body: AsyncIterable<Uint8Array> }>;
}

/** What the operator chose of a folder. */
interface FeedRequest {
  readonly from: string;
  readonly jobName: string | undefined;
  readonly only: readonly string[];
}

/** The chain that ends with a job. */
export async function feedFromJobs(
  { from, jobName, only }: FeedRequest,
  found: readonly JobFolder[],
): Promise<RestoreFeed> {
  const jobs: FolderFiles[] = [];
  const restoreObjects: Awaited<ReturnType<JobFolder["restoreObjects"]>> = [];
  const folders = chooseChain(await placeFolders(found), jobName, from);
  for (const [at, folder] of folders.entries()) {
    const names = (await folder.list()).filter((name) => isManifestPath(name) || isWanted(name, only));
    jobs.push({ folder, names: names.sort(bySendingOrder) });
    for (const { header, bytes } of await folder.restoreObjects()) {
      if (header.objectType === 25) restoreObjects.push({ header: { ...header, jobId: at + 1 }, bytes });
    }
  }
  return { restoreObjects, names: jobs.flatMap(({ names }) => names), files: readFiles(jobs) };
}

/**
 * Whether an object is to come: it is named, in a folder that is named, or a further segment of one that is named; all are when `only` is empty. The
 * oplog belongs to whatever it is that is wanted.
 */
export function isWanted(name: string, only: readonly string[]): boolean {
  return only.length === 0 || isOplogPath(name) ||
    only.some((one) =>
      name === one || name.startsWith(`${one}/`) ||
      (name.startsWith(`${one}.`) && /^\d+$/.test(name.slice(one.length + 1)))
    );
}

/** A job's folder and the virtual names in it that are to be sent, in their order. */
interface FolderFiles {
  readonly folder: JobFolder;
  readonly names: readonly string[];
}

/** Segments by number, manifests last: the order in which a backup sends them. */
function bySendingOrder(a: string, b: string): number {
  const key = (name: string) =>
    name.replace(/\.bson(?:\.(\d+))?$/, (_, index) => `.bson.${String(index ?? 0).padStart(9, "0")}`);
  return Number(isManifestPath(a)) - Number(isManifestPath(b)) || (key(a) < key(b) ? -1 : 1);
}

async function* readFiles(
  jobs: readonly FolderFiles[],
): AsyncGenerator<{ header: FileHeader; body: AsyncIterable<Uint8Array> }> {
  for (const { folder, names } of jobs) {
    for (const name of names) yield { header: await folder.header(name), body: folder.open(name) };
  }
}
