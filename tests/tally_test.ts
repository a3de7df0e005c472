import assert from "node:assert/strict";
import { tallyJUnit, tallyText, withExitStatus } from "./tally.ts";

Deno.test("tallyJUnit counts passed, failed and skipped tests of a real report", async () => {
  const folder = await Deno.makeTempDir({ prefix: "podheitor-tally-" });
  try {
    await Deno.writeTextFile(
      `${folder}/sample_test.ts`,
      `Deno.test("good", () => {});
       Deno.test("bad", () => { throw new Error("<testcase name='x'>"); });
       Deno.test({ name: 'needs <x> & "y"', ignore: true, fn() {} });
       Deno.test("steps", async (t) => { await t.step("inner", () => {}); });`,
    );
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-check", "--junit-path=report.xml"],
      cwd: folder,
    }).output();
    assert.equal(success, false);
    const tally = tallyJUnit(await Deno.readTextFile(`${folder}/report.xml`));
    assert.deepEqual(tally, {
      passed: 3,
      failed: 1,
      failures: ["./sample_test.ts: bad: Uncaught Error: <testcase name='x'>"],
      skipped: ['needs <x> & "y"'],
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tallyJUnit keeps beginning and end of what a long failure says", () => {
  const said = Array.from({ length: 100 }, (_, at) => `line ${at}`);
  const report = `<testcase name="a" classname="b"><failure message="${
    said.join("\n")
  }"></failure></testcase>`;
  const [failure] = tallyJUnit(report).failures;
  const want = ["b: a: line 0", ...said.slice(1, 12), "…", ...said.slice(73)];
  assert.equal(failure, want.join("\n"));
});

Deno.test("tallyText takes the last line of its form, and only a whole one", () => {
  for (
    const { input, want } of [
      {
        input: "1 passed, 0 failed\nmore\n12 passed, 3 failed\n",
        want: { passed: 12, failed: 3, failures: [], skipped: [] },
      },
      { input: "12 passed, 3 failed, 2 skipped", want: { passed: 12, failed: 3, failures: [], skipped: [] } },
      { input: "suite: 12 passed, 3 failed", want: null },
      { input: "", want: null },
    ]
  ) assert.deepEqual(tallyText(input), want, input);
});

Deno.test("withExitStatus adds a failure only where none was counted", () => {
  const clean = { passed: 2, failed: 0, failures: [], skipped: [] };
  const dirty = { passed: 2, failed: 3, failures: [], skipped: [] };
  for (
    const { tally, success, want } of [
      { tally: clean, success: true, want: 0 },
      { tally: clean, success: false, want: 1 },
      { tally: dirty, success: false, want: 3 },
      { tally: dirty, success: true, want: 3 },
    ]
  ) assert.equal(withExitStatus(tally, success).failed, want);
});
