/**
 * The whole test run, `deno task test`: every stage in turn, live, and a count of everything in the last line.
 *
 *     deno task test [--older] [--long] [stage…]
 *
 * `--older` adds the end-to-end tests on MongoDB 5.0 and 4.4; `--long` has the faults tried more often, and on more. What a stage needs and the machine lacks is fetched or installed.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { BaculaPrograms } from "./lab/bacula_programs.ts";
import { FalseClock } from "./lab/false_clock.ts";
import { findMongod, type MongodSeries } from "./lab/mongod_binary.ts";
import { ensureTools } from "./lab/tools.ts";
import { type Tally, tallyJUnit, tallyText, withExitStatus } from "./tally.ts";

const checkout = new URL("..", import.meta.url).pathname;
// The programs that tests start by name must find this very Deno, wherever it came from.
const env: Record<string, string> = {
  PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH") ?? ""}`,
};
const endToEnd = ["tests/e2e", "tests/faults"];
/** Folders of other stages of their own. */
const others = ["tests/lab", "tests/boot", "tests/monitoring", "tests/package", "tests/workflows"];

interface Stage {
  readonly name: string;
  /** Runs only when it is asked for: by its name, or by `--older`. */
  readonly onRequest?: "older" | "name";
  /** Whether there is anything to run yet. */
  exists?(): boolean;
  run(): Promise<Tally>;
}

const stages: readonly Stage[] = [
  { name: "fmt", run: () => gate("fmt", "--check") },
  { name: "lint", run: () => gate("lint") },
  { name: "check", run: () => gate("check", ".") },
  { name: "cshim", exists: () => isThere("cshim/Makefile"), run: testShim },
  { name: "unit", run: () => denoTest([], [...endToEnd, ...others]) },
  { name: "lab", run: () => serverTest(["tests/lab"]) },
  { name: "monitoring", run: () => serverTest(["tests/monitoring"]) },
  { name: "boot", run: testBoot },
  { name: "workflows", run: () => denoTest(["tests/workflows"]) },
  { name: "package", run: () => serverTest(["tests/package"]) },
  endToEndStage("e2e"),
  { ...endToEndStage("e2e-5.0", "5.0"), onRequest: "older" },
  { ...endToEndStage("e2e-4.4", "4.4"), onRequest: "older" },
  // A part of the stage e2e.
  { name: "faults", onRequest: "name", run: () => serverTest(["tests/faults"]) },
];

/** The stages that arguments name; how long they may take goes into the tests' environment. Throws a TypeError for arguments that mean nothing. */
function chooseStages(args: string[]): Stage[] {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { older: { type: "boolean" }, long: { type: "boolean" } },
  });
  const unknown = positionals.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    throw new TypeError(
      `no stage is called ${unknown.join(", ")}; there are ${stages.map(({ name }) => name).join(", ")}`,
    );
  }
  if (values.long) env["PODHEITOR_LONG"] = "yes";
  const isWanted = ({ name, onRequest }: Stage) =>
    positionals.length > 0
      ? positionals.includes(name)
      : onRequest === undefined || (onRequest === "older" && values.older === true);
  return stages.filter(isWanted).filter(({ exists }) => exists?.() ?? true);
}

async function runStages(chosen: readonly Stage[]): Promise<number> {
  const rows: { name: string; tally: Tally; seconds: number }[] = [];
  for (const { name, run } of chosen) {
    console.log(`\n=== ${name}`);
    const started = performance.now();
    const tally = await run().catch((cause): Tally => {
      console.error(cause instanceof Error ? cause.message : cause);
      return { passed: 0, failed: 1, failures: [`${name}: ${cause}`], skipped: [] };
    });
    rows.push({ name, tally, seconds: (performance.now() - started) / 1000 });
  }
  console.log("");
  // Again, at the end: logs are often kept by their last lines only.
  for (const failure of rows.flatMap(({ tally }) => tally.failures)) console.log(`FAILED  ${failure}`);
  for (const { name, tally, seconds } of rows) {
    const verdict = tally.failed > 0 ? "FAILED" : "ok    ";
    console.log(`${verdict}  ${name.padEnd(10)}  ${describe(tally)}  (${seconds.toFixed(1)} s)`);
  }
  const total = {
    passed: rows.reduce((sum, { tally }) => sum + tally.passed, 0),
    failed: rows.reduce((sum, { tally }) => sum + tally.failed, 0),
    skipped: rows.flatMap(({ name, tally }) => tally.skipped.map((test) => `${name}: ${test}`)),
  };
  for (const test of total.skipped) console.log(`skipped  ${test}`);
  console.log(describe(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function describe({ passed, failed, skipped }: Omit<Tally, "failures">): string {
  return `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`;
}

/** A command of Deno's that is in order or not: one test. */
async function gate(...args: string[]): Promise<Tally> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: checkout, stdin: "null" });
  const { success } = await command.spawn().status;
  return { passed: Number(success), failed: Number(!success), failures: [], skipped: [] };
}

