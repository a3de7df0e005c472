/**
 * The backend's executable. `job` serves the File Daemon's plugin; the other commands work on a folder in place of Bacula.
 *
 * Exit status: 0 clean, 1 failed or with findings, 2 could not run.
 *
 * @module
 */

import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { readFolderChains } from "./commands/chain.ts";
import { describeChains } from "./commands/chain_text.ts";
import { readTipChains } from "./commands/chain_tips.ts";
import { examine } from "./commands/doctor/doctor.ts";
import { describeReport } from "./commands/doctor/report.ts";
import { serveJob } from "./commands/job.ts";
import { generateKey } from "./commands/keygen.ts";
import { findTrust, systemClock } from "./commands/machine.ts";
import { prepareRestore } from "./commands/prepare_restore.ts";
import { rehearse } from "./commands/rehearse.ts";
import { backUpToFolder, restoreFromFolder, stamp } from "./commands/standalone.ts";
import { TerminalListener } from "./commands/terminal.ts";
import { describeJob, verifyFolders } from "./commands/verify.ts";
import { asPluginError, PluginError } from "./errors.ts";
import { parseDuration } from "./options/duration.ts";
import { BackendAbort } from "./protocol/file_daemon_session.ts";
import { defaultWorkingDirectory } from "./state/atomic_file.ts";
import { program } from "./version.ts";

const usage = `Usage:
  podheitor-mongodb-backend backup  --to DIR [--level F|I|D] [--job NAME] [--previous NAME] [--working-dir DIR] [--json] "podheitor-mongodb: …"
  podheitor-mongodb-backend restore --from DIR [--job NAME] [--where DIR] [--only NAME]… [--working-dir DIR] [--key FILE] [--json] "podheitor-mongodb: …"
  podheitor-mongodb-backend rehearse --from DIR [--job NAME] [--working-dir DIR] [--key FILE] [--json] ["podheitor-mongodb: pit=… include=…"]
  podheitor-mongodb-backend doctor  [--restore] [--working-dir DIR] [--config FILE] [--interval 24h] [--json] "podheitor-mongodb: …"
  podheitor-mongodb-backend verify  DIR [--key FILE] [--json]
  podheitor-mongodb-backend chain   DIR|--working-dir DIR [--key FILE] [--json]
  podheitor-mongodb-backend prepare-restore resource=NAME key=value… [--working-dir DIR]
  podheitor-mongodb-backend keygen  FILE
  podheitor-mongodb-backend job     --kind B|R|E|L|Q --working-dir DIR (spoken to by the File Daemon's plugin)
  podheitor-mongodb-backend --version | --help

DIR holds one sub-folder a job. backup --to /dev/null reads everything and keeps nothing. --where / restores into the server, any other folder gets
mongodump's layout. restore --from also takes a folder that mongodump wrote, which has no signature: say allow_unsigned=yes in the plugin command.
--only takes virtual names as verify lists them. --key names trusted public keys.
doctor examines all that a backup (--restore: a restore) with that plugin command takes: installation, permissions, keys, the way to the server, the login's
privileges, the oplog, the jobs so far. It writes nothing to the server and leaves nothing here. Run it as root or as the File Daemon's user, with the File Daemon's
environment. --config names bacula-fd.conf, --interval says how often jobs run (90s, 30m, 24h, 7d; by default as the last ones did). It ends with 1 where it found an
error; warnings alone are 0. Its --json is one document: checks[], each with group, check, status (ok, warning, error, skipped), text, remedy, code; errors, warnings.
rehearse restores into a mongod of its own, below the working directory, reads everything back, compares, and removes it; with findings, it ends with 1.
chain links the jobs of a folder, or those that a File Daemon's working directory knows, from Fulls to the last Incremental: what instants they cover,
what is missing, and what is expected next. Its --json is one document: resources[], each with resource, chains[] (jobs[], first to last; covered: from, to
and seconds, the Unix seconds first and last whose end is covered; next: level, from, after) and unlinked[]; and findings[], each with resource, job, problem.
prepare-restore leaves options for the next restore of a resource on this machine, in the File Daemon's working directory (${defaultWorkingDirectory}
by default): for an hour, for one restore, which fails if it can't use them. What is said at the restore's prompt comes before them, the plugin command behind.
keygen makes a key that signs: the private half in FILE, of mode 0600, the public one in FILE.pub. It overwrites nothing.
Exit status: 0 clean, 1 failed or with findings, 2 could not run.`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "job":
      // For the launcher, which knows by them what the job may do; the job is told what it is by the plugin.
      parse(rest, { kind: text, "working-dir": text });
      return await serveJob(standardStreams, { trustedCommand: false, verifyPayload: true }) ? 0 : 1;
    case "backup":
      return await backup(rest);
    case "restore":
      return await restore(rest);
    case "rehearse":
      return await rehearsal(rest);
    case "doctor":
      return await doctor(rest);
    case "verify":
      return await verify(rest);
    case "chain":
      return await chain(rest);
    case "prepare-restore":
      return await prepare(rest);
    case "keygen":
      return await keygen(rest);
    case "--version":
      console.log(`${program.name} ${program.version}`);
      return 0;
    case "--help":
      console.log(usage);
      return 0;
    default:
      throw new PluginError(
        "usage",
        command === undefined ? "No command is given" : `There is no command "${command}"`,
        { hint: usage },
      );
  }
}

