/**
 * Builds what runs: `deno task build` leaves in `build/` the plugin, and each executable as a launcher with its bundle beside it. Where `DENORT_BIN`
 * names Deno's runtime for programs, the bundles are compiled with it, and no Deno is needed beside them.
 *
 * @module
 */

import { run } from "../tests/lab/command.ts";
import { ensureTools } from "../tests/lab/tools.ts";
import { bundle } from "./bundle.ts";
import { compile } from "./compile.ts";
import { type Executable, executables } from "./executables.ts";
import { compileLauncher } from "./launcher.ts";
import { ownTarget, type Target, toolFor, toolsFor } from "./target.ts";

const checkout = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** Paths of what was built. */
export interface Build {
  /** The File Daemon's plugin. */
  readonly plugin: string;
  /** The backend's executable. */
  readonly backend: string;
  /** The exporter's. */
  readonly exporter: string;
}

/** Builds everything for this checkout; quick when nothing changed. */
export async function build(): Promise<Build> {
  await ensureTools(toolsFor(ownTarget));
  const out = `${checkout}/build`;
  const plugin = await buildPlugin(out, ownTarget);
  for (const executable of executables) {
    const parts = await buildExecutable(executable, out);
    const path = `${out}/${executable.name}`;
    await compileLauncher(executable.room, path, { deno: Deno.execPath(), ...parts });
    await proveOurs(path, executable.name);
  }
  return {
    plugin,
    backend: `${out}/podheitor-mongodb-backend`,
    exporter: `${out}/podheitor-mongodb-exporter`,
  };
}

/** Makes the plugin in the folder `out`. */
export async function buildPlugin(out: string, target: Target): Promise<string> {
  await Deno.mkdir(out, { recursive: true });
  const compiler = target === ownTarget ? [] : [`CC=${toolFor(target, "gcc")}`];
  await run("make", ["-s", "-C", `${checkout}/cshim`, `BUILD=${out}`, ...compiler]);
  return `${out}/podheitor-mongodb-fd.so`;
}

/** What a launcher starts: a bundle, or the program that was compiled of it. */
export type Parts = { readonly module: string } | { readonly program: string };

/** Makes what an executable's launcher starts, in the folder `out`. */
export async function buildExecutable({ room, name, entry }: Executable, out: string): Promise<Parts> {
  await Deno.mkdir(out, { recursive: true });
  const module = `${out}/${name}.js`;
  await bundle(checkout, entry, module);
  const denort = Deno.env.get("DENORT_BIN");
  if (!denort) return { module };
  const program = `${out}/${name}.bin`;
  await compile(room, module, program, denort);
  await proveOurs(program, name);
  return { program };
}

/**
 * What was built must be our program, not something that merely starts: Deno without its payload is a prompt that may do anything.
 *
 * @throws Error otherwise
 */
export async function proveOurs(path: string, name: string): Promise<void> {
  const said = await run(path, ["--version"]);
  if (!new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n$`).test(said)) {
    throw new Error(`The built ${name} says "${said.trim()}", which isn't its version`);
  }
}

/** Which of its two forms a build has, in a sentence. */
export function describeForm(): string {
  return Deno.env.get("DENORT_BIN")
    ? "Each executable is a launcher of a program that was compiled with DENORT_BIN."
    : "Each executable is a launcher of a bundle, which Deno runs.";
}

if (import.meta.main) {
  const { plugin, backend, exporter } = await build();
  console.log(`${plugin}\n${backend}\n${exporter}\n${describeForm()}`);
}
