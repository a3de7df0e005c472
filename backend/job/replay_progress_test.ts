import assert from "node:assert/strict";
import { MemoryLog } from "../../tests/contract/memory.ts";
import { until } from "../../tests/lab/condition.ts";
import { reportReplay } from "./replay_progress.ts";

Deno.test("reportReplay() says again and again how far a replay is, until it is disposed of", async () => {
  const log = new MemoryLog();
  const replay = {
    progress: { operations: 0, commands: 1, last: null as { t: number; i: number; term: number } | null },
  };
  {
    using _reports = reportReplay(replay, { t: 1_700_000_100, i: 1 }, log, 5);
    await until("a first line", 10_000, () => Promise.resolve(log.lines.length > 0));
    replay.progress = { operations: 1_234_567, commands: 2, last: { t: 1_700_000_000, i: 7, term: 1 } };
    const count = log.lines.length;
    await until("another line", 10_000, () => Promise.resolve(log.lines.length > count));
  }
  assert.equal(
    log.lines[0],
    "info Replaying the oplog: 0 operations and 1 command in 0 s, on to 1700000100.1 (2023-11-14T22:15:00Z)",
  );
  assert.equal(
    log.lines.at(-1),
    "info Replaying the oplog: 1,234,567 operations and 2 commands in 0 s, " +
      "from 1700000000.7 (2023-11-14T22:13:20Z) on to 1700000100.1 (2023-11-14T22:15:00Z)",
  );
});
