/**
 * The doctor's findings for people and for programs.
 *
 * @module
 */

import { program } from "../../version.ts";
import { formatNumberOf } from "../../job/wording.ts";
import { type Check, type CheckStatus, checkTable } from "./check.ts";

/** What `doctor --json` prints, in one line. Fields are only ever added. */
export interface DoctorReport {
  /** Form of this document. */
  readonly format: "podheitor-mongodb-doctor/1";
  readonly version: string;
  /** RFC 3339. */
  readonly at: string;
  readonly purpose: "backup" | "restore";
  readonly checks: readonly (Check & { readonly group: string })[];
  readonly errors: number;
  readonly warnings: number;
}

/** The document of some findings. */
export function reportOf(
  checks: readonly Check[],
  purpose: DoctorReport["purpose"],
  now: Date,
): DoctorReport {
  const names = Object.keys(checkTable);
  const count = (status: CheckStatus) => checks.filter((one) => one.status === status).length;
  return {
    format: "podheitor-mongodb-doctor/1",
    version: program.version,
    at: now.toISOString(),
    purpose,
    checks: names.flatMap((name) => checks.filter(({ check }) => check === name)).map((one) => ({
      group: checkTable[one.check].group,
      ...one,
    })),
    errors: count("error"),
    warnings: count("warning"),
  };
}

const labels = { ok: "ok     ", warning: "warning", error: "ERROR  ", skipped: "-      " } as const;
const colours = { ok: 32, warning: 33, error: 31, skipped: 2 } as const;
const indent = " ".repeat(labels.ok.length + 4);

/** The lines for a terminal: a heading for each group, a label for each finding, and the remedy behind an arrow. */
export function describeReport({ checks, errors, warnings }: DoctorReport, coloured: boolean): string[] {
  const paint = (status: CheckStatus, text: string) =>
    coloured ? `\x1b[${colours[status]}m${text}\x1b[0m` : text;
  const lines: string[] = [];
  let heading = "";
  for (const { group, status, text, remedy, code } of checks) {
    if (group !== heading) lines.push(...lines.length === 0 ? [] : [""], group);
    heading = group;
    const [first = "", ...others] = text.split("\n");
    lines.push(`  ${paint(status, labels[status])}  ${code === null ? "" : `MONGO-${code} `}${first}`);
    for (const line of others) lines.push(`${indent}${line}`);
    if (remedy !== null) lines.push(`${indent}-> ${remedy}`);
  }
  const verdict = errors > 0
    ? paint("error", `${formatNumberOf(errors, "error")}, ${formatNumberOf(warnings, "warning")}`)
    : warnings > 0
    ? paint("warning", `No error, ${formatNumberOf(warnings, "warning")}`)
    : paint("ok", "All is well");
  return [...lines, "", verdict];
}
