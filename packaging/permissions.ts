/** What the backend may do, as Deno's flags: one list for the launcher, the stand-alone task and the tests. */

import { environmentTable } from "../backend/options/environment.ts";

/** Flags of the backend's process, but for those of {@linkcode runFlag}. Everything that isn't named is refused. */
export const backendFlags: readonly string[] = [
  "--quiet",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--cached-only",
  "--no-code-cache",
  // MongoDB servers: which ones, only the job says.
  "--allow-net",
  // Secrets, keys, job folders.
  "--allow-read",
  // Working directory, job folders, restores to a directory.
  "--allow-write",
  // The driver asks for many variables; it gets none of them.
  "--ignore-env",
  `--allow-env=${Object.keys(environmentTable).join(",")}`,
  // The driver tells the server the name of this system.
  "--allow-sys=osRelease,uid",
  "--deny-ffi",
  "--deny-import",
];

/** What the path of the tools' folder may have in it, as a pattern of the shell: nothing that a list of programs could be made longer with. */
const toolsCharacters = "A-Za-z0-9/._-";

/** Programs that the backend may run: none, or mongodump in the folder that the variable names. */
export function runFlag(tools: string | undefined): string {
  const folder = tools?.replace(/\/$/, "") ?? "";
  return new RegExp(`^/[${toolsCharacters}]*$`).test(folder)
    ? `--allow-run=${folder}/mongodump`
    : "--deny-run";
}

/** The same for a shell's script, which leaves it in `$run`. */
export const runFlagScript = `run=--deny-run
tools=\${PODHEITOR_MONGODB_TOOLS%/}
case "$tools" in
  *[!${toolsCharacters}]*) ;;
  /*) run="--allow-run=$tools/mongodump" ;;
esac`;
