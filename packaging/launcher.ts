/**
 * The launcher: a shell's script that starts Deno with the flags of the command that it is called with. Paths come from the same arguments and
 * variables that the backend reads; one that could make a list of Deno's longer is refused.
 *
 * @module
 */

import { defaultWorkingDirectory } from "../backend/state/atomic_file.ts";
import { privilegeDropper } from "./unprivileged.ts";
import { commonFlags, type Permissions, permissionTable, type Place, protectedFlag } from "./permissions.ts";

/** What a launcher starts. */
export interface Launched {
  /** Path of Deno. */
  readonly deno: string;
  /** Path of the module that runs: a bundle, or sources where there is `config`. */
  readonly module: string;
  /** Path of the sources' `deno.json`. */
  readonly config?: string;
}

/** A bundle needs nothing but its one file; a cache that can't be written keeps what it runs from being changed between jobs. */
const bundleFlags = ["--no-config", "--no-lock", "--no-remote", "--cached-only", "--no-code-cache"];
const bundleCache = "export DENO_DIR=/dev/null/podheitor\n";

/** The script. It forbids core files, which would hold secrets. */
export function launcher({ deno, module, config }: Launched): string {
  const own = config === undefined ? bundleFlags : [`--config=${config}`];
  const arms = Object.entries<Permissions>(permissionTable).map(([command, row]) => arm(command, row));
  return `#!/bin/sh
ulimit -c 0
${argumentReader}
${lists}
case "$command" in
${arms.join("\n")}
esac
set -- ${quote(module)} "$@"
[ -z "$reads" ] || set -- "--allow-read=$reads" "$@"
[ -z "$writes" ] || set -- "--allow-write=$writes" "$@"
[ "$command" = keygen ] || set -- ${quote(protectedFlag)} "$@"
case "$hosts" in
  '') ;;
  anywhere) set -- --allow-net "$@" ;;
  *) set -- "--allow-net=$hosts" "$@" ;;
esac
[ -z "$programs" ] || set -- "--allow-run=$programs" "$@"
[ -z "$variables" ] || set -- "--allow-env=$variables" "$@"
[ -z "$facts" ] || set -- "--allow-sys=$facts" "$@"
set -- ${quote(deno)} run ${[...own, ...commonFlags].map(quote).join(" ")} "$@"
${privilegeDropper}
${config === undefined ? bundleCache : ""}export DENO_NO_UPDATE_CHECK=1
# What the doctor says has colours on a terminal, unless the operator wants none.
[ "$command" = doctor ] || export NO_COLOR=1
exec "$@"
`;
}

/** Leaves the command in `$command` (a job's with its kind), each option in a variable of its own, and the last other argument in `$operand`. */
const argumentReader = `keep() {
  case "$1" in
    --to) to=$2 ;;
    --from) from=$2 ;;
    --where) where=$2 ;;
    --working-dir) working=$2 ;;
    --key) key=$2 ;;
    --kind) kind=$2 ;;
  esac
}
unset to from where working key operand
kind= option= command=\${1-} first=yes
for argument do
  if [ -n "$first" ]; then
    first=
  elif [ -n "$option" ]; then
    keep "$option" "$argument"
    option=
  else
    case "$argument" in
      -- | --json | --restore) ;;
      --*=*) keep "\${argument%%=*}" "\${argument#*=}" ;;
      --*) option=$argument ;;
      *) operand=$argument ;;
    esac
  fi
done
[ "$command" != job ] || command="job $kind"`;

