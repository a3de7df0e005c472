/**
 * Examines everything that a job takes, and does none of it: nothing is written to the server, and nothing is left on this machine.
 *
 * @module
 */

import { ScopedSource, scopeOf } from "../../job/backup_scope.ts";
import { reportSource } from "../../job/source_report.ts";
import { closeClient } from "../../mongo/client.ts";
import type { LoginFacts } from "../../mongo/server_examination.ts";
import { openSource } from "../../mongo/source.ts";
import { openForWriting } from "../../mongo/topology.ts";
import { parsePluginCommand } from "../../options/command.ts";
import type { Options } from "../../options/table.ts";
import type { Clock, Deployment } from "../../ports.ts";
import type { Secret } from "../../secret.ts";
import { nameResource, rehearsedBackup } from "../job.ts";
import { toolsFolder } from "../machine.ts";
import { examineJobs, examineOplog } from "./chain_checks.ts";
import { type CheckName, Findings } from "./check.ts";
import { examineConnection, examinePrivileges } from "./connection.ts";
import { examineInstallation, readFileDaemon } from "./installation.ts";
import { examineSigningKey, examineTrustedKeys } from "./keys.ts";
import { examineSecrets, examineWorkingDirectory } from "./permissions.ts";
import { type DoctorReport, reportOf } from "./report.ts";

/** What is to be examined. */
export interface Examination {
  readonly pluginCommand: string;
  readonly purpose: "backup" | "restore";
  readonly workingDirectory: string;
  /** Where bacula-fd.conf is; undefined for the usual places. */
  readonly configPath: string | undefined;
  /** Seconds between two jobs; undefined for what the last ones had. */
  readonly intervalSeconds: number | undefined;
  readonly clock: Clock;
}

/** Checks that take a server. */
const connectionChecks: readonly CheckName[] = ["address", "port", "tls", "login", "clock"];
const serverChecks: readonly CheckName[] = ["server", "member", "privileges"];
const backupChecks: readonly CheckName[] = ["scope", "oplog_window", "continuation"];
const jobChecks: readonly CheckName[] = ["last_job", "chain"];

/** Runs every check. Never rejects for what it finds. */
export async function examine(examination: Examination): Promise<DoctorReport> {
  const findings = new Findings();
  const { pluginCommand, purpose, workingDirectory, configPath, clock } = examination;
  const options = await findings.attempt("command", () => parsePluginCommand(pluginCommand));
  if (options !== null) await examineCommand(options, purpose, findings);
  const fileDaemon = await readFileDaemon(configPath ?? null, findings);
  await examineInstallation(fileDaemon, findings);
  await examineWorkingDirectory(workingDirectory, fileDaemon, findings);
  const uri = options === null ? null : await examineSecrets(options, findings);
  if (purpose === "backup") await examineSigningKey(options?.sign ?? true, findings);
  await examineTrustedKeys(clock.now(), findings);
  if (options === null || uri === null) {
    const because = options === null
      ? "The plugin command can't be read"
      : "There is no connection string to use";
    findings.skip([...connectionChecks, ...serverChecks], because);
    if (purpose === "backup") await examineWithoutServer(options, examination, findings, because);
  } else if (purpose === "backup") await examineSource(uri, options, examination, findings);
  else await examineTarget(uri, options, findings);
  return reportOf(findings.all, purpose, clock.now());
}

async function examineCommand(
  options: Options,
  purpose: Examination["purpose"],
  findings: Findings,
): Promise<void> {
  if (purpose === "backup" && options.mode === "rehearse") findings.failure("command", rehearsedBackup());
  else findings.ok("command", `mode=${options.mode}, engine=${options.engine}`);
  if (options.engine === "native") return;
  const tool = purpose === "backup" ? "mongodump" : "mongorestore";
  const folder = toolsFolder();
  const path = folder === undefined ? null : `${folder.replace(/\/$/, "")}/${tool}`;
  const isThere = path !== null && await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  if (isThere) findings.ok("tools", `${path} is there`);
  else {
    findings.fail(
      "tools",
      path === null ? "PODHEITOR_MONGODB_TOOLS isn't set, and engine=mongodump is" : `${path} isn't there`,
      "Install MongoDB's database tools, and name their folder in the File Daemon's environment: PODHEITOR_MONGODB_TOOLS=/usr/bin.",
    );
  }
}

