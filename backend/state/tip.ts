/**
 * Where the last jobs of a resource ended: `podheitor-mongodb-<resource>-tip.json`. The next incremental finds its parent there, by the name that Bacula
 * gives it. A job that failed in Bacula after its backend was done is never named, so that its entry does no harm.
 *
 * @module
 */

import * as z from "zod";
import { PluginError } from "../errors.ts";
import { describeScope, type Scope, scopeSchema } from "../manifest/scope.ts";
import { describeIssue, lenientParser } from "./lenient_parsing.ts";

const tipFormat = "podheitor-mongodb-tip/1";

/** Jobs that are kept; and the Fulls and Differentials that kept ones go back to, however old. */
const tipsMax = 200;

const name = z.string().min(1);
const uint32 = z.int().min(0).max(0xffff_ffff);

const tip = z.strictObject({
  jobName: name,
  jobId: z.int().nonnegative(),
  level: z.enum(["F", "I", "D"]),
  /** Null for a Full. */
  parentName: name.nullable(),
  endedAt: z.iso.datetime(),
  setName: name,
  setId: z.string().regex(/^[0-9a-f]{24}$/).nullable(),
  /** `host:port` whose oplog was read. */
  member: name,
  scope: scopeSchema,
  position: z.strictObject({ t: uint32, i: uint32, term: z.int() }),
  /** BLAKE3 of the job's manifest. */
  manifestDigest: z.string().regex(/^[0-9a-f]{64}$/),
});

const tipsFile = z.strictObject({ format: z.literal(tipFormat), resource: name, tips: z.array(tip) });

const parseFile = lenientParser(tipsFile);

/** Where one job ended. */
export type Tip = z.infer<typeof tip>;

/** The content of a tip file: the newest job first. */
export type TipsFile = z.infer<typeof tipsFile>;

/** Reads a tip file's text; throws an Error that says what is wrong with it. */
export function parseTips(text: string): TipsFile {
  const parsed = tipsFile.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(describeIssue(parsed.error.issues[0]!));
}

/** As {@linkcode parseTips}, for a reader that needn't be as new as the writer: unknown fields are left out. */
export function parseTipsLeniently(text: string): TipsFile {
  return parseFile(JSON.parse(text));
}

/** The text of a tip file. */
export function formatTips(file: TipsFile): string {
  return `${JSON.stringify(file, null, 1)}\n`;
}

/** The file with one more job. One of the same name is replaced; old ones are forgotten, unless a kept one goes back to them. */
export function addTip(file: TipsFile | null, resource: string, added: Tip): TipsFile {
  const tips = [added, ...(file?.tips ?? []).filter(({ jobName }) => jobName !== added.jobName)];
  const byName = new Map(tips.map((one) => [one.jobName, one]));
  const kept = new Set(tips.slice(0, tipsMax));
  for (const one of kept) {
    const parent = one.parentName === null ? undefined : byName.get(one.parentName);
    // The loop comes to what is added here, too.
    if (parent !== undefined) kept.add(parent);
  }
  return { format: tipFormat, resource, tips: tips.filter((one) => kept.has(one)) };
}

/** What a job must have in common with its parent. */
export interface ParentQuery {
  /** As Bacula gives it; "" for none. */
  readonly previousJobName: string;
  readonly resource: string;
  readonly setName: string;
  readonly setId: string | null;
  readonly scope: Scope;
}

/**
 * The job that an incremental continues.
 *
 * @throws PluginError `parentUnknown`
 */
export function findParent(file: TipsFile | null, query: ParentQuery): Tip {
  const { previousJobName, resource, setName, setId, scope } = query;
  const tips = file?.tips ?? [];
  if (previousJobName === "") {
    throw unknown("Bacula names no earlier job", "Run a Full first; Bacula then names it.");
  }
  const found = tips.find(({ jobName }) => jobName === previousJobName);
  if (found === undefined) {
    const known = tips.slice(0, 3).map(({ jobName }) => jobName).join(", ") || "none";
    throw unknown(
      `the previous job ${previousJobName} isn't recorded for resource "${resource}" on this machine; the newest known are: ${known}`,
      "Run a Full: the working directory was lost, or the previous job ran elsewhere or for another resource.",
    );
  }
  const isOther = found.setName !== setName ||
    (found.setId !== null && setId !== null && found.setId !== setId);
  if (isOther) {
    throw unknown(
      `${previousJobName} backed up another replica set (${found.setName}, id ${
        found.setId ?? "unknown"
      }), this is ${setName}, id ${setId ?? "unknown"}`,
      "Run a Full of this set, and give each set a resource= of its own.",
    );
  }
  const [before, now] = [found.scope, scope].map(describeScope);
  if (before !== now) {
    throw unknown(
      `the FileSet says ${now} now, ${previousJobName} had ${before}`,
      "Run a Full: what was added since isn't in the chain.",
    );
  }
  return found;
}

/** Seconds since the newest job ended, or null where none is known. */
export function jobInterval(file: TipsFile | null, now: Date): number | null {
  const newest = file?.tips[0];
  return newest === undefined
    ? null
    : Math.max(0, Math.round((now.getTime() - Date.parse(newest.endedAt)) / 1000));
}

function unknown(reason: string, hint: string): PluginError {
  return new PluginError("parentUnknown", `Cannot continue a chain: ${reason}`, { hint });
}
