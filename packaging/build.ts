/**
 * Builds what is installed: `deno task build` leaves in `build/` the plugin, backend and exporter in one file each, and the launchers that start them.
 *
 * @module
 */

import { exporterLauncher } from "./exporter_launcher.ts";
import { type Launched, launcher } from "./launcher.ts";

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

/** Builds everything; quick when nothing changed. */
export async function build(): Promise<Build> {
  const out = `${checkout}/build`;
  await Deno.mkdir(out, { recursive: true });
  await run("make", ["-s", "-C", `${checkout}/cshim`, `BUILD=${out}`]);
  return {
    plugin: `${out}/podheitor-mongodb-fd.so`,
    backend: await buildProgram(out, "backend", launcher),
    exporter: await buildProgram(out, "exporter", exporterLauncher),
  };
}

/** One program's bundle and its launcher, whose path it returns. */
async function buildProgram(
  out: string,
  program: "backend" | "exporter",
  launch: (launched: Launched) => string,
): Promise<string> {
  const path = `${out}/podheitor-mongodb-${program}`;
  const module = `${path}.js`;
  const main = `${checkout}/${program}/main.ts`;
  await run(Deno.execPath(), ["bundle", "--quiet", "--platform", "deno", "-o", module, main]);
  await Deno.writeTextFile(path, launch({ deno: Deno.execPath(), module }));
  await Deno.chmod(path, 0o755);
  // What was built must be our program, not something that merely starts.
  const said = await run(path, ["--version"]);
  if (!new RegExp(`^podheitor-mongodb-${program} \\d+\\.\\d+\\.\\d+\\n$`).test(said)) {
    throw new Error(`The built ${program} says "${said.trim()}", which isn't its version`);
  }
  return path;
}

async function run(program: string, args: string[]): Promise<string> {
  const command = new Deno.Command(program, { args, stdin: "null" });
  const { success, stdout, stderr } = await command.output().catch((cause) => {
    throw new Error(
      `Cannot build: ${program} is missing (${
        cause instanceof Error ? cause.message : cause
      }); install the package of that name`,
    );
  });
  if (!success) throw new Error(`${program} ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const { plugin, backend, exporter } = await build();
  console.log(`${plugin}\n${backend}\n${exporter}`);
}
