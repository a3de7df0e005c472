/**
 * A resource as its two sidecars tell it.
 *
 * @module
 */

import { type JobRecord, parseStatsLeniently } from "../../backend/state/job_record.ts";
import { parseTipsLeniently, type Tip } from "../../backend/state/tip.ts";

/** `stats` has the last jobs, `tip` where the chain stands. */
export type SidecarKind = "stats" | "tip";

/** What keeps a sidecar, or a job in it, from being read. */
export interface SidecarProblem {
  /** Name of the file. */
  readonly file: string;
  /** A sentence without its full stop. */
  readonly sentence: string;
}

/** A source of backups with all that is known of its jobs. */
export interface Resource {
  readonly name: string;
  /** Newest first; none where the file can't be read. */
  readonly jobs: readonly JobRecord[];
  /** Newest first. */
  readonly tips: readonly Tip[];
  readonly problems: readonly SidecarProblem[];
}

/** A file of the working directory, or why it isn't read. */
export interface SidecarText {
  readonly file: string;
  readonly content: { readonly text: string } | { readonly trouble: string };
}

/** Jobs that can't be read and are named, of one file. */
const namedMax = 10;

const fileName = /^podheitor-mongodb-([A-Za-z0-9][A-Za-z0-9_.-]{0,63})-(stats|tip)\.json$/;

/** Whose sidecar a file is by its name, or null for any other file. */
export function parseSidecarName(file: string): { resource: string; kind: SidecarKind } | null {
  const [, resource, kind] = fileName.exec(file) ?? [];
  return resource === undefined ? null : { resource, kind: kind as SidecarKind };
}

/** A resource of its sidecars' texts; null for a file that isn't there. What can't be read becomes a problem, and nothing else does. */
export function parseResource(
  name: string,
  stats: SidecarText | null,
  tip: SidecarText | null,
): Resource {
  const problems: SidecarProblem[] = [];
  const jobs = parseSidecar(name, stats, problems, (text, file) => {
    const parsed = parseStatsLeniently(text);
    const named = parsed.problems.slice(0, namedMax);
    const others = parsed.problems.length - named.length;
    problems.push(...named.map((sentence) => ({ file, sentence: `It is malformed: ${sentence}` })));
    if (others > 0) problems.push({ file, sentence: `It is malformed: ${others} more of its jobs` });
    return { resource: parsed.resource, entries: parsed.jobs };
  });
  const tips = parseSidecar(name, tip, problems, (text) => {
    const parsed = parseTipsLeniently(text);
    return { resource: parsed.resource, entries: parsed.tips };
  });
  return { name, jobs, tips, problems };
}

function parseSidecar<T>(
  name: string,
  sidecar: SidecarText | null,
  problems: SidecarProblem[],
  parse: (text: string, file: string) => { resource: string; entries: readonly T[] },
): readonly T[] {
  if (sidecar === null) return [];
  const { file, content } = sidecar;
  if ("trouble" in content) {
    problems.push({ file, sentence: content.trouble });
    return [];
  }
  try {
    const { resource, entries } = parse(content.text, file);
    if (resource === name) return entries;
    problems.push({ file, sentence: `It is of the resource ${JSON.stringify(resource.slice(0, 64))}` });
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? "it is no JSON" : (cause as Error).message;
    problems.push({ file, sentence: `It is malformed: ${reason}` });
  }
  return [];
}
