import assert from "node:assert/strict";
import { PluginError } from "../../errors.ts";
import { Findings } from "./check.ts";
import { describeReport, reportOf } from "./report.ts";

const now = new Date("2026-11-23T08:15:00Z");

function sample(): Findings {
  const findings = new Findings();
  findings.warn("clock", "It is late", "Go to bed.");
  findings.skip(["scope"], "Nobody knows");
  findings.ok("command", "first\nsecond");
  findings.failure("login", new PluginError("authentication", "No", { hint: "Yes." }));
  return findings;
}

Deno.test("reportOf() orders by the table of checks, counts, and gives each its group", () => {
  const { checks, errors, warnings, at, format } = reportOf(sample().all, "backup", now);
  assert.deepEqual(checks.map(({ group, check, status, code }) => [group, check, status, code]), [
    ["Plugin command", "command", "ok", null],
    ["Connection", "login", "error", 302],
    ["Connection", "clock", "warning", null],
    ["Server", "scope", "skipped", null],
  ]);
  assert.deepEqual([errors, warnings, at, format], [1, 1, now.toISOString(), "podheitor-mongodb-doctor/1"]);
});

Deno.test("describeReport() has a heading for each group, remedies behind arrows, and a verdict", () => {
  const lines = describeReport(reportOf(sample().all, "backup", now), false);
  assert.deepEqual(lines, [
    "Plugin command",
    "  ok       first",
    "           second",
    "",
    "Connection",
    "  ERROR    MONGO-302 No",
    "           -> Yes.",
    "  warning  It is late",
    "           -> Go to bed.",
    "",
    "Server",
    "  -        Nobody knows",
    "",
    "1 error, 1 warning",
  ]);
  assert.deepEqual(describeReport(reportOf([], "restore", now), false), ["", "All is well"]);
  const coloured = describeReport(reportOf(sample().all, "backup", now), true).join("\n");
  assert.ok(coloured.includes("\x1b[31mERROR  \x1b[0m"), coloured);
});
