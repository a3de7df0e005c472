import { deepStrictEqual } from "node:assert/strict";
import { MemoryLog, MemorySource } from "../../tests/contract/memory.ts";
import { reportSource } from "./source_report.ts";

Deno.test("reportSource() says every member with score and reason in one message, then the warnings", () => {
  const usual = { healthy: true, hidden: false, lagSeconds: 0 };
  const source = Object.assign(new MemorySource({}), {
    deployment: {
      ...new MemorySource({}).deployment,
      source: "a:1",
      chosenBy: "readPreference=nearest",
      members: [
        { ...usual, host: "a:1", state: "SECONDARY", score: 7, reason: "0 s behind" },
        { ...usual, host: "b:1", state: "ARBITER", score: null, reason: "it is an arbiter" },
      ],
    },
    warnings: ["Mind the gap"],
  });
  const log = new MemoryLog();
  reportSource(source, log);
  deepStrictEqual(log.lines, [
    "info Chose a:1 to read from, by readPreference=nearest:\n  * a:1 SECONDARY, score 7: 0 s behind\n    b:1 ARBITER, not usable: it is an arbiter",
    "warning Mind the gap",
  ]);
});

Deno.test("reportSource() says nothing of a server without a choice", () => {
  const log = new MemoryLog();
  reportSource(new MemorySource({}), log);
  deepStrictEqual(log.lines, []);
});
