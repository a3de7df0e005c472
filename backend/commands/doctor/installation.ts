/**
 * What is installed on this machine.
 *
 * @module
 */

import { program } from "../../version.ts";
import { backendPath } from "../machine.ts";
import type { Findings } from "./check.ts";
import { findDirective } from "./file_daemon_config.ts";

const pluginFile = "podheitor-mongodb-fd.so";
const defaultPluginDirectory = "/opt/bacula/plugins";

/** Where Bacula's own packages and Debian's have it. */
const configPlaces = ["/opt/bacula/etc/bacula-fd.conf", "/etc/bacula/bacula-fd.conf"];

/** A File Daemon loads no plugin that doesn't name this licence. */
const licence = "AGPLv3";

/** Longest plugin that is read: some hundred times what it has. */
const pluginMaxBytes = 16 << 20;

/** The File Daemon's own settings, as far as they can be known. */
export interface FileDaemon {
  /** Null where no configuration can be read. */
  readonly configPath: string | null;
  readonly pluginDirectory: string | null;
  readonly workingDirectory: string | null;
}

/**
 * Reads bacula-fd.conf.
 *
 * @param path where it is; by default, the first of the usual places that can be read
 */
export async function readFileDaemon(path: string | null, findings: Findings): Promise<FileDaemon> {
  for (const place of path === null ? configPlaces : [path]) {
    try {
      const text = await Deno.readTextFile(place);
      return {
        configPath: place,
        pluginDirectory: findDirective(text, "plugindirectory"),
        workingDirectory: findDirective(text, "workingdirectory"),
      };
    } catch (cause) {
      if (path === null && cause instanceof Deno.errors.NotFound) continue;
      findings.warn(
        "plugin_directory",
        `${place} can't be read: ${reason(cause)}`,
        "Run this as the File Daemon's user or as root, or name the file with --config; taken for now: what Bacula has by default.",
      );
      return { configPath: null, pluginDirectory: null, workingDirectory: null };
    }
  }
  findings.warn(
    "plugin_directory",
    `No bacula-fd.conf is at ${configPlaces.join(" or ")}`,
    "Name it with --config; taken for now: what Bacula has by default.",
  );
  return { configPath: null, pluginDirectory: null, workingDirectory: null };
}

/** Looks at the program, and at the plugin that starts it. */
export async function examineInstallation(
  { configPath, pluginDirectory }: FileDaemon,
  findings: Findings,
): Promise<void> {
  findings.ok(
    "runtime",
    `${program.name} ${program.version}, on Deno ${Deno.version.deno} (${Deno.execPath()})`,
  );
  await examineRuntime(findings);
  await examineFile("backend", backendPath(), findings, "it starts each job", true);
  if (configPath !== null && pluginDirectory === null) {
    findings.fail(
      "plugin_directory",
      `${configPath} names no Plugin Directory: the File Daemon loads no plugin`,
      `Add to its FileDaemon resource: Plugin Directory = ${defaultPluginDirectory}, and restart the File Daemon.`,
    );
    return;
  }
  const directory = pluginDirectory ?? defaultPluginDirectory;
  if (!await examineDirectory(directory, findings)) return;
  const path = `${directory.replace(/\/+$/, "")}/${pluginFile}`;
  if (await examineFile("plugin", path, findings, "the File Daemon loads it", false)) {
    await examinePlugin(path, findings);
  }
}

/** Whoever may change the runtime or this module is who jobs run as. */
async function examineRuntime(findings: Findings): Promise<void> {
  for (const path of [Deno.execPath(), new URL(Deno.mainModule).pathname]) {
    const mode = await Deno.stat(path).then(({ mode }) => mode, () => null);
    if (!isOthers(mode)) continue;
    findings.fail(
      "runtime",
      `${path} has mode ${octal(mode)}, others than its owner can change it: each job runs it`,
      `Compare it with what was installed, then run: chmod go-w ${path}`,
    );
  }
}