const standardStreams = {
  read: (into: Uint8Array) => Deno.stdin.read(into),
  write: async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  },
  close: () => {},
};

async function backup(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    to: text,
    level: text,
    job: text,
    previous: text,
    "working-dir": text,
    json: flag,
  });
  const level = values.level ?? "F";
  if (level !== "F" && level !== "I" && level !== "D") {
    throw wrongUse(`--level is "${level}", wanted F, I or D`);
  }
  return await run(values.json === true, (listener, signal) =>
    backUpToFolder({
      pluginCommand: onlyPositional(positionals, "a plugin command"),
      to: required(values.to, "--to"),
      level,
      jobName: values.job ?? `standalone.${stamp()}`,
      previousJobName: values.previous,
      workingDirectory: values["working-dir"] ?? Deno.cwd(),
      listener,
      signal,
    }));
}

async function restore(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    from: text,
    job: text,
    where: text,
    only: { type: "string", multiple: true },
    "working-dir": text,
    key: text,
    json: flag,
  });
  return await run(values.json === true, (listener, signal) =>
    restoreFromFolder({
      pluginCommand: onlyPositional(positionals, "a plugin command"),
      from: required(values.from, "--from"),
      jobName: values.job,
      where: values.where ?? "/",
      only: values.only ?? [],
      workingDirectory: values["working-dir"] ?? Deno.cwd(),
      listener,
      signal,
      ...(values.key === undefined ? {} : { keyFile: values.key }),
    }));
}

async function rehearsal(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    from: text,
    job: text,
    "working-dir": text,
    key: text,
    json: flag,
  });
  let isProven = false;
  const status = await run(values.json === true, async (listener, signal) => {
    const done = await rehearse({
      pluginCommand: onlyPositional(
        positionals.length === 0 ? ["podheitor-mongodb:"] : positionals,
        "a plugin command",
      ),
      from: required(values.from, "--from"),
      jobName: values.job,
      workingDirectory: values["working-dir"] ?? Deno.cwd(),
      listener,
      signal,
      ...(values.key === undefined ? {} : { keyFile: values.key }),
    });
    isProven = done.proven;
    return done;
  });
  return isProven ? status : 1;
}

async function doctor(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    restore: flag,
    "working-dir": text,
    config: text,
    interval: text,
    json: flag,
  });
  const { interval } = values;
  const seconds = interval === undefined ? undefined : parseDuration(interval);
  if (seconds === null) throw wrongUse(`--interval is "${interval}", wanted 90s, 30m, 24h, 7d or the like`);
  const report = await examine({
    pluginCommand: onlyPositional(positionals, "a plugin command"),
    purpose: values.restore === true ? "restore" : "backup",
    workingDirectory: values["working-dir"] ?? defaultWorkingDirectory,
    configPath: values.config,
    intervalSeconds: seconds,
    clock: systemClock,
  });
  if (values.json === true) console.log(JSON.stringify(report));
  else {
    const isColoured = Deno.stdout.isTerminal() && !Deno.noColor;
    for (const line of describeReport(report, isColoured)) console.log(line);
  }
  return report.errors === 0 ? 0 : 1;
}

