/** Counting what a stage of the test run says about itself. */

/** Numbers of tests, the names of those that did not run, and what the failed ones said, as far as they can be named. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * The tally of a stage by its exit status and what it counted. A stage that failed without a failed test (a module that couldn't be loaded)
 * has one more.
 */
export function withExitStatus(tally: Tally, success: boolean): Tally {
  return success || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

/** Reads a report in JUnit's format, as `deno test --junit-path` writes it; a test's steps count as tests. */
export function tallyJUnit(report: string): Tally {
  const [skipped, failures]: [string[], string[]] = [[], []];
  let passed = 0;
  const cases = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs;
  for (const [, name = "", module = "", body = ""] of report.matchAll(cases)) {
    const failure = /<(?:failure|error) message="([^"]*)"/.exec(body);
    if (failure !== null) failures.push(unescapeXml(`${module}: ${name}: ${cutOff(failure[1] ?? "")}`));
    else if (/<skipped\b/.test(body)) skipped.push(unescapeXml(name));
    else passed++;
  }
  return { passed, failed: failures.length, failures, skipped };
}

/** Reads the last line of the form `N passed, N failed`; null without one. */
export function tallyText(output: string): Tally | null {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed\b/gm)].at(-1);
  return last === undefined
    ? null
    : { passed: Number(last[1]), failed: Number(last[2]), failures: [], skipped: [] };
}

/** Beginning and end of what a failed assertion says, which may be a long comparison or a job's log. */
function cutOff(message: string): string {
  const lines = message.split("\n").map((line) => line.slice(0, 300));
  return (lines.length <= 40 ? lines : [...lines.slice(0, 12), "…", ...lines.slice(-27)]).join("\n");
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