/** Collects paths and programs. A program is absolute and plain, or none. */
const lists = `reads= writes= hosts= programs= variables= facts=
refuse() {
  printf '%s\\n' "MONGO-110 Cannot run: $1" "Hint: $2" >&2
  exit 2
}
check() {
  case "$2" in
    '' | -* | *[,\\"\\']* | *[[:cntrl:]]*)
      refuse "the path of $1 is empty, begins with a dash, or has a comma, a quote or a control character" \\
        "What the program may read and write is a list of paths: give this one a plain name."
      ;;
  esac
}
may_read() {
  check "$1" "$2"
  reads=\${reads:+$reads,}$2
}
may_write() {
  check "$1" "$2"
  writes=\${writes:+$writes,}$2
}
may_run() {
  case "$1" in
    *[!A-Za-z0-9/._-]*) ;;
    /*) programs=\${programs:+$programs,}$1 ;;
  esac
}
may_read_keys() {
  keys=\${key-$PODHEITOR_MONGODB_TRUSTED_KEYS}
  # A key that isn't in a file, also a mistyped one, has no place among the arguments.
  if [ -z "$keys" ] && [ -f "$PODHEITOR_MONGODB_SIGNING_KEY" ]; then
    may_read 'the signing key' "$PODHEITOR_MONGODB_SIGNING_KEY"
  fi
  while [ -n "$keys" ]; do
    one=\${keys%%:*}
    case "$keys" in
      *:*) keys=\${keys#*:} ;;
      *) keys= ;;
    esac
    [ -z "$one" ] || may_read 'a trusted key' "$one"
  done
}`;

/** What the script does for a command. */
function arm(command: string, { read, write, net, run, env, sys }: Permissions): string {
  const lines = [
    ...read.map((place) => lineOf(place, "may_read", command)),
    ...write.map((place) => lineOf(place, "may_write", command)),
    ...(net === "nowhere" ? [] : [`hosts=${net}`]),
    ...run.map((program) => programLines[program]),
    ...(env.length === 0 ? [] : [`variables=${env.join(",")}`]),
    ...(sys.length === 0 ? [] : [`facts=${sys.join(",")}`]),
  ];
  return [`  ${quote(command)})`, ...lines.map((line) => `    ${line}`), "    ;;"].join("\n");
}

function lineOf(place: Place, may: "may_read" | "may_write", command: string): string {
  switch (place) {
    case "anywhere":
    case "notYetKnown":
      return `${may} / /`;
    case "commandWhere":
      return `case "$operand" in *where*) ${may} / / ;; esac`;
    case "keys":
      return "may_read_keys";
    case "working":
      if (command === "chain") return `[ -z "\${working+given}" ] || ${may} --working-dir "$working"`;
      return `${may} --working-dir "\${working=${workingDirectoryOf(command)}}"`;
    case "where":
      return `[ "\${where-/}" = / ] || ${may} --where "$where"`;
    case "to":
      return `[ "\${to-/dev/null}" = /dev/null ] || ${may} --to "$to"`;
    case "from":
      return `[ -z "\${from+given}" ] || ${may} --from "$from"`;
    case "keyPair":
      return `[ -z "\${operand+given}" ] || { ${may} 'the file' "$operand" && ${may} 'the file' "$operand.pub"; }`;
    case "operand":
      return `[ -z "\${operand+given}" ] || ${may} 'the folder' "$operand"`;
  }
}

/** Where a command works unless it is told; a job always is. */
function workingDirectoryOf(command: string): string {
  if (command.startsWith("job ")) return "";
  return command === "prepare-restore" || command === "doctor" ? defaultWorkingDirectory : ".";
}

const programLines = {
  mongodump: '[ -z "$PODHEITOR_MONGODB_TOOLS" ] || may_run "${PODHEITOR_MONGODB_TOOLS%/}/mongodump"',
  mongorestore: '[ -z "$PODHEITOR_MONGODB_TOOLS" ] || may_run "${PODHEITOR_MONGODB_TOOLS%/}/mongorestore"',
  mongod: 'may_run "$PODHEITOR_MONGODB_MONGOD"',
  mongodOnPath: `PODHEITOR_MONGODB_MONGOD=$(command -v "\${PODHEITOR_MONGODB_MONGOD:-\${MONGOD_BIN:-mongod}}")
    export PODHEITOR_MONGODB_MONGOD
    may_run "$PODHEITOR_MONGODB_MONGOD"`,
};

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
