/**
 * The launcher: a small static program that starts Deno with the flags of the command that it is called with. `launcher/` has its source, and this
 * module what is baked into it.
 *
 * @module
 */

import { defaultWorkingDirectory } from "../backend/state/atomic_file.ts";
import { run } from "../tests/lab/command.ts";
import { findMusl } from "./musl.ts";
import {
  commonFlags,
  exporterFlags,
  exporterPermissions,
  type Permissions,
  permissionTable,
  protectedFlag,
} from "./permissions.ts";
import { ownTarget, type Target, toolFor } from "./target.ts";

/** What a launcher starts: a module, or a program that was compiled with its permissions. */
export type Launched = LaunchedModule | { readonly program: string };

interface LaunchedModule {
  /** Path of Deno. */
  readonly deno: string;
  /** Path of the module that runs: a bundle, or sources where there is `config`. */
  readonly module: string;
  /** Path of the sources' `deno.json`. */
  readonly config?: string;
}

/** How a launcher is made other than for this machine's own use. */
export interface LauncherOptions {
  /** The processor that it is for, if that isn't this machine's. */
  readonly target?: Target;
  /** For tests: a folder with `passwd` and `group` in place of the machine's own. */
  readonly accounts?: string;
  /** For tests: whether it watches its own use of memory, and ends where that is wrong. */
  readonly watched?: true;
}

const source = new URL("launcher/", import.meta.url).pathname;
/** What is compiled for an executable, by its room. */
const units = {
  backend: [
    "backend.c",
    "arguments.c",
    "grants.c",
    "lists.c",
    "options.c",
    "start.c",
    "text.c",
    "unprivileged.c",
  ],
  exporter: ["exporter.c", "lists.c", "options.c", "start.c", "text.c", "unprivileged.c"],
} as const;

/** Which executable it is. */
export type Room = keyof typeof units;

// deno-fmt-ignore
const warnings = ["-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wvla", "-Werror"];

/** Compiles a launcher to a file of that path. It needs no library of the machine that it runs on, so nobody can put another one there. */
export async function compileLauncher(
  room: Room,
  path: string,
  launched: Launched,
  options: LauncherOptions = {},
): Promise<void> {
  const { target = ownTarget, accounts, watched } = options;
  const folder = await Deno.makeTempDir({ prefix: "podheitor-launcher-" });
  try {
    await Deno.writeTextFile(`${folder}/baked.h`, bakedHeader(room, launched));
    const args = [
      ...["-std=gnu11", "-D_GNU_SOURCE", ...warnings, "-I", folder, "-o", path],
      ...(accounts === undefined ? [] : [`-DACCOUNTS="${accounts}"`]),
      ...(watched ? watchedArguments(room) : await staticArguments(room, target)),
    ];
    await run(toolFor(target, "gcc"), args);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function watchedArguments(room: Room): string[] {
  const checks = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  return [...checks, ...units[room].map((unit) => `${source}${unit}`)];
}

/** musl's headers, start files and archive in place of the machine's own, whose licence wouldn't let it be part of this file. */
async function staticArguments(room: Room, target: Target): Promise<string[]> {
  const gcc = toolFor(target, "gcc");
  const [headers, library] = await Promise.all(
    ["-print-file-name=include", "-print-libgcc-file-name"].map(async (what) =>
      (await run(gcc, [what])).trim()
    ),
  );
  const musl = await findMusl(target);
  return [
    ...["-nostdinc", "-isystem", musl.headers, "-isystem", headers!],
    ...["-O2", "-fPIE", "-fstack-protector-strong", "-fstack-clash-protection", target.branchProtection],
    ...["-static-pie", "-nostdlib", "-s", "-Wl,-z,relro,-z,now,-z,noexecstack,-z,text,--build-id=none"],
    ...[`${musl.libraries}/rcrt1.o`, `${musl.libraries}/crti.o`],
    ...units[room].map((unit) => `${source}${unit}`),
    ...[`${musl.libraries}/libc.a`, library!, `${musl.libraries}/crtn.o`],
  ];
}

/** A bundle needs nothing but its one file; a cache that can't be written keeps what it runs from being changed between jobs. */
const bundleFlags = ["--no-config", "--no-lock", "--no-remote", "--cached-only", "--no-code-cache"];
const bundleVariables = ["DENO_DIR=/dev/null/podheitor"];
const keptVariables = ["PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "NO_COLOR"];
/** Where Deno has the packages that sources import. */
const cacheVariables = ["DENO_DIR", "XDG_CACHE_HOME", "HOME"];

function bakedHeader(room: Room, launched: Launched): string {
  const isSource = "config" in launched;
  const rows = Object.entries<Permissions>(permissionTable).map(([command, row]) => bakedRow(command, row));
  const own = ["DENO_NO_UPDATE_CHECK=1", ...(isSource ? [] : bundleVariables)];
  return [
    `#define BAKED_START ${quoteAll(startOf(room, launched))}`,
    ...("module" in launched ? [`#define BAKED_MODULE ${quote(launched.module)}`] : []),
    `#define BAKED_KEPT ${quoteAll([...keptVariables, ...(isSource ? cacheVariables : [])])}, NULL`,
    `#define BAKED_OWN ${quoteAll(own)}, NULL`,
    `#define BAKED_ROWS ${rows.join(", ")}`,
    `#define BAKED_PROTECTED ${quote(protectedFlag)}`,
    `#define BAKED_WORKING ${quote(defaultWorkingDirectory)}`,
  ].join("\n") + "\n";
}

function startOf(room: Room, launched: Launched): string[] {
  if ("program" in launched) return [launched.program];
  const { deno, config } = launched;
  const own = config === undefined ? bundleFlags : [`--config=${config}`];
  const flags = room === "backend"
    ? commonFlags
    : [...exporterFlags, `--allow-sys=${exporterPermissions.sys.join(",")}`];
  return [deno, "run", ...own, ...flags];
}

function bakedRow(command: string, { read, write, net, run, env, sys }: Permissions): string {
  const list = (prefix: string, names: readonly string[]) =>
    `{${[...names, "none"].map((name) => `${prefix}_${screaming(name)}`).join(", ")}}`;
  const working = workingDirectoryOf(command);
  return `{
  .command = ${quote(command)},
  .read = ${list("PLACE", read)},
  .write = ${list("PLACE", write)},
  .net = ${net === "nowhere" ? "NULL" : quote(net === "anywhere" ? "" : net)},
  .run = ${list("PROGRAM", run)},
  .variables = {${quoteAll(env)}},
  .facts = {${quoteAll(sys)}},
  .working = ${working === undefined ? "NULL" : quote(working)},
  .writes_protected = ${command !== "keygen"},
  .has_colours = ${command === "doctor"},
}`.replaceAll("\n", " ");
}

/** Where a command works unless it is told; a job always is. */
function workingDirectoryOf(command: string): string | undefined {
  if (command.startsWith("job ")) return "";
  if (command === "chain") return undefined;
  return command === "prepare-restore" || command === "doctor" ? defaultWorkingDirectory : ".";
}

/** `notYetKnown` as C's constants are written. */
function screaming(name: string): string {
  return name.replaceAll(/[A-Z]/g, "_$&").toUpperCase();
}

function quoteAll(texts: readonly string[]): string {
  return texts.map(quote).join(", ");
}

/** A text as C writes it, whatever is in it. */
function quote(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  const written = bytes.map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c || byte === 0x3f
      ? `\\${byte.toString(8).padStart(3, "0")}`
      : String.fromCharCode(byte)
  );
  return `"${written.join("")}"`;
}