async function verify(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { key: text, json: flag });
  const jobs = await verifyFolders(onlyPositional(positionals, "a folder"), await findTrust(values.key));
  if (values.json === true) console.log(JSON.stringify(jobs));
  else for (const line of jobs.flatMap(describeJob)) console.log(line);
  if (jobs.length === 0) throw wrongUse("the folder holds no job");
  return jobs.every(({ findings }) => findings.length === 0) ? 0 : 1;
}

async function prepare(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { "working-dir": text });
  const lines = await prepareRestore(
    positionals,
    values["working-dir"] ?? defaultWorkingDirectory,
    new Date(),
  );
  for (const line of lines) console.log(line);
  return 0;
}

async function keygen(args: string[]): Promise<number> {
  const path = onlyPositional(parse(args, {}).positionals, "a file for the key");
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  for (const line of await generateKey(absolute, new Date())) console.log(line);
  return 0;
}

async function chain(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { "working-dir": text, key: text, json: flag });
  const tips = values["working-dir"];
  if (tips !== undefined && (positionals.length > 0 || values.key !== undefined)) {
    throw wrongUse("--working-dir goes with neither a folder nor --key");
  }
  const report = tips === undefined
    ? await readFolderChains(
      onlyPositional(positionals, "a folder, or --working-dir,"),
      await findTrust(values.key),
    )
    : await readTipChains(tips);
  if (report.resources.length + report.findings.length === 0) throw wrongUse("no job is there");
  if (values.json === true) console.log(JSON.stringify(report));
  else for (const line of describeChains(report)) console.log(line);
  return report.findings.length === 0 ? 0 : 1;
}

/** Runs a job that Ctrl-C and SIGTERM cancel, and says how it ended. */
async function run<T extends object>(
  json: boolean,
  job: (listener: TerminalListener, signal: AbortSignal) => Promise<T>,
): Promise<number> {
  const listener = new TerminalListener(json);
  const stop = new AbortController();
  const cancel = () => stop.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, cancel);
  try {
    const totals = await job(listener, stop.signal);
    if (json) console.log(JSON.stringify({ outcome: "success", ...totals }));
    else listener.line("Done");
    return 0;
  } catch (cause) {
    if (cause instanceof PluginError && cause.code === "usage") throw cause;
    const report = cause instanceof BackendAbort ? cause.message : asPluginError(cause).report;
    if (json) console.log(JSON.stringify({ outcome: "failed", error: report }));
    console.error(report);
    return 1;
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, cancel);
  }
}

function parse<T extends ParseArgsOptionsConfig>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw wrongUse(cause instanceof Error ? cause.message : String(cause));
  }
}

function onlyPositional(positionals: readonly string[], what: string): string {
  const [only, ...others] = positionals;
  if (only === undefined || others.length > 0) {
    throw wrongUse(`wanted ${what} and no other argument, got ${positionals.length}`);
  }
  return only;
}

function required(value: string | undefined, option: string): string {
  if (value === undefined) throw wrongUse(`${option} is missing`);
  return value;
}

function wrongUse(reason: string): PluginError {
  return new PluginError("usage", `Cannot run: ${reason}`, { hint: "See --help." });
}

/** What nobody was there to catch, such as in the driver's own timers, ends the job with a sentence: the plugin shows a backend's last words. */
function dieOf(thrown: unknown): never {
  console.error(asPluginError(thrown).report);
  Deno.exit(1);
}

if (import.meta.main) {
  globalThis.addEventListener("unhandledrejection", (event) => dieOf(event.reason));
  globalThis.addEventListener("error", (event) => dieOf(event.error));
  try {
    Deno.exit(await main(Deno.args));
  } catch (cause) {
    console.error(asPluginError(cause).report);
    Deno.exit(2);
  }
}