function endToEndStage(name: string, series?: MongodSeries): Stage {
  const folders = endToEnd.filter(holdsTests);
  return { name, exists: () => folders.length > 0, run: () => serverTest(folders, series) };
}

/** Runs tests that start real servers, which are fetched before: what a test prints is only seen at its end. */
async function serverTest(paths: readonly string[], series?: MongodSeries): Promise<Tally> {
  await findMongod(series);
  await BaculaPrograms.find();
  if (paths.includes("tests/faults")) await FalseClock.fetch();
  return await denoTest(paths, [], series === undefined ? {} : { PODHEITOR_MONGOD_VERSION: series });
}

/** Runs test modules one after the other; types are the stage `check`'s business. */
async function denoTest(
  paths: readonly string[],
  ignored: readonly string[] = [],
  setting: Record<string, string> = {},
): Promise<Tally> {
  const report = await Deno.makeTempFile({ prefix: "podheitor-junit-" });
  try {
    const ignore = ignored.length > 0 ? [`--ignore=${ignored.join(",")}`] : [];
    const args = ["test", "-A", "--no-check", `--junit-path=${report}`, ...ignore, ...paths];
    const options = { args, cwd: checkout, env: { ...env, ...setting }, stdin: "null" } as const;
    const { success } = await new Deno.Command(Deno.execPath(), options).spawn().status;
    return withExitStatus(tallyJUnit(await Deno.readTextFile(report)), success);
  } finally {
    await Deno.remove(report);
  }
}

async function testShim(): Promise<Tally> {
  await ensureTools(["gcc", "make", "clang", "clang-runtime"]);
  const args = ["-C", "cshim", "test"];
  const make = new Deno.Command("make", { args, cwd: checkout, env, stdin: "null", stdout: "piped" }).spawn();
  const [shown, kept] = make.stdout.tee();
  const [output] = await Promise.all([
    new Response(kept).text(),
    shown.pipeTo(Deno.stdout.writable, { preventClose: true }),
  ]);
  const { success } = await make.status;
  const tally = tallyText(output);
  if (tally === null && success) throw new Error("make test ended well without a line `N passed, N failed`");
  return withExitStatus(tally ?? { passed: 0, failed: 0, failures: [], skipped: [] }, success);
}

/** Boots a system in a container, which takes a machine that may make one. */
async function testBoot(): Promise<Tally> {
  const mounting = new Deno.Command("unshare", {
    args: ["--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"],
    stdin: "null",
    stderr: "null",
  });
  const { success } = await mounting.output();
  if (success) return await denoTest(["tests/boot"]);
  return {
    passed: 0,
    failed: 0,
    failures: [],
    skipped: ["the exporter's unit: this machine may not start a container"],
  };
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(`${checkout}${path}`);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

function holdsTests(folder: string): boolean {
  if (!isThere(folder)) return false;
  return [...Deno.readDirSync(`${checkout}${folder}`)].some(({ name, isDirectory }) =>
    isDirectory ? holdsTests(`${folder}/${name}`) : name.endsWith("_test.ts")
  );
}

function readArguments(): Stage[] {
  try {
    return chooseStages(Deno.args);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    console.error(`Cannot run the tests: ${cause.message}`);
    Deno.exit(2);
  }
}

Deno.exit(await runStages(readArguments()));