async function examineDirectory(path: string, findings: Findings): Promise<boolean> {
  try {
    const { isDirectory, isSymlink } = await Deno.lstat(path);
    const { mode, isDirectory: isThere } = await Deno.stat(path);
    if (!isDirectory && !isThere) {
      findings.fail(
        "plugin_directory",
        `${path} is no directory`,
        "Correct Plugin Directory in bacula-fd.conf.",
      );
      return false;
    }
    if (isOthers(mode)) {
      findings.fail(
        "plugin_directory",
        `${path} has mode ${octal(mode)}: whoever may write there runs code as the File Daemon's user`,
        `Run: chmod go-w ${path}`,
      );
    } else if (isSymlink) {
      findings.warn(
        "plugin_directory",
        `${path} is a link: whoever may change where it leads runs code as the File Daemon's user`,
        "Name the directory itself in bacula-fd.conf.",
      );
    } else findings.ok("plugin_directory", `${path} is the File Daemon's Plugin Directory`);
    return true;
  } catch (cause) {
    findings.fail(
      "plugin_directory",
      `${path} can't be looked into: ${reason(cause)}`,
      "Make it, or correct Plugin Directory in bacula-fd.conf.",
    );
    return false;
  }
}

/** Whether a file that is loaded or started is there. Others may not change it. */
async function examineFile(
  check: "backend" | "plugin",
  path: string,
  findings: Findings,
  use: string,
  isProgram: boolean,
): Promise<boolean> {
  try {
    const { isFile, mode, uid } = await Deno.stat(path);
    const owner = uid === 0 || uid === Deno.uid();
    if (!isFile || (isProgram && ((mode ?? 0) & 0o111) === 0)) {
      findings.fail(check, `${path} is no ${isProgram ? "program" : "file"}`, "Install the product anew.");
    } else if (isOthers(mode)) {
      findings.fail(
        check,
        `${path} has mode ${octal(mode)}, others than its owner can change it: ${use}`,
        `Compare it with what was installed, then run: chmod go-w ${path}`,
      );
    } else if (!owner) {
      findings.warn(check, `${path} belongs to user ${uid}, wanted root: ${use}`, `Run: chown root: ${path}`);
    } else findings.ok(check, `${path} is there, mode ${octal(mode)}`);
    return isFile;
  } catch (cause) {
    const remedy = check === "plugin"
      ? "Install it there, mode 0755 and root's, and restart the File Daemon."
      : "Install it there, or name it in the File Daemon's environment: PODHEITOR_MONGODB_BACKEND.";
    findings.fail(check, `${path} can't be found: ${reason(cause)}`, remedy);
    return false;
  }
}

/** The plugin's constants stand in it as C's strings. */
async function examinePlugin(path: string, findings: Findings): Promise<void> {
  const text = await readPlugin(path).catch((cause) => {
    findings.warn("plugin", `${path} can't be read: ${reason(cause)}`, `Run: chmod 0755 ${path}`);
    return null;
  });
  if (text === null) return;
  if (!text.startsWith("\x7fELF") || !text.includes("loadPlugin\0")) {
    findings.fail("plugin", `${path} is no plugin of Bacula`, "Install the product anew.");
    return;
  }
  if (!text.includes(`\0${licence}\0`)) {
    findings.fail(
      "plugin",
      `${path} doesn't name the licence ${licence}: the File Daemon refuses to load it`,
      "Install the product's own plugin.",
    );
    return;
  }
  const versions = [...text.matchAll(/(?<=\0)\d+\.\d+\.\d+(?=\0)/g)].map(([version]) => version);
  if (versions.includes(program.version)) {
    findings.ok("plugin", `The plugin's version is ${program.version} as well, its licence ${licence}`);
    return;
  }
  findings.fail(
    "plugin",
    `The plugin's version is ${versions[0] ?? "unknown"}, this program's ${program.version}`,
    "Install both of one version, and restart the File Daemon.",
  );
}

/** One character for each byte; none of a file that is too large for a plugin. */
async function readPlugin(path: string): Promise<string> {
  const { size } = await Deno.stat(path);
  return size > pluginMaxBytes ? "" : new TextDecoder("latin1").decode(await Deno.readFile(path));
}

function isOthers(mode: number | null): boolean {
  return ((mode ?? 0) & 0o022) !== 0;
}

/** Permission bits as `chmod` takes them. */
export function octal(mode: number | null): string {
  return ((mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
}

/** What a failure of the system says. */
export function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
