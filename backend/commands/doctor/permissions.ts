/**
 * What the user that jobs run as may do on this machine.
 *
 * @module
 */

import { statfs } from "node:fs/promises";
import { FileSpool } from "../../folder/spool.ts";
import { formatBytes } from "../../job/wording.ts";
import { readAddress } from "../../mongo/client.ts";
import { passwordWarning, resolveUri, transportWarnings } from "../../options/credentials.ts";
import type { Options } from "../../options/table.ts";
import type { Secret } from "../../secret.ts";
import { machineSecrets } from "../machine.ts";
import type { Findings } from "./check.ts";
import { type FileDaemon, octal, reason } from "./installation.ts";

/** Room for tip and statistics, and for what a restore puts aside of the oplog. */
const fewBytes = 1 << 30;
const noBytes = 64 << 20;

/** As whom this runs, and whether that user can work in the working directory. */
export async function examineWorkingDirectory(
  path: string,
  { configPath, workingDirectory }: FileDaemon,
  findings: Findings,
): Promise<void> {
  const owner = await Deno.stat(path).then(({ uid }) => uid, () => null);
  const [uid, own, its] = [Deno.uid(), await nameOf(Deno.uid()), await nameOf(owner)];
  if (uid === 0) {
    findings.warn(
      "user",
      "This runs as root, which no job needs",
      "Make the user bacula, or another one that PODHEITOR_MONGODB_USER names in the File Daemon's environment; jobs then run as that user, and so does this.",
    );
  } else if (owner !== null && owner !== uid) {
    findings.warn(
      "user",
      `This runs as ${own}, the working directory is ${its}'s: what follows is true of ${own} only`,
      `Run this as root or as ${its}, as whom jobs run.`,
    );
  } else findings.ok("user", `This runs as ${own}, and so do jobs`);
  if (owner === null) {
    findings.fail(
      "working_directory",
      `${path} can't be looked into`,
      "Make it, or name the File Daemon's working directory with --working-dir.",
    );
    findings.skip(["disk_space"], "There is no working directory to look at");
    return;
  }
  if (workingDirectory !== null && await realPath(workingDirectory) !== await realPath(path)) {
    findings.warn(
      "working_directory",
      `${configPath} says WorkingDirectory = ${workingDirectory}, this looks at ${path}`,
      `Say --working-dir ${workingDirectory}`,
    );
  }
  await examineMode(path, findings);
  await examineWriting(path, findings);
  await examineSpace(path, findings);
}

async function examineMode(path: string, findings: Findings): Promise<void> {
  const { mode, isDirectory } = await Deno.stat(path);
  const bits = mode ?? 0;
  if (!isDirectory) {
    findings.fail("working_directory", `${path} is no directory`, "Correct --working-dir.");
  } else if ((bits & 0o002) !== 0) {
    findings.fail(
      "working_directory",
      `${path} has mode ${octal(mode)}: any user can forge where the last jobs ended, or end jobs`,
      `Run: chmod o-w ${path}`,
    );
  } else if ((bits & 0o020) !== 0) {
    findings.warn(
      "working_directory",
      `${path} has mode ${octal(mode)}: its group can forge where the last jobs ended`,
      `Run: chmod g-w ${path}, unless the group is the File Daemon's own`,
    );
  }
}

/** As a job does it: a file that has no name any more before anything is in it. */
async function examineWriting(path: string, findings: Findings): Promise<void> {
  try {
    await using spool = new FileSpool(path);
    await spool.put(new Uint8Array(1));
    const strangers: string[] = [];
    for await (const { name } of Deno.readDir(path)) {
      if (!name.startsWith("podheitor-mongodb-")) continue;
      if ((await Deno.lstat(`${path}/${name}`)).uid !== Deno.uid()) strangers.push(name);
    }
    if (strangers.length === 0 || Deno.uid() === 0) {
      findings.ok("working_directory", `${path} can be written to`);
      return;
    }
    findings.fail(
      "working_directory",
      `${strangers.slice(0, 3).join(", ")}${
        strangers.length > 3 ? " and others" : ""
      } in ${path}: not this user's`,
      `Run: chown -h ${await nameOf(Deno.uid())}: ${path}/podheitor-mongodb-*`,
    );
  } catch (cause) {
    findings.fail(
      "working_directory",
      `A job can't write to ${path}: ${reason(cause)}`,
      `Make it the property of the user that jobs run as: chown ${await nameOf(Deno.uid())}: ${path}`,
    );
  }
}

async function examineSpace(path: string, findings: Findings): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const text = `${formatBytes(free)} are free in ${path}`;
  const remedy =
    "Make room there: a restore puts pieces of the oplog aside in it, and each job leaves its record.";
  if (free < noBytes) findings.fail("disk_space", text, remedy);
  else if (free < fewBytes) findings.warn("disk_space", text, remedy);
  else findings.ok("disk_space", text);
}

/** Finds the connection string as a job does; null where a job would find none. */
export async function examineSecrets(options: Options, findings: Findings): Promise<Secret | null> {
  const warning = passwordWarning(options);
  if (warning !== null) {
    findings.warn("secrets", warning, "Say uri_file= or password_file= in the Plugin line.");
  }
  const uri = await findings.attempt("secrets", () => resolveUri(options, machineSecrets()));
  if (uri === null) return null;
  findings.ok("secrets", `The connection string comes from ${originOf(options)}`);
  const certificate = await findings.attempt("secrets", () => readAddress(uri));
  if (certificate === null) return null;
  if (certificate.certificateFile !== null) await examineCertificate(certificate.certificateFile, findings);
  for (const lax of transportWarnings(uri)) {
    findings.warn("tls", lax, "Correct the connection string.");
  }
  return uri;
}

function originOf({ uri, uri_file, password_file }: Options): string {
  const password = password_file === null ? "" : `, its password from ${password_file}`;
  if (uri !== null) return `uri= of the plugin command${password}`;
  return `${uri_file ?? "this machine (PODHEITOR_MONGODB_URI, or systemd's credential)"}${password}`;
}

async function examineCertificate(path: string, findings: Findings): Promise<void> {
  const mode = await Deno.stat(path).then(({ mode }) => mode ?? 0, () => null);
  if (mode === null) {
    findings.fail(
      "secrets",
      `${path}, which tlsCertificateKeyFile names, can't be found`,
      "Correct the connection string, or make the file readable to the user that jobs run as.",
    );
  } else if ((mode & 0o077) !== 0) {
    findings.warn(
      "secrets",
      `${path}, which tlsCertificateKeyFile names, has mode ${
        octal(mode)
      }: others can read or change the key in it`,
      `Run: chmod 0600 ${path}`,
    );
  }
}

async function realPath(path: string): Promise<string> {
  return await Deno.realPath(path).catch(() => path);
}

async function nameOf(uid: number | null): Promise<string> {
  const users = await Deno.readTextFile("/etc/passwd").catch(() => "");
  return new RegExp(`^([^:\n]+):[^:\n]*:${uid}:`, "m").exec(users)?.[1] ?? `user ${uid}`;
}
