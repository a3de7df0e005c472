/**
 * The chains that a File Daemon's working directory knows of: where each job ended, but not what is in it.
 *
 * @module
 */

import { asPluginError, PluginError } from "../errors.ts";
import { findParent, type Tip } from "../state/tip.ts";
import { listTipResources, readTips } from "../state/tip_store.ts";
import { compareTimestamps, describeTimestamp } from "../timestamp.ts";
import {
  type ChainFinding,
  type ChainReport,
  type LinkableJob,
  linkJobs,
  type ResourceChains,
} from "./chain.ts";

/** Links the jobs of a working directory's tip files to chains. */
export async function readTipChains(directory: string): Promise<ChainReport> {
  const findings: ChainFinding[] = [];
  const resources: ResourceChains[] = [];
  for (const resource of await listTipResources(directory)) {
    try {
      const file = await readTips(directory, resource);
      resources.push(linkTips(resource, file?.tips ?? [], findings));
    } catch (cause) {
      const problem = asPluginError(cause).report.replaceAll("\n", " ");
      findings.push({ resource, job: directory, problem });
    }
  }
  return { resources, findings };
}

function linkTips(resource: string, tips: readonly Tip[], findings: ChainFinding[]): ResourceChains {
  const byName = new Map(tips.map((tip) => [tip.jobName, tip]));
  const jobs = tips.map((tip) => describeTip(tip, byName.get(tip.parentName ?? "")));
  const check = (before: readonly Tip[], next: Tip) => checkNextTip(resource, before.at(-1), next);
  // A job that failed in Bacula after its backend was done has a tip too; the job that was run in its place continues the same one.
  const rules = { check, forks: true, remedy: "the file was changed, run a Full" };
  return linkJobs(resource, jobs, rules, findings);
}

function describeTip(tip: Tip, parent: Tip | undefined): LinkableJob<Tip> {
  const { jobName, jobId, level, parentName, endedAt, position, manifestDigest } = tip;
  return {
    source: tip,
    key: jobName,
    parentKey: parentName,
    job: {
      name: jobName,
      jobId,
      level,
      endedAt,
      manifestId: manifestDigest.slice(0, 16),
      parent: parentName,
      from: parent?.position ?? null,
      to: position,
    },
  };
}

/** As the job that wrote the tip did, and that the oplog went on. */
function checkNextTip(resource: string, parent: Tip | undefined, next: Tip): void {
  if ((next.level === "F") !== (parent === undefined)) {
    const found = `${next.jobName} is of level ${next.level} and continues ${next.parentName ?? "nothing"}`;
    throw unlinkable(resource, `${found}, wanted a Full that continues nothing`);
  }
  if (parent === undefined) return;
  const { setName, setId, scope, position, jobName } = next;
  const query = { previousJobName: parent.jobName, resource, setName, setId, scope };
  findParent({ format: "podheitor-mongodb-tip/1", resource, tips: [parent] }, query);
  if (compareTimestamps(position, parent.position) >= 0 && position.term >= parent.position.term) return;
  throw unlinkable(
    resource,
    `${jobName} ends at ${describeTimestamp(position)} of term ${position.term}, wanted nothing before ` +
      `${describeTimestamp(parent.position)} of term ${parent.position.term}, where ${parent.jobName} ends`,
  );
}

function unlinkable(resource: string, reason: string): PluginError {
  return new PluginError("chainBroken", `Cannot link the jobs of ${resource} to a chain: ${reason}`, {
    hint: "The file was changed: run a Full.",
  });
}
