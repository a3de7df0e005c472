/**
 * Builds what is installed: `deno task build` leaves in `build/` the plugin, the backend in one file, and the launcher that the plugin starts.
 *
 * @module
 */

import { launcher } from "./launcher.ts";

const checkout = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** Paths of what was built. */
export interface Build {
  /** The File Daemon's plugin. */
  readonly plugin: string;
  /** The backend's executable. */
  readonly backend: string;
}

/** Builds everything; quick when nothing changed. */
export async function build(): Promise<Build> {
  const out = `${checkout}/build`;
  await Deno.mkdir(out, { recursive: true });
  await run("make", ["-s", "-C", `${checkout}/cshim`, `BUILD=${out}`]);
  const bundle = `${out}/podheitor-mongodb-backend.js`;
  await run(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform",
    "deno",
    "-o",
    bundle,
    `${checkout}/backend/main.ts`,
  ]);
  const backend = `${out}/podheitor-mongodb-backend`;
  await Deno.writeTextFile(backend, launcher({ deno: Deno.execPath(), module: bundle }));
  await Deno.chmod(backend, 0o755);
  await proveLauncher(backend);
  return { plugin: `${out}/podheitor-mongodb-fd.so`, backend };
}

/** What was built must be our program, not something that merely starts. */
async function proveLauncher(backend: string): Promise<void> {
  const said = await run(backend, ["--version"]);
  if (!/^podheitor-mongodb-backend \d+\.\d+\.\d+\n$/.test(said)) {
    throw new Error(`The built backend says "${said.trim()}", which isn't its version`);
  }
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
  const { plugin, backend } = await build();
  console.log(`${plugin}\n${backend}`);
}
