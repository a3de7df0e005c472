/** How chains read on a terminal. */

import { formatBytes, formatNumberOf } from "../job/wording.ts";
import { describeTimestamp, type OplogPosition } from "../timestamp.ts";
import type { ChainFinding, ChainJob, ChainReport, ChainView, Coverage, ResourceChains } from "./chain.ts";

const levels = { F: "Full", I: "Incremental", D: "Differential" } as const;

/** The lines of a report. */
export function describeChains({ resources, findings }: ChainReport): string[] {
  return [
    ...resources.flatMap(describeResource),
    ...findings.map(describeFinding),
    findings.length === 0 ? "clean" : formatNumberOf(findings.length, "finding"),
  ];
}

function describeResource({ resource, chains, unlinked }: ResourceChains): string[] {
  return [
    `Resource ${resource}: ${formatNumberOf(chains.length, "chain")}`,
    ...chains.flatMap((chain, at) => describeChain(chain, at === chains.length - 1)),
    ...unlinked.length === 0 ? [] : ["  In no chain:", ...unlinked.map(describeJob)],
  ];
}

function describeChain({ jobs, covered, next }: ChainView, isLatest: boolean): string[] {
  return [
    `  Chain of ${formatNumberOf(jobs.length, "job")}:`,
    ...jobs.map(describeJob),
    `    Covered: ${
      covered === null ? "the data as the Full read it, no instant" : describeCoverage(covered)
    }`,
    `    Next expected: ${
      next !== null
        ? `an Incremental continuing from ${describePosition(next.from)}, after job ${next.after}`
        : isLatest
        ? "a Full, since the server has no oplog"
        : "nothing, since there is a later chain"
    }`,
  ];
}

function describeJob({ name, level, endedAt, from, to, slice, keyId }: ChainJob): string {
  const reach = to === null
    ? "no oplog"
    : from === null
    ? `to ${describeTimestamp(to)}`
    : `${describeTimestamp(from)} to ${describeTimestamp(to)}`;
  const size = slice === undefined
    ? ""
    : `, ${formatNumberOf(slice.entries, "entry", "entries")}, ${formatBytes(slice.bytes)} in ` +
      formatNumberOf(slice.segments, "segment");
  const seal = keyId === undefined ? "" : keyId === null ? ", NOT SIGNED" : `, signed by ${keyId}`;
  return `    ${name}, ${levels[level]} of ${endedAt}: ${reach}${size}${seal}`;
}

function describeCoverage({ from, to, seconds }: Coverage): string {
  const range = seconds === null
    ? "no whole second"
    : `whole seconds ${seconds.first} (${isoSecond(seconds.first)}) to ${seconds.last} (${
      isoSecond(seconds.last)
    })`;
  return `${describeTimestamp(from)} to ${describeTimestamp(to)}; ${range}`;
}

function describePosition(position: OplogPosition): string {
  return `${describeTimestamp(position)} of term ${position.term}`;
}

function isoSecond(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function describeFinding({ resource, job, problem }: ChainFinding): string {
  return `Finding: ${resource === null ? "" : `${resource}, `}${job}: ${problem}`;
}
