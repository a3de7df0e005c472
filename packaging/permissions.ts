/** What the backend may do, as Deno's flags: one list for the launcher, the stand-alone task and the tests. */

import { environmentTable } from "../backend/options/environment.ts";

/** Flags of the backend's process, but for those of {@linkcode allowedProgramScript}. Everything that isn't named is refused. */
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

/**
 * A shell's script that leaves in `$run` the flag for programs: none may be run but mongodump in the folder that the tools' variable names, and the
 * mongod of a rehearsal. A path that a list of programs could be made longer with names none.
 */
export const allowedProgramScript = `run=--deny-run
program=
if [ "$1" = rehearse ]; then
  program=$(command -v "\${PODHEITOR_MONGODB_MONGOD:-\${MONGOD_BIN:-mongod}}")
  export PODHEITOR_MONGODB_MONGOD="$program"
elif [ -n "$PODHEITOR_MONGODB_TOOLS" ]; then
  program=\${PODHEITOR_MONGODB_TOOLS%/}/mongodump
fi
case "$program" in
  *[!A-Za-z0-9/._-]*) ;;
  /*) run="--allow-run=$program" ;;
esac`;