/** What the working directory knows, where no server says which resource it is. */
async function examineWithoutServer(
  options: Options | null,
  { workingDirectory, clock }: Examination,
  findings: Findings,
  because: string,
): Promise<void> {
  findings.skip(backupChecks, because);
  const resource = options?.resource ?? null;
  if (resource === null) findings.skip(jobChecks, `${because}, and the plugin command names no resource`);
  else await examineJobs(workingDirectory, resource, clock.now(), findings);
}

async function examineSource(
  uri: Secret,
  options: Options,
  examination: Examination,
  findings: Findings,
): Promise<void> {
  const { workingDirectory, intervalSeconds, clock } = examination;
  const login = await examineConnection(uri, findings);
  if (login === null) {
    findings.skip(serverChecks, "No server can be asked");
    return await examineWithoutServer(options, examination, findings, "No server can be asked");
  }
  await using opened = await findings.attempt("member", () => openSource(uri, options));
  if (opened === null) {
    findings.skip(["server", "privileges"], "No member can be read");
    return await examineWithoutServer(options, examination, findings, "No member can be read");
  }
  const { deployment } = opened;
  describeServer(deployment, findings);
  reportSource(
    opened,
    findings.logOf("member", "See the Plugin line's source=, avoid= and readPreference=, or mend the set."),
  );
  if (deployment.members.length === 0) findings.ok("member", `${deployment.source} is the only one there is`);
  const source = new ScopedSource(opened, scopeOf(options));
  const databases = await examineScope(source, options, login, findings);
  examinePrivileges(login, deployment, { purpose: "backup", options, databases }, findings);
  const resource = nameResource(options, deployment);
  const known = await examineJobs(workingDirectory, resource, clock.now(), findings);
  await examineOplog(
    opened,
    { resource, options, intervalSeconds: intervalSeconds ?? null },
    known,
    findings,
  );
}

/** Resolves to the names of the databases, as far as the login is told them. */
async function examineScope(
  source: ScopedSource,
  options: Options,
  { isOpen, users }: LoginFacts,
  findings: Findings,
): Promise<readonly string[]> {
  const named = options.database.includes("*") ? [] : options.database;
  if (!isOpen && users.length === 0) {
    findings.skip(["scope"], "Nobody is logged in");
    return named;
  }
  const databases = await findings.attempt("scope", () => source.listDatabases());
  if (databases === null) return named;
  findings.ok("scope", `To be backed up: ${databases.join(", ") || "no database"}`);
  return databases;
}

async function examineTarget(uri: Secret, options: Options, findings: Findings): Promise<void> {
  const login = await examineConnection(uri, findings);
  if (login === null) return findings.skip(serverChecks, "No server can be asked");
  const connection = await findings.attempt("member", () => openForWriting(uri));
  if (connection === null) return findings.skip(["server", "privileges"], "No member can be written to");
  const { client, deployment } = connection;
  await closeClient(client);
  describeServer(deployment, findings);
  findings.ok("member", `A restore would go to ${deployment.source}`);
  examinePrivileges(login, deployment, { purpose: "restore", options, databases: [] }, findings);
}

function describeServer(deployment: Deployment, findings: Findings): void {
  const { kind, setName, serverVersion, featureCompatibilityVersion } = deployment;
  const compatibility = featureCompatibilityVersion || "not told";
  findings.ok(
    "server",
    `MongoDB ${serverVersion}, ${
      kind === "standalone" ? "standalone" : `replica set ${setName}`
    }, feature compatibility ${compatibility}`,
  );
}
