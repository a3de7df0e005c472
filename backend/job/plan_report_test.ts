import assert from "node:assert/strict";
import { MemoryLog } from "../../tests/contract/memory.ts";
import { MemoryTarget } from "../../tests/contract/memory_target.ts";
import { dataFiles, full, oplogFiles, plan, type Request } from "../../tests/contract/planned_chain.ts";
import { formatNamespace } from "../namespace.ts";
import { refuseOccupied, reportDetails, reportPlan, targetsOf } from "./plan_report.ts";

Deno.test("targetsOf() names what the data and the oplog will write to, under new names", () => {
  const targets = (request: Request) =>
    targetsOf(plan(request)).map(({ namespace }) => formatNamespace(namespace));
  assert.deepEqual(targets({}), ["app.a", "app.b", "app.empty", "app.v", "other.c", "other.new"]);
  assert.deepEqual(targets({ ns_from: ["other.*"], ns_to: ["copy.*"], include: ["other.*"] }), [
    "copy.c",
    "copy.new",
  ]);
  // What comes behind the instant isn't written: a job's slice begins behind its parent's last entry.
  assert.deepEqual(targets({ pit: "110:2", include: ["other.*"] }), ["other.c", "other.new"]);
  assert.deepEqual(targets({ pit: "110:1", include: ["other.*"] }), ["other.c"]);
  assert.deepEqual(
    targets({ pit: "110:1", jobs: [full], selected: [...dataFiles, ...oplogFiles.slice(0, 2)] }).length,
    5,
  );
});

Deno.test("reportPlan() and reportDetails() say jobs, instant, namespaces and what is in the way", () => {
  const log = new MemoryLog();
  const made = plan({ pit: "115" });
  reportPlan(made, new MemoryTarget(), log);
  reportDetails(made, [{ database: "app", collection: "a" }], false, log);
  reportDetails(made, [{ database: "app", collection: "a" }], true, log);
  reportDetails(made, [], false, log);
  const text = log.lines.join("\n");
  for (
    const words of [
      'Plan: 5 collections, 4 documents, 40 B of resource "rs0" into memory',
      "restore to 115.4294967295 (1970-01-01T00:01:55Z), inclusive: 3 jobs, 3 pieces of the oplog with up to 6 entries",
      "job Inc2 (I), manifest",
      "not needed, behind the instant",
      "Plan: app.a: 1 oplog entries",
      "warning Plan: app.a would be in the way: the restore would be refused without drop=yes",
      "warning Plan: drop=yes would remove app.a",
      "nothing is in the way",
      "assuming 20.0 MiB of documents and 20,000 entries a second",
    ]
  ) assert.ok(text.includes(words), `${words}\n${text}`);
});

Deno.test("refuseOccupied() refuses what is in the way, unless it may go", () => {
  const target = new MemoryTarget();
  const inTheWay = Array.from({ length: 10 }, (_, at) => ({ database: "app", collection: `c${at}` }));
  refuseOccupied([], false, target);
  refuseOccupied(inTheWay, true, target);
  assert.throws(() => refuseOccupied(inTheWay, false, target), {
    code: "restoreTarget",
    message: /app\.c0, .*app\.c7 and 2 more are not empty/,
    hint: /drop=yes/,
  });
  assert.throws(() => refuseOccupied(inTheWay.slice(9), false, target), { message: /app\.c9 is not empty/ });
});
