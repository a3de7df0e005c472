/**
 * Verifies job folders without Bacula or MongoDB: manifests, signatures, and every object.
 *
 * @module
 */

import { asPluginError } from "../errors.ts";
import { JobFolder } from "../folder/job_folder.ts";
import { isManifestPath } from "../job/object_path.ts";
import { formatNumberOf } from "../job/wording.ts";
import { auditObjects, type Finding } from "../manifest/audit.ts";
import { openManifest, type TrustPolicy } from "../manifest/reader.ts";
import { joinParts } from "../manifest/seal.ts";

/** What was found in one job's folder. */
export interface VerifiedJob {
  readonly folder: string;
  readonly manifestId: string | null;
  readonly keyId: string | null;
  readonly objects: number;
  readonly documents: number;
  readonly findings: readonly Finding[];
}

/** Verifies every job in a directory. */
export async function verifyFolders(directory: string, trust: TrustPolicy): Promise<VerifiedJob[]> {
  const jobs: VerifiedJob[] = [];
  for (const folder of await JobFolder.find(directory)) jobs.push(await verifyFolder(folder, trust));
  return jobs;
}

async function verifyFolder(folder: JobFolder, trust: TrustPolicy): Promise<VerifiedJob> {
  const findings: Finding[] = [];
  const result = {
    folder: folder.path,
    manifestId: null as string | null,
    keyId: null as string | null,
    objects: 0,
    documents: 0,
  };
  try {
    const parts = (await folder.restoreObjects()).filter(({ header }) => header.objectType === 25)
      .map(({ header, bytes }) => ({ name: header.name, bytes }));
    const [sealed, ...others] = [...joinParts(parts).values()];
    if (sealed === undefined || others.length > 0) {
      findings.push({
        path: "restore-objects",
        problem: `holds ${others.length + (sealed ? 1 : 0)} manifests, wanted one`,
      });
    } else {
      const { manifest, id, keyId } = await openManifest(sealed, trust);
      Object.assign(result, {
        manifestId: id,
        keyId,
        objects: manifest.totals.objects,
        documents: manifest.totals.documents,
      });
      findings.push(...await compareCopies(folder, sealed));
      for await (const finding of auditObjects(manifest, folder, isManifestPath)) findings.push(finding);
    }
  } catch (cause) {
    findings.push({ path: folder.path, problem: asPluginError(cause).report.replaceAll("\n", " ") });
  }
  return { ...result, findings };
}

/** The manifest among the virtual files must be the very one of the restore objects. */
async function compareCopies(folder: JobFolder, sealed: Uint8Array): Promise<Finding[]> {
  const copies = (await folder.list()).filter(isManifestPath);
  if (copies.length !== 1) {
    return [{ path: "/@mongodb", problem: `holds ${copies.length} manifests, wanted one` }];
  }
  const bytes = new Uint8Array(
    await new Response(ReadableStream.from(folder.open(copies[0]!))).arrayBuffer(),
  );
  const same = bytes.length === sealed.length && bytes.every((byte, at) => byte === sealed[at]);
  return same ? [] : [{ path: copies[0]!, problem: "is not the manifest of the restore objects" }];
}

/** A job's result in one line, and a line for each finding. */
export function describeJob(
  { folder, manifestId, keyId, objects, documents, findings }: VerifiedJob,
): string[] {
  const seal = manifestId === null
    ? "no manifest"
    : `manifest ${manifestId}, ${keyId === null ? "NOT SIGNED" : `signed by ${keyId}`}`;
  const state = findings.length === 0 ? "clean" : formatNumberOf(findings.length, "finding");
  return [
    `${folder}: ${seal}, ${formatNumberOf(objects, "object")}, ${
      formatNumberOf(documents, "document")
    }: ${state}`,
    ...findings.map(({ path, problem }) => `  ${path} ${problem}`),
  ];
}
