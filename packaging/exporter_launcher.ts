/**
 * The exporter's launcher: a shell's script that starts Deno with one port to open and nothing but the working directory and the web configuration to read.
 *
 * @module
 */

import { defaultWorkingDirectory } from "../backend/state/atomic_file.ts";
import { bundleCache, bundleFlags, type Launched, quote, refusals } from "./launcher.ts";
import { exporterFlags, exporterPermissions } from "./permissions.ts";
import { dropFlags } from "./unprivileged.ts";

/** The script. What it can't make out, it grants nothing for: the exporter then says what is wrong. */
export function exporterLauncher({ deno, module, config }: Launched): string {
  const own = config === undefined ? bundleFlags : [`--config=${config}`];
  const flags = [...own, ...exporterFlags, `--allow-sys=${exporterPermissions.sys.join(",")}`];
  return `#!/bin/sh
ulimit -c 0
${argumentReader}
${refusals}
hosts=
case "$answers" in
  '')
    may_read --working-dir "$working"
    port=\${listen##*:} host=\${listen%:*}
    case "$port" in
      '' | *[!0-9]* | ??????*) port=65536 ;;
    esac
    case "$host" in
      "$listen") ;;
      '') hosts=0.0.0.0:$port ;;
      '['*']') case "\${host#?}" in *[!0-9A-Fa-f:.]*[!]]* | *[!]0-9A-Fa-f:.]*) ;; *) hosts=$host:$port ;; esac ;;
      *[!A-Za-z0-9.-]*) ;;
      *) hosts=$host:$port ;;
    esac
    [ "$port" -le 65535 ] || hosts=
    if [ -n "$web" ]; then
      may_read --web.config.file "$web"
${webFileReader}
    fi
    ;;
esac
set -- ${quote(module)} "$@"
[ -z "$reads" ] || set -- "--allow-read=$reads" "$@"
[ -z "$hosts" ] || set -- "--allow-net=$hosts" "$@"
set -- ${quote(deno)} run ${flags.map(quote).join(" ")} "$@"
${privilegeDropper}
${config === undefined ? bundleCache : ""}export DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
exec "$@"
`;
}

/** Leaves the options in variables, and `yes` in `$answers` where the exporter only says something of itself. */
const argumentReader = `keep() {
  case "$1" in
    --listen) listen=$2 ;;
    --working-dir) working=$2 ;;
    --web.config.file) web=$2 ;;
  esac
}
listen=:9105 working=${defaultWorkingDirectory} web= option= answers=
for argument do
  if [ -n "$option" ]; then
    keep "$option" "$argument"
    option=
  else
    case "$argument" in
      --help | --version) answers=yes ;;
      --*=*) keep "\${argument%%=*}" "\${argument#*=}" ;;
      --*) option=$argument ;;
    esac
  fi
done`;

/** The files that lines of the web configuration name, each where the exporter looks for it. */
const webFileReader = `      case "$web" in
        */*) folder=\${web%/*} ;;
        *) folder=. ;;
      esac
      named=$(sed -n -E \\
        -e '/^[[:space:]]*(cert_file|key_file)[[:space:]]*:[[:space:]]*/!d' \\
        -e 's///; s/[[:space:]]+(#.*)?$//; s/^"(.*)"$/\\1/' -e "s/^'(.*)'\\$/\\1/" -e p -- "$web" 2>/dev/null)
      while IFS= read -r file; do
        case "$file" in
          '') ;;
          /*) may_read "a file that $web names" "$file" ;;
          *) may_read "a file that $web names" "$folder/$file" ;;
        esac
      done <<END
$named
END`;

/** Reading what the backend left is no work for root: it is done by whoever owns the directory, or by Bacula's user. */
const privilegeDropper = `if [ "$(id -u)" = 0 ]; then
  user=$(stat -c %U -- "$working" 2>/dev/null || echo root)
  [ "$user" != root ] || user=bacula
  if uid=$(id -u -- "$user" 2>/dev/null) && gid=$(id -g -- "$user") && command -v setpriv >/dev/null; then
    set -- setpriv ${dropFlags} -- "$@"
  else
    printf '%s\\n' "This runs as root: there is no user $user, or no program setpriv (of the package util-linux)." >&2
  fi
fi`;
