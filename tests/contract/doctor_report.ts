/**
 * The doctor's findings for tests of servers.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CheckName, CheckStatus } from "../../backend/commands/doctor/check.ts";
import { examine } from "../../backend/commands/doctor/doctor.ts";
import type { DoctorReport } from "../../backend/commands/doctor/report.ts";
import type { Purpose } from "../../backend/mongo/privileges.ts";

/** What is examined. */
interface Asked {
  readonly command: string;
  readonly purpose?: Purpose;
  readonly workingDirectory?: string;
  readonly intervalSeconds?: number;
  /** How far this machine's clock is off. */
  readonly now?: () => Date;
}

/** Has a server examined. */
export async function ask(
  { command, purpose = "backup", now = () => new Date(), ...rest }: Asked,
): Promise<DoctorReport> {
  return await examine({
    pluginCommand: `podheitor-mongodb: ${command} sign=no`,
    purpose,
    workingDirectory: "/nowhere",
    configPath: "/nowhere/bacula-fd.conf",
    intervalSeconds: undefined,
    clock: { now },
    ...rest,
  });
}

/** The findings of a check, as `status text`. */
export function say(report: DoctorReport, check: CheckName): string {
  return report.checks.filter((one) => one.check === check).map(({ status, code, text, remedy }) =>
    `${status} ${code ?? ""} ${text} -> ${remedy}`
  ).join("\n");
}

/** The worst that a check says. */
function statusOf(report: DoctorReport, check: CheckName): CheckStatus | undefined {
  const found = report.checks.filter((one) => one.check === check).map(({ status }) => status);
  return (["error", "warning", "ok", "skipped"] as const).find((status) => found.includes(status));
}

/** Holds the worst of what each check says against what is wanted. */
export function assertStatus(report: DoctorReport, wanted: Partial<Record<CheckName, CheckStatus>>): void {
  for (const [check, status] of Object.entries(wanted) as [CheckName, CheckStatus][]) {
    assert.equal(statusOf(report, check), status, `${check}: ${say(report, check)}`);
  }
}
