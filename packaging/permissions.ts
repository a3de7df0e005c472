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
 * A shell's script that leaves in `$run` the flag for programs: none may be run but mongodump and mongorestore in the folder that the tools'
 * variable names, and the mongod of a rehearsal: of the command of that name, or of the File Daemon's jobs where its variable names one. A path that a
 * list of programs could be made longer with names none.
 */
export const allowedProgramScript = `programs=
allow() {
  case "$1" in
    *[!A-Za-z0-9/._-]*) ;;
    /*) programs=\${programs:+$programs,}$1 ;;
  esac
}
if [ "$1" = rehearse ]; then
  PODHEITOR_MONGODB_MONGOD=$(command -v "\${PODHEITOR_MONGODB_MONGOD:-\${MONGOD_BIN:-mongod}}")
  export PODHEITOR_MONGODB_MONGOD
fi
case "$1" in
  rehearse | job) allow "$PODHEITOR_MONGODB_MONGOD" ;;
esac
for tool in mongodump mongorestore; do
  [ -z "$PODHEITOR_MONGODB_TOOLS" ] || allow "\${PODHEITOR_MONGODB_TOOLS%/}/$tool"
done
run=--deny-run
[ -z "$programs" ] || run="--allow-run=$programs"`;
